//! The rules of `[[timer]]`.

use super::{
    command::{command, unit_name},
    problem,
};
use crate::config::{
    error::{Part, Problem},
    schema::Timer,
};

pub(super) fn check(timers: &[Timer]) -> Result<(), Problem> {
    for (number, timer) in timers.iter().enumerate() {
        let section = number.to_string();
        let key = |name| ["timer", section.as_str(), name];
        let earlier = timers[..number].iter().map(|other| other.name.as_str());
        unit_name(&key("name"), "timer", &timer.name, earlier)?;
        command(&key("command"), &timer.command)?;
        times(&section, timer)?;
        if timer.persistent && timer.on_calendar.is_empty() {
            let message = "`persistent` is about `on-calendar`, which is not set";
            return Err(problem(&key("persistent"), Part::Key, message));
        }
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
