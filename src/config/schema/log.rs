//! `[log]`: where the log goes, and how much of it.

use serde::{Deserialize, Serialize};

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// Where the log goes: `journal`, `stderr`, or both. Empty: the journal when standard error is connected to it
    /// (`$JOURNAL_STREAM`, systemd.exec(5)), else standard error.
    pub to: Vec<LogTarget>,
    /// Least important level that is logged: `error`, `warning`, `info` or `debug`.
    pub level: LogLevel,
    /// One entry for each request. `hostler run` has this on.
    pub access: bool,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            to: Vec::new(),
            level: LogLevel::Info,
            access: false,
        }
    }
}

/// A place for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogTarget {
    /// journald's native protocol.
    Journal,
    /// One line per event on standard error.
    Stderr,
}

/// Importance of an event, most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Only what costs a request or the service.
    Error,
    /// And what needs attention.
    Warning,
    /// And the life of the service.
    Info,
    /// And every decision.
    Debug,
}
