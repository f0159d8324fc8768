//! The rules that hold for every command and every name that become a part of a unit: `[[timer]]`, `[[daemon]]`,
//! `[service]`.

use super::{no_nul, problem};
use crate::config::error::{Part, Problem};

/// A name that becomes a part of the name of a unit; `earlier` are those of its kind that stand before it.
pub(super) fn unit_name<'n>(
    key: &[&str],
    kind: &str,
    name: &str,
    mut earlier: impl Iterator<Item = &'n str>,
) -> Result<(), Problem> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=64).contains(&name.len()) || !name.chars().all(is_part) {
        let message = format!(
            "`{name}` cannot be a part of the name of a unit; use up to 64 letters, digits, `-`, `_` and `.`"
        );
        return Err(problem(key, Part::Value, message));
    }
    match earlier.any(|other| other == name) {
        true => {
            let message = format!("there are two {kind}s called `{name}`; rename one");
            Err(problem(key, Part::Value, message))
        }
        false => Ok(()),
    }
}

/// A program and its arguments.
pub(super) fn command(key: &[&str], command: &[String]) -> Result<(), Problem> {
    match command.first() {
        Some(program) if is_program(program) => {}
        Some(program) => {
            let message = format!(
                "`{program}` is not a program; write an absolute path, or the name of a program"
            );
            return Err(problem(key, Part::Value, message));
        }
        None => {
            let message = "the command is empty; write for example [\"python\", \"manage.py\"]";
            return Err(problem(key, Part::Value, message));
        }
    }
    for (number, argument) in command.iter().enumerate() {
        no_nul(&[key, &[&number.to_string()]].concat(), argument)?;
    }
    Ok(())
}

/// An absolute path, or a name that is looked for. A sign in front would be taken for a prefix of systemd's own
/// (systemd.service(5)).
pub(super) fn is_program(program: &str) -> bool {
    let is_part = |c: char| {
        c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | '=' | '~' | ' ')
    };
    let starts = |c: char| c == '/' || c == '_' || c.is_alphanumeric();
    program.starts_with(starts)
        && program.chars().all(is_part)
        && (program.starts_with('/') || !program.contains('/'))
}
