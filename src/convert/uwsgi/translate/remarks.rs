//! What is said about options beside their verdict.

use super::{
    super::options::{self, Refusal},
    Applied, Outcome, Verdict,
    value::{flag, is_template},
};
use crate::convert::account::{Origin, Remark};

/// An option without a counterpart needs nobody when it was off.
pub(super) fn refused(option: &Applied, refusal: &Refusal) -> Outcome {
    match is_off(&option.value) {
        true => Outcome::not_needed("it was off"),
        false => Outcome::refused(refusal),
    }
}

/// Whether an option says that something shall not be; an empty value is an option that is there.
pub(super) fn is_off(value: &str) -> bool {
    !value.is_empty() && !flag(value).value
}

pub(super) fn unknown(option: &Applied) -> Outcome {
    if ["{%", "{{", "<%"]
        .iter()
        .any(|mark| option.name.starts_with(mark))
    {
        return Outcome::not_needed("it is a mark of a template, and no option")
            .ask("what the template puts here was not converted");
    }
    let meant = options::nearest(&option.name).map(str::to_owned);
    let said = option.remarks.iter().any(|remark| remark.needs_human);
    let text = meant
        .as_ref()
        .map(|meant| format!("uWSGI knows no such option and ignored it; `{meant}` was meant?"));
    let outcome = Outcome::new(Verdict::Unknown { meant });
    match text {
        Some(_) if said => outcome,
        Some(text) => outcome.ask(text),
        None => outcome.note("uWSGI knows no such option; it was a name for `%(...)` at most"),
    }
}

/// A value with marks of a template is good only when these are filled in.
pub(super) fn carried(option: &Applied, outcome: Outcome) -> Outcome {
    let arrived = matches!(
        outcome.verdict,
        Verdict::Kept { .. } | Verdict::Moved { .. }
    );
    let asked = outcome.remarks.iter().any(|remark| remark.needs_human);
    match arrived && !asked && has_marks(option) {
        true => outcome.ask("the marks of the template are carried over as they are"),
        false => outcome,
    }
}

/// Whether a value is one of a template; routes and formats have variables of their own that look like it.
pub(super) fn has_marks(option: &Applied) -> bool {
    let has_variables = ["route", "response-route", "log-format", "logformat"];
    let own = has_variables
        .iter()
        .any(|beginning| option.name.starts_with(beginning));
    match own {
        true => ["{{", "{%", "<%"]
            .iter()
            .any(|mark| option.value.contains(mark)),
        false => is_template(&option.value),
    }
}

/// What reading had to say comes first; of a template's marks both speak, the translation with more knowledge.
pub(super) fn with_remarks_of(option: &Applied, mut outcome: Outcome) -> Outcome {
    let spoken = has_marks(option);
    let remarks = option.remarks.iter();
    let remarks = remarks.filter(|remark| !spoken || !remark.text.contains("mark of a template"));
    let remarks: Vec<Remark> = remarks.cloned().chain(outcome.remarks).collect();
    outcome.remarks = remarks;
    outcome
}

/// `old.ini:12`, without the directory.
pub(super) fn place(origin: &Origin) -> String {
    let text = origin.to_string();
    match text.rsplit_once('/') {
        Some((_, name)) => name.to_owned(),
        None => text,
    }
}
