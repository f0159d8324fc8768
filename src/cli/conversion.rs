//! What the commands that convert configurations have in common: the file they write, and the account they give.

use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use serde_json::{Value, json};

use crate::convert::account::{Account, Entry, Remark, Verdict};

use super::{arguments::Report, error::CliError, exit::Exit, output};

/// Where the results of a conversion go.
#[derive(Debug)]
pub(super) struct Destination<'a> {
    /// The settings file; `None`: standard output.
    pub(super) file: Option<&'a PathBuf>,
    /// Whether it may be replaced.
    pub(super) force: bool,
    /// The account on standard output. Without `file` it takes the place of the settings there.
    pub(super) report: Option<Report>,
}

/// Writes the settings and the account; without a report, what needs a person goes to standard error.
///
/// # Errors
/// The file cannot be written, or is there already.
pub(super) fn deliver(
    settings: &str,
    account: &Account,
    destination: &Destination<'_>,
) -> Result<ExitCode, CliError> {
    if let Some(file) = destination.file {
        write(file, settings, destination.force)?;
    }
    match (destination.report, destination.file) {
        (Some(Report::Text), _) => output::print(&as_text(account))?,
        (Some(Report::Json), _) => {
            let report = serde_json::to_string_pretty(&as_json(account)).map_err(CliError::Json)?;
            output::print(&(report + "\n"))?;
        }
        (None, None) => output::print(settings)?,
        (None, Some(_)) => {}
    }
    if destination.report.is_none() {
        output::tell_before(&what_needs_a_person(account));
    }
    Ok(match needs_a_person(account) {
        true => Exit::NeedsHuman.into(),
        false => Exit::Success.into(),
    })
}

fn write(file: &Path, text: &str, force: bool) -> Result<(), CliError> {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(force)
        .create_new(!force);
    let written = options
        .open(file)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| CliError::Write {
        path: file.to_owned(),
        source,
    })
}

fn needs_a_person(account: &Account) -> bool {
    let notices = account.notices.iter().map(|notice| &notice.remark);
    account.entries.iter().any(is_open) || notices.into_iter().any(|remark| remark.needs_human)
}

fn is_open(entry: &Entry) -> bool {
    let is_lost = matches!(
        entry.verdict,
        Verdict::NotPossible { .. } | Verdict::Unknown { .. }
    );
    is_lost || entry.remarks.iter().any(|remark| remark.needs_human)
}

/// The lines of a report that somebody has to read.
fn what_needs_a_person(account: &Account) -> String {
    let entries = account.entries.iter().filter(|entry| is_open(entry));
    let mut text: String = entries.map(line).collect();
    for notice in &account.notices {
        if notice.remark.needs_human {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}: {}", notice.origin, notice.remark.text);
        }
    }
    text
}

/// A line for each option, with what else there is to say indented below it, and the numbers.
fn as_text(account: &Account) -> String {
    let mut text: String = account.entries.iter().map(line).collect();
    for notice in &account.notices {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}: {}", notice.origin, notice.remark.text);
    }
    let numbers = tally(account).map(|(word, number)| format!("{number} {word}"));
    let _ = writeln!(text, "{}", numbers.join(", "));
    text
}

fn line(entry: &Entry) -> String {
    let Entry {
        origin,
        name,
        value,
        verdict,
        remarks,
    } = entry;
    let mut text = format!("{origin}: {name} = {value}: {}\n", words(verdict));
    for Remark { text: remark, .. } in remarks {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    {remark}");
    }
    text
}

fn words(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Kept { key, value } if value.is_empty() => format!("kept as {key}"),
        Verdict::Kept { key, value } => format!("kept as {key} = {value}"),
        Verdict::Moved { directive, key } if key.is_empty() => {
            format!("moved to systemd: {directive}")
        }
        Verdict::Moved { directive, key } => format!("moved to systemd: {directive} by {key}"),
        Verdict::NotNeeded { why } => format!("not needed: {why}"),
        Verdict::NotPossible { why, instead } => format!("NOT POSSIBLE: {why}; instead: {instead}"),
        Verdict::Unknown { meant: Some(meant) } => format!("UNKNOWN: {meant} was meant?"),
        Verdict::Unknown { meant: None } => "UNKNOWN".to_owned(),
    }
}

/// How many options have met each fate.
fn tally(account: &Account) -> [(&'static str, usize); 5] {
    let words = [
        "kept",
        "moved to systemd",
        "not needed",
        "not possible",
        "unknown",
    ];
    let mut numbers = [0; 5];
    for entry in &account.entries {
        numbers[match entry.verdict {
            Verdict::Kept { .. } => 0,
            Verdict::Moved { .. } => 1,
            Verdict::NotNeeded { .. } => 2,
            Verdict::NotPossible { .. } => 3,
            Verdict::Unknown { .. } => 4,
        }] += 1;
    }
    let mut numbers = numbers.into_iter();
    words.map(|word| (word, numbers.next().unwrap_or_default()))
}

fn as_json(account: &Account) -> Value {
    let entries: Vec<Value> = account.entries.iter().map(entry_as_json).collect();
    let notices: Vec<Value> = account
        .notices
        .iter()
        .map(|notice| {
            json!({
                "source": &*notice.origin.source,
                "line": notice.origin.line,
                "text": notice.remark.text,
                "needs-human": notice.remark.needs_human,
            })
        })
        .collect();
    let numbers = tally(account).map(|(word, number)| (word.replace(' ', "-"), number.into()));
    json!({
        "entries": entries,
        "notices": notices,
        "numbers": Value::Object(numbers.into_iter().collect()),
        "needs-human": needs_a_person(account),
    })
}

fn entry_as_json(entry: &Entry) -> Value {
    let mut told = match &entry.verdict {
        Verdict::Kept { key, value } => json!({"verdict": "kept", "key": key, "as": value}),
        Verdict::Moved { directive, key } => {
            json!({"verdict": "moved", "directive": directive, "key": key})
        }
        Verdict::NotNeeded { why } => json!({"verdict": "not-needed", "why": why}),
        Verdict::NotPossible { why, instead } => {
            json!({"verdict": "not-possible", "why": why, "instead": instead})
        }
        Verdict::Unknown { meant } => json!({"verdict": "unknown", "meant": meant}),
    };
    let remarks: Vec<&str> = entry
        .remarks
        .iter()
        .map(|remark| remark.text.as_str())
        .collect();
    told["source"] = (&*entry.origin.source).into();
    told["line"] = entry.origin.line.into();
    told["name"] = entry.name.as_str().into();
    told["value"] = entry.value.as_str().into();
    told["remarks"] = remarks.into();
    told["needs-human"] = is_open(entry).into();
    told
}
