//! The rules of `[[daemon]]`.

use super::command::{command, unit_name};
use crate::config::{error::Problem, schema::Daemon};

pub(super) fn check(daemons: &[Daemon]) -> Result<(), Problem> {
    for (number, daemon) in daemons.iter().enumerate() {
        let section = number.to_string();
        let key = |name| ["daemon", section.as_str(), name];
        let earlier = daemons[..number].iter().map(|other| other.name.as_str());
        unit_name(&key("name"), "daemon", &daemon.name, earlier)?;
        command(&key("command"), &daemon.command)?;
    }
    Ok(())
}
