//! The rules of `[[timer]]`.

use super::{no_nul, problem};
use crate::config::{
    error::{Part, Problem},
    schema::Timer,
};

pub(super) fn check(timers: &[Timer]) -> Result<(), Problem> {
    for (number, timer) in timers.iter().enumerate() {
        let section = number.to_string();
        let key = |name| ["timer", section.as_str(), name];
        name(&key("name"), timer, &timers[..number])?;
        command(&section, &timer.command)?;
        times(&section, timer)?;
        if timer.persistent && timer.on_calendar.is_empty() {
            let message = "`persistent` is about `on-calendar`, which is not set";
            return Err(problem(&key("persistent"), Part::Key, message));
        }
    }
    Ok(())
}

/// It becomes a part of the name of a unit.
fn name(key: &[&str], timer: &Timer, earlier: &[Timer]) -> Result<(), Problem> {
    let name = &timer.name;
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=64).contains(&name.len()) || !name.chars().all(is_part) {
        let message = format!(
            "`{name}` cannot be a part of the name of a unit; use up to 64 letters, digits, `-`, `_` and `.`"
        );
        return Err(problem(key, Part::Value, message));
    }
    match earlier.iter().any(|other| other.name == *name) {
        true => {
            let message = format!("there are two timers called `{name}`; rename one");
            Err(problem(key, Part::Value, message))
        }
        false => Ok(()),
    }
}

fn command(section: &str, command: &[String]) -> Result<(), Problem> {
    let key = ["timer", section, "command"];
    let is_part = |c: char| {
        c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ',' | '=' | '~' | ' ')
    };
    // A sign in front would be taken for a prefix of systemd's own (systemd.service(5)).
    let starts = |c: char| c == '/' || c == '_' || c.is_alphanumeric();
    match command.first() {
        Some(program)
            if program.starts_with(starts)
                && program.chars().all(is_part)
                && (program.starts_with('/') || !program.contains('/')) => {}
        Some(program) => {
            let message = format!(
                "`{program}` is not a program; write an absolute path, or the name of a program"
            );
            return Err(problem(&key, Part::Value, message));
        }
        None => {
            let message = "the command is empty; write for example [\"python\", \"manage.py\"]";
            return Err(problem(&key, Part::Value, message));
        }
    }
    for (number, argument) in command.iter().enumerate() {
        let number = number.to_string();
        no_nul(&["timer", section, "command", &number], argument)?;
    }
    Ok(())
}

/// What `on-calendar` means is systemd's own grammar; that it says something is ours.
fn times(section: &str, timer: &Timer) -> Result<(), Problem> {
    if timer.on_calendar.is_empty() && timer.every.0.is_zero() {
        let message =
            "a timer without a time; write for example on-calendar = [\"daily\"] or every = \"1h\"";
        return Err(problem(&["timer", section], Part::Value, message));
    }
    for (number, event) in timer.on_calendar.iter().enumerate() {
        let is_part = |c: char| {
            c.is_ascii_alphanumeric()
                || matches!(c, ' ' | '*' | '-' | ':' | '.' | ',' | '/' | '~' | '_' | '+')
        };
        if event.trim().is_empty() || !event.chars().all(is_part) {
            let key = ["timer", section, "on-calendar", &number.to_string()];
            let message = format!(
                "`{event}` is not a calendar event; write for example \"*-*-* 03:15:00\" (systemd.time(7))"
            );
            return Err(problem(&key, Part::Value, message));
        }
    }
    Ok(())
}
