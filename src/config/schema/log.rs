//! `[log]`: where the log goes, and how much of it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{
    AccessFilter, AccessFormat, ByteSize, FileMode, LogTarget, SyslogFacility, TimeSpan,
};

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// Where the log goes: any of `journal`, `stderr`, `file:/path`, `unix:/path`, `udp:host:port`, `syslog`,
    /// `syslog:host:port` and `syslog:/path`. Empty: the journal when standard error is connected to it
    /// (`$JOURNAL_STREAM`, systemd.exec(5)), else standard error.
    pub to: Vec<LogTarget>,
    /// What syslog sorts entries by: `daemon`, `user`, `local0` to `local7` and others.
    pub syslog_facility: SyslogFacility,
    /// Who speaks, for syslog.
    pub syslog_identifier: String,
    /// Least important level that is logged: `error`, `warning`, `info` or `debug`.
    pub level: LogLevel,
    /// One entry for each request. `hostler run` has this on.
    pub access: bool,
    /// Where the entries of requests go. Empty: where the log goes.
    pub access_to: Vec<LogTarget>,
    /// The form of these entries: `uwsgi`, `combined`, `json`, or a text with variables of uWSGI like `%(uri)` and of
    /// gunicorn like `%(U)s`. Without it the
    /// journal gets fields, and every other place a line of hostler's own.
    pub access_format: Option<AccessFormat>,
    /// Only requests that are one of these: `4xx`, `404`, `slower-than 500ms`, `larger-than 1M`. Empty: all.
    pub access_only: Vec<AccessFilter>,
    /// No requests whose path begins with one of these.
    pub access_skip: Vec<String>,
    /// Size from which on a log file is put aside and a new one begun; 0: never.
    pub max_size: ByteSize,
    /// How many log files that were put aside are kept.
    pub backups: u32,
    /// Mode of log files.
    pub mode: FileMode,
    /// In the entries of requests, the client's address is what a trusted proxy says in `X-Forwarded-For`.
    pub x_forwarded_for: bool,
    /// The entries of requests have the memory of their worker.
    pub memory_report: bool,
    /// Two warnings for each request that takes longer: when it does, with the stack of its thread, and when it ends; 0:
    /// none.
    pub slow: TimeSpan,
    /// What is put in front of each line of a log file, in the notation of strftime(3).
    pub timestamp: Option<String>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            to: Vec::new(),
            syslog_facility: SyslogFacility::Daemon,
            syslog_identifier: "hostler".to_owned(),
            level: LogLevel::Info,
            access: false,
            access_to: Vec::new(),
            access_format: None,
            access_only: Vec::new(),
            access_skip: Vec::new(),
            max_size: ByteSize(0),
            backups: 5,
            mode: FileMode(0o640),
            x_forwarded_for: false,
            memory_report: false,
            slow: TimeSpan(Duration::ZERO),
            timestamp: None,
        }
    }
}

impl Log {
    /// Where the entries of requests go.
    pub fn places_of_access(&self) -> &[LogTarget] {
        match self.access_to.is_empty() {
            true => &self.to,
            false => &self.access_to,
        }
    }
}

/// Importance of an event, most important first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
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
