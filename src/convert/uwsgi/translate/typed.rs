//! Options that are one value at one key.

use toml::Value;

use super::{
    super::options::Kind,
    Applied, Outcome,
    engine::Translation,
    value::{self, Read, Unread},
};
use crate::config::{ByteSize, TimeSpan};

/// Reads the value and writes it at its key.
pub(super) fn apply(
    translation: &mut Translation<'_>,
    kind: Kind,
    path: &str,
    option: &Applied,
) -> Outcome {
    let template = value::is_template(&option.value);
    if template && kind != Kind::Texts {
        return translation.carry(option, path);
    }
    let (read, doubt) = match written(kind, &option.value) {
        Ok(read) => (read, None),
        Err(Unread::Doubtful(number)) => (doubtful(kind, number), Some(number)),
        Err(unread) => return translation.no_number(option, path, &unread),
    };
    let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
    let outcome = match kind.gathers() {
        true => translation.gather(section, key, read.value),
        false => translation.keep(section, key, read.value),
    };
    let outcome = outcome.notes(read.notes);
    let outcome = match doubt {
        Some(number) => outcome.ask(format!("uWSGI read `{}` as {number}", option.value)),
        None => outcome,
    };
    match template {
        true => {
            outcome.ask("the value has marks of a template, which are carried over as they are")
        }
        false => outcome,
    }
}

/// The value that uWSGI made of a text that was meant otherwise.
fn doubtful(kind: Kind, number: u64) -> Read<Value> {
    let value = match kind {
        Kind::Bytes | Kind::Kibibytes | Kind::Mebibytes => Value::from(bytes(number)),
        Kind::Seconds => Value::from(seconds(number)),
        _ => Value::from(i64::try_from(number).unwrap_or(i64::MAX)),
    };
    Read {
        value,
        notes: Vec::new(),
    }
}

/// A value in the form in which the schema takes it.
pub(super) fn written(kind: Kind, text: &str) -> Result<Read<Value>, Unread> {
    match kind {
        Kind::Flag => Ok(map(value::flag(text), Value::from)),
        Kind::Texts => Ok(map(value::text(text), Value::from)),
        Kind::Positive => match text.trim().is_empty() {
            true => Ok(map(value::flag(text), Value::from)),
            false => Ok(map(value::number(text, kind)?, |number| {
                Value::from(number > 0)
            })),
        },
        Kind::Count => {
            let read = value::number(text, kind)?;
            let number = i64::try_from(read.value).unwrap_or(i64::MAX);
            Ok(map(read, |_| Value::from(number)))
        }
        Kind::Seconds => Ok(map(value::number(text, kind)?, |number| {
            Value::from(seconds(number))
        })),
        Kind::Bytes | Kind::Kibibytes | Kind::Mebibytes => {
            Ok(map(value::number(text, kind)?, |number| {
                Value::from(bytes(number))
            }))
        }
    }
}

/// As systemd writes it: `30s`, `2min`.
pub(super) fn seconds(number: u64) -> String {
    TimeSpan(std::time::Duration::from_secs(number)).to_string()
}

/// As systemd writes it: `64K`, `1G`.
pub(super) fn bytes(number: u64) -> String {
    ByteSize(number).to_string()
}

fn map<T>(read: Read<T>, into: impl FnOnce(T) -> Value) -> Read<Value> {
    Read {
        value: into(read.value),
        notes: read.notes,
    }
}
