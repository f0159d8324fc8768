//! Where the author of a line surely meant something else than uWSGI made of it: the intention is taken, and said.

use super::line::{Pair, asked, said};
use crate::convert::{
    account::Remark,
    uwsgi::{
        names::{self, Kind},
        reading::Applied,
    },
};

/// Beginnings of options whose values are commands, formats or rules, where quotes have a meaning.
const QUOTES_COUNT: [&str; 14] = [
    "alarm",
    "attach-",
    "command",
    "cron",
    "error-route",
    "exec",
    "final-route",
    "hook",
    "legion",
    "log",
    "print",
    "req-log",
    "route",
    "smart-",
];

/// The option of a pair, as it was meant.
pub(super) fn applied(pair: &Pair) -> Applied {
    let mut applied = Applied {
        name: pair.name.clone(),
        value: pair.value.clone().unwrap_or_default(),
        written: pair.written.clone(),
        origin: pair.origin.clone(),
        comments: pair.comments.clone(),
        remarks: pair.remarks.clone(),
    };
    colon(&mut applied);
    let known = names::find(&applied.name);
    match known {
        None => misspelt(&mut applied),
        Some(name) if name.name == "log-date" => date_format(&mut applied),
        Some(name) => quotes(&mut applied, name.kind),
    }
    if has_template(&applied.value) {
        let text = "a mark of a template is in the value, and was carried through";
        applied.remarks.push(said(text));
    }
    applied
}

/// `processes: 4` has no `=`, and so is a name without a value.
fn colon(applied: &mut Applied) {
    if !applied.value.is_empty() {
        return;
    }
    let Some((name, value)) = applied.name.split_once(':') else {
        return;
    };
    let (name, value) = (name.trim_end().to_owned(), value.trim().to_owned());
    if names::find(&name).is_none() || value.is_empty() {
        return;
    }
    applied.remarks.push(asked(format!(
        "uWSGI wants `{name} = {value}`, and takes this line for an option without a value that it does not know; it was \
         read as it was meant"
    )));
    applied.name = name;
    applied.written.clone_from(&value);
    applied.value = value;
}

/// Names that are almost right do nothing. They are not taken: nobody has seen the site with them.
fn misspelt(applied: &mut Applied) {
    let right = applied.name.to_ascii_lowercase().replace('_', "-");
    if right == applied.name || names::find(&right).is_none() {
        return;
    }
    applied.remarks.push(asked(format!(
        "uWSGI knows `{right}`, and does nothing with `{}`",
        applied.name
    )));
}

/// The letters of strftime(3) are magic variables to uWSGI.
fn date_format(applied: &mut Applied) {
    let meant = applied.written.replace("%%", "%");
    if meant == applied.value || !meant.contains('%') {
        return;
    }
    let is_of_magic = |remark: &Remark| remark.text.contains("`%");
    applied.remarks.retain(|remark| !is_of_magic(remark));
    applied.remarks.push(said(format!(
        "uWSGI reads `{}` here, since a percent sign has to be written `%%`; the format was taken as it was meant",
        applied.value
    )));
    applied.value = meant;
}

/// A value in quotes is taken with them by uWSGI.
fn quotes(applied: &mut Applied, kind: Kind) {
    let value = &applied.value;
    let inner = ['"', '\''].into_iter().find_map(|quote| {
        let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.contains(quote)).then(|| inner.to_owned())
    });
    let Some(inner) = inner else {
        return;
    };
    if QUOTES_COUNT
        .iter()
        .any(|beginning| applied.name.starts_with(beginning))
    {
        return;
    }
    let remark = match kind {
        Kind::Int | Kind::Megabytes => asked(format!(
            "uWSGI takes the quotes for a part of the value, which is 0 then; it was read as `{inner}`"
        )),
        Kind::Flag => asked(format!(
            "uWSGI takes the quotes for a part of the value, which is true then; it was read as `{inner}`"
        )),
        _ => said(format!(
            "uWSGI takes the quotes for a part of the value; it was read as `{inner}`"
        )),
    };
    applied.remarks.push(remark);
    applied.value = inner;
}

/// Whether a line is a mark of Jinja's or ERB's and nothing else.
pub(super) fn is_template_line(name: &str) -> bool {
    let is_between = |start: &str, end: &str| {
        let rest = name.strip_prefix(start);
        rest.is_some_and(|rest| rest.contains(end))
    };
    is_between("{%", "%}")
        || is_between("{#", "#}")
        || is_between("<%", "%>")
        || is_between("{{", "}}")
}

/// Whether a value has something that is still to be filled in.
fn has_template(value: &str) -> bool {
    let pairs = [("{{", "}}"), ("{%", "%}"), ("<%", "%>"), ("${", "}")];
    let has_pair = pairs.iter().any(|(start, end)| {
        let found = value.split_once(start);
        found.is_some_and(|(_, rest)| rest.contains(end))
    });
    has_pair || has_name_between(value, '{', '}') || has_name_between(value, '@', '@')
}

/// `{name}` or `@NAME@`.
fn has_name_between(value: &str, start: char, end: char) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    value.match_indices(start).any(|(at, _)| {
        let rest = &value[at + 1..];
        let behind = rest.trim_start_matches(is_part);
        rest.starts_with(|c: char| c.is_ascii_alphabetic()) && behind.starts_with(end)
    })
}
