//! The rules of `[service]`: what systemd would refuse, found while there is a line to point at.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{command::command, directives, no_nul, path_text, problem, within};
use crate::config::{
    error::{Part, Problem},
    schema::Service,
};

/// Types of units that a service can depend on.
const UNIT_TYPES: [&str; 8] = [
    "automount",
    "device",
    "mount",
    "path",
    "service",
    "socket",
    "target",
    "timer",
];

pub(super) fn check(service: &Service) -> Result<(), Problem> {
    for (key, account) in [("user", &service.user), ("group", &service.group)] {
        if let Some(account) = account {
            is_account(&["service", key], account)?;
        }
    }
    for (number, group) in service.supplementary_groups.iter().enumerate() {
        let number = number.to_string();
        is_account(&["service", "supplementary-groups", &number], group)?;
    }
    for (key, units) in [
        ("after", &service.after),
        ("wants", &service.wants),
        ("requires", &service.requires),
    ] {
        for (number, unit) in units.iter().enumerate() {
            is_unit(&["service", key, &number.to_string()], unit)?;
        }
    }
    if service.limit_nofile != 0 {
        let range = 64..=2_147_483_584;
        within(&["service", "limit-nofile"], service.limit_nofile, range)?;
    }
    within(&["service", "nice"], service.nice, -20..=19)?;
    paths("read-write-paths", &service.read_write_paths)?;
    paths("read-only-paths", &service.read_only_paths)?;
    for (name, value) in &service.environment {
        let key = ["service", "environment", name];
        is_variable(&key, name)?;
        printable(&key, value)?;
    }
    credentials(&service.credentials)?;
    for (variable, credential) in &service.env_credentials {
        let key = ["service", "env-credentials", variable];
        is_variable(&key, variable)?;
        is_credential(&key, Part::Value, credential)?;
    }
    for (key, commands) in [
        ("exec-start-pre", &service.exec_start_pre),
        ("exec-start-post", &service.exec_start_post),
        ("exec-stop-post", &service.exec_stop_post),
    ] {
        for (number, one) in commands.iter().enumerate() {
            let number = number.to_string();
            let key = ["service", key, number.as_str()];
            command(&key, one)?;
            // env(1), which runs it, would take it for a variable.
            if one.first().is_some_and(|program| program.contains('=')) {
                let message =
                    "the name of the program contains a `=`; rename it, or make a link to it";
                return Err(problem(&key, Part::Value, message));
            }
        }
    }
    directives::check(service)
}

/// A user or a group as systemd takes it: a number, or a name of the user database.
fn is_account(key: &[&str], account: &str) -> Result<(), Problem> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '+' | '$');
    if !account.is_empty() && account.chars().all(is_part) && !account.starts_with('-') {
        return Ok(());
    }
    let message = format!("`{account}` is neither a name nor a number; write for example \"shop\"");
    Err(problem(key, Part::Value, message))
}

/// A unit by its full name (systemd.unit(5)).
fn is_unit(key: &[&str], unit: &str) -> Result<(), Problem> {
    let is_part =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ':' | '-' | '_' | '.' | '\\' | '@');
    let kind = unit.rsplit_once('.');
    if unit.len() <= 255
        && unit.chars().all(is_part)
        && kind.is_some_and(|(name, kind)| !name.is_empty() && UNIT_TYPES.contains(&kind))
    {
        return Ok(());
    }
    let message =
        format!("`{unit}` is not the name of a unit; write for example \"postgresql.service\"");
    Err(problem(key, Part::Value, message))
}

fn paths(key: &str, paths: &[PathBuf]) -> Result<(), Problem> {
    let mut paths = paths.iter().enumerate();
    paths.try_for_each(|(number, path)| path_text(&["service", key, &number.to_string()], path))
}

/// What systemd takes for the name of a variable.
pub(super) fn is_variable(key: &[&str], name: &str) -> Result<(), Problem> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.chars().all(is_part)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
    {
        return Ok(());
    }
    let message =
        format!("`{name}` is not the name of an environment variable; use letters, digits and `_`");
    Err(problem(key, Part::Key, message))
}

/// What systemd takes for the value of a variable.
fn printable(key: &[&str], value: &str) -> Result<(), Problem> {
    no_nul(key, value)?;
    let is_bad = |c: char| c.is_ascii_control() && c != '\t' && c != '\n';
    match value.contains(is_bad) {
        true => Err(problem(
            key,
            Part::Value,
            "the value contains a control character, which systemd refuses; put it into app.env",
        )),
        false => Ok(()),
    }
}

fn credentials(credentials: &BTreeMap<String, PathBuf>) -> Result<(), Problem> {
    for (name, path) in credentials {
        let key = ["service", "credentials", name];
        is_credential(&key, Part::Key, name)?;
        path_text(&key, path)?;
        is_line(&key, path)?;
    }
    Ok(())
}

/// The name of a file in `$CREDENTIALS_DIRECTORY` that systemd makes.
fn is_credential(key: &[&str], part: Part, name: &str) -> Result<(), Problem> {
    let is_part = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
    if (1..=255).contains(&name.len()) && name.chars().all(is_part) && name != "." && name != ".." {
        return Ok(());
    }
    let message =
        format!("`{name}` is not the name of a credential; write for example \"db-password\"");
    Err(problem(key, part, message))
}

/// systemd reads the path of a credential up to the end of the line, as it stands there.
fn is_line(key: &[&str], path: &Path) -> Result<(), Problem> {
    let text = path.to_string_lossy();
    match text.contains(|c: char| c.is_control()) || text.ends_with('\\') {
        true => Err(problem(
            key,
            Part::Value,
            "systemd cannot be told of a path like this; rename the file",
        )),
        false => Ok(()),
    }
}
