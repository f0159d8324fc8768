//! What the TOML parser and serde say, in words for a person.
//!
//! Both give a position and a sentence about types of Rust. The position is good; the sentence is put into the words
//! of the file: which key, what it takes, what stands there. A sentence not known here is passed on as it is.

use std::ops::Range;

use toml::de::{DeValue, Error};

use super::{
    document::{Document, Entry},
    error::ConfigError,
    keys::{header, nearest, quoted},
};

/// A text that is not TOML.
pub(super) fn syntax(text: &str, error: &Error) -> String {
    let word = error
        .span()
        .and_then(|span| text.get(span))
        .unwrap_or_default();
    let message = error.message();
    let message = message
        .strip_suffix(", expected nothing")
        .unwrap_or(message);
    if message == "duplicate key" {
        return format!("`{word}` is given twice; keep one");
    }
    // A bare word could have become many things; the parser names the one it happened to try last.
    if message.starts_with("invalid boolean") || message.starts_with("string values must be quoted")
    {
        return match word {
            "" => "the value is missing behind `=`".to_owned(),
            word => format!("`{word}` stands without quotes; write \"{word}\""),
        };
    }
    format!("this is not TOML: {message}")
}

/// A value that the schema does not take.
pub(super) fn value(document: &Document<'_>, error: &Error) -> ConfigError {
    let span = error.span();
    let entries = document.entries();
    let entry = span.as_ref().and_then(|span| innermost_at(&entries, span));
    document.error_at(span, &value_message(error.message(), entry))
}

/// The entry whose value stands at a place.
fn innermost_at<'e, 'd>(entries: &'e [Entry<'d>], place: &Range<usize>) -> Option<&'e Entry<'d>> {
    entries
        .iter()
        .filter(|entry| entry.place == *place)
        .max_by_key(|entry| entry.path.len())
}

fn value_message(message: &str, entry: Option<&Entry<'_>>) -> String {
    let Some(entry) = entry else {
        return message.to_owned();
    };
    let key = entry.schema.last().copied().unwrap_or_default();
    if let Some(missing) = message.strip_prefix("missing field ") {
        return format!("{} needs the key {missing}", header(&entry.schema));
    }
    if let Some((found, rest)) = unknown_variant(message) {
        let known: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        let advice = match nearest(found, known.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("known are {}", quoted(known)),
        };
        return format!("`{key}` cannot be \"{found}\"; {advice}");
    }
    if let Some((_, expected)) = mismatch(message) {
        return format!(
            "`{key}`: expected {}, found {}",
            in_words(expected),
            found(entry.value)
        );
    }
    // The parser's own words for an enum that is given as something else than a string.
    if message.starts_with("wanted ") || message.starts_with("expected table") {
        return format!("`{key}`: expected a string, found {}", found(entry.value));
    }
    format!("`{key}`: {message}")
}

/// `unknown variant <found>, expected <the known ones>`.
fn unknown_variant(message: &str) -> Option<(&str, &str)> {
    message
        .strip_prefix("unknown variant `")?
        .split_once("`, expected ")
}

/// `invalid type: <found>, expected <expected>`, and the same with `value`.
fn mismatch(message: &str) -> Option<(&str, &str)> {
    let rest = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))?;
    rest.rsplit_once(", expected ")
}

/// Serde's names of types in the words of TOML's users.
fn in_words(expected: &str) -> &str {
    match expected {
        "a map" => "a table like { NAME = \"value\" }",
        "a sequence" => "a list in square brackets",
        "path string" => "a path in quotes",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" => "a whole number, 0 or more",
        other => other,
    }
}

/// What stands in the file: a number itself, of everything else the sort.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Boolean(_) => "a boolean".to_owned(),
        DeValue::Datetime(_) => "a date".to_owned(),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::String(_) => "a string".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
