//! `hostler compare`: tells what the answers of two servers have not in common.

use std::{fmt::Write, process::ExitCode};

use serde_json::{Value, json};

use crate::compare::{Comparison, Difference, Outcome, Request, Requests, Rules, Timed};

use super::{
    arguments::{CompareArguments, Report},
    error::CliError,
    exit::Exit,
    output,
};

/// Sends every request to both servers; what differs is told as soon as it is known, or at the end as JSON.
///
/// # Errors
/// The requests cannot be read, or standard output cannot be written to.
pub(super) fn compare(arguments: CompareArguments) -> Result<ExitCode, CliError> {
    let requests = Requests::load(&arguments.file)?;
    let show_body = arguments.show_body;
    let is_text = arguments.report == Report::Text;
    let comparison = comparison(arguments);
    let mut tally = Tally::default();
    let mut told = Vec::new();
    for request in &requests.requests {
        let outcome = comparison.compare(request);
        if is_text && !outcome.differences.is_empty() {
            let place = format!("{}:{}", requests.source_name, request.line);
            output::print(&as_text(request, &place, &outcome, show_body))?;
        }
        if !is_text {
            told.push(as_json(request, &outcome));
        }
        tally.count(&outcome);
    }
    output::print(&match is_text {
        true => tally.as_text(),
        false => {
            let report = json!({
                "old": comparison.old.to_string(),
                "new": comparison.new.to_string(),
                "equal": tally.equal,
                "different": tally.different,
                "requests": told,
            });
            serde_json::to_string_pretty(&report).map_err(CliError::Json)? + "\n"
        }
    })?;
    Ok(match tally.different {
        0 => Exit::Success.into(),
        _ => Exit::Failure.into(),
    })
}

fn comparison(arguments: CompareArguments) -> Comparison {
    Comparison {
        old: arguments.old,
        new: arguments.new,
        headers: arguments.headers,
        https: arguments.https,
        timeout: arguments.timeout.0,
        rules: Rules {
            headers: arguments.ignored_headers,
            cookies: arguments.ignored_cookies,
            body: arguments.ignored_body,
        },
    }
}

/// What all requests together gave.
#[derive(Debug, Default)]
struct Tally {
    equal: usize,
    different: usize,
    /// Names of header fields that differ, with the number of answers where they do.
    headers: Vec<(String, usize)>,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        match outcome.differences.is_empty() {
            true => self.equal += 1,
            false => self.different += 1,
        }
        for difference in &outcome.differences {
            if let Difference::Header { name, .. } = difference {
                let known = |known: &&mut (String, usize)| known.0.eq_ignore_ascii_case(name);
                match self.headers.iter_mut().find(known) {
                    Some((_, number)) => *number += 1,
                    None => self.headers.push((name.clone(), 1)),
                }
            }
        }
    }

    /// The last line, and advice where one header field hides what else there may be.
    fn as_text(&self) -> String {
        let mut text = format!("{} equal, {} different\n", self.equal, self.different);
        let all = self.equal + self.different;
        for (name, number) in &self.headers {
            if *number == all && all > 1 {
                // Writing to a string cannot fail.
                let _ = writeln!(
                    text,
                    "{name} differs in every answer; --ignore-header {name} leaves it aside"
                );
            }
        }
        text
    }
}

/// The request, and below it a line for each difference: old, a bar, new.
fn as_text(request: &Request, place: &str, outcome: &Outcome, show_body: bool) -> String {
    let mut text = format!("{} {} ({place})\n", request.method, request.target);
    for difference in &outcome.differences {
        let line = match difference {
            Difference::Answer { old, new } => format!("answer: {old} | {new}"),
            Difference::Body {
                old_bytes,
                new_bytes,
                line,
                ..
            } => format!("body: {old_bytes} bytes | {new_bytes} bytes, from line {line} on"),
            Difference::Header { name, old, new } => {
                format!("{name}: {} | {}", values(old), values(new))
            }
            Difference::Status { old, new } => format!("status: {old} | {new}"),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {line}");
        if let Difference::Body { old, new, .. } = difference
            && show_body
        {
            let _ = writeln!(text, "    old: {old}\n    new: {new}");
        }
    }
    text
}

fn values(values: &[String]) -> String {
    match values {
        [] => "not sent".to_owned(),
        values => values.join(" & "),
    }
}

fn as_json(request: &Request, outcome: &Outcome) -> Value {
    json!({
        "line": request.line,
        "method": request.method,
        "target": request.target,
        "equal": outcome.differences.is_empty(),
        "old": side(&outcome.old),
        "new": side(&outcome.new),
        "differences": outcome.differences,
    })
}

fn side(timed: &Timed) -> Value {
    let milliseconds = timed.took.as_millis();
    match &timed.answer {
        Ok(answer) => json!({
            "status": answer.status,
            "body-bytes": answer.body.len(),
            "milliseconds": milliseconds,
        }),
        Err(failure) => json!({
            "failure": output::chain(failure),
            "milliseconds": milliseconds,
        }),
    }
}
