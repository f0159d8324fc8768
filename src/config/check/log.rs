//! The rules of `[log]`, `[stats]`, `[metrics]` and `[response]`: what is told, and where.

use super::{path_text, problem, url_prefix, within};
use crate::config::{
    error::{Part, Problem},
    schema::{Log, Response, Settings},
    value::Address,
};

/// APP-NAME of RFC 5424 section 6.2.5.
const LONGEST_IDENTIFIER: usize = 48;

pub(super) fn check(log: &Log) -> Result<(), Problem> {
    for (number, prefix) in log.access_skip.iter().enumerate() {
        let key = ["log", "access-skip", &number.to_string()];
        url_prefix(&key, Part::Value, prefix)?;
    }
    within(&["log", "backups"], log.backups, 0..=1000)?;
    let name = &log.syslog_identifier;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_graphic());
    if name.is_empty() || name.len() > LONGEST_IDENTIFIER || !is_plain {
        let message = format!(
            "`{name}` is no name for syslog; write up to {LONGEST_IDENTIFIER} letters, digits and signs"
        );
        return Err(problem(&["log", "syslog-identifier"], Part::Value, message));
    }
    match &log.timestamp {
        Some(format) if format.is_empty() || format.contains(char::is_control) => {
            let message = format!(
                "`{format}` is not a form of times; write for example \"%Y-%m-%d %H:%M:%S\""
            );
            Err(problem(&["log", "timestamp"], Part::Value, message))
        }
        _ => Ok(()),
    }
}

pub(super) fn response(response: &Response) -> Result<(), Problem> {
    for (status, path) in &response.error_pages {
        path_text(&["response", "error-pages", &status.to_string()], path)?;
    }
    for (prefix, directory) in &response.internal {
        let key = ["response", "internal", prefix];
        url_prefix(&key, Part::Key, prefix)?;
        path_text(&key, directory)?;
    }
    Ok(())
}

/// `[stats]` and `[metrics]`: an address of their own, and nothing else without one.
pub(super) fn reports(settings: &Settings) -> Result<(), Problem> {
    let sections = [
        (
            "stats",
            "http",
            settings.stats.http,
            &settings.stats.address,
        ),
        (
            "metrics",
            "page",
            settings.metrics.page,
            &settings.metrics.address,
        ),
    ];
    let mut taken: Vec<&Address> = settings
        .listen
        .iter()
        .map(|listen| &listen.address)
        .collect();
    for (section, key, given, address) in sections {
        let Some(address) = address else {
            if given {
                let message = format!("`{key}` is about `address`, which is not set");
                return Err(problem(&[section, key], Part::Key, message));
            }
            continue;
        };
        let is_free = matches!(address, Address::Tcp { port: 0, .. });
        if taken.contains(&address) && !is_free {
            let message = format!("{address} is listened on already; write another address");
            return Err(problem(&[section, "address"], Part::Value, message));
        }
        taken.push(address);
    }
    Ok(())
}
