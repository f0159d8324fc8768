//! The sections of a site's file as types; each section's `Default` is the one home of its defaults.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::value::{Address, ByteSize, FileMode, TimeSpan};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The application and the interpreter that runs it.
    pub app: App,
    /// The listening sockets; any number, any mix of protocols.
    pub listen: Vec<Listen>,
    /// What holds for listeners that speak HTTP.
    pub http: Http,
    /// What holds for listeners that speak the uwsgi protocol.
    pub uwsgi: Uwsgi,
    /// How many processes and threads run the application.
    pub workers: Workers,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How request bodies are taken in.
    pub request: Request,
    /// How responses are given out.
    pub response: Response,
    /// Where the log goes.
    pub log: Log,
}

/// `[app]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct App {
    /// `package.module[:callable]`.
    pub module: Option<String>,
    /// A Python file that defines the callable.
    pub file: Option<PathBuf>,
    /// Name of the WSGI callable; `application` unless `module` names one.
    pub callable: Option<String>,
    /// Working directory, also first on `sys.path`.
    pub chdir: Option<PathBuf>,
    /// A virtual environment of CPython 3.9 or newer; default: `python3` on PATH.
    pub virtualenv: Option<PathBuf>,
    /// Put on `sys.path` in the order given, before everything else but `chdir`.
    pub python_path: Vec<PathBuf>,
    /// `sys.argv[1:]`.
    pub argv: Vec<String>,
    /// Environment variables of zygote and workers.
    pub env: BTreeMap<String, String>,
    /// `false`: import once, then fork; `true`: import in each worker.
    pub lazy_apps: bool,
    /// Fork even when the application started threads at import (they do not exist in the workers).
    pub fork_with_threads: bool,
}

/// One `[[listen]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listen {
    /// What is spoken on it.
    #[serde(default)]
    pub protocol: Protocol,
    /// Where it is bound.
    pub address: Address,
    /// Mode of a Unix socket's file.
    pub mode: Option<FileMode>,
    /// Owner of a Unix socket's file, a name or a number.
    pub owner: Option<String>,
    /// Group of a Unix socket's file, a name or a number.
    pub group: Option<String>,
    /// Length of the queue of connections not yet accepted (listen(2)); the kernel caps it at net.core.somaxconn.
    pub backlog: Option<u32>,
}

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1 in plain text (RFC 9112).
    #[default]
    Http,
    /// uWSGI's binary protocol, nginx's `uwsgi_pass`.
    Uwsgi,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Http {
    /// How long an idle connection stays open; 0 closes after each response.
    pub keep_alive: TimeSpan,
    /// From the first byte of a request head to its last; then 408.
    pub header_timeout: TimeSpan,
    /// Longest silence of a client that sends a body which no thread waits for; then 408.
    pub body_timeout: TimeSpan,
    /// Longest time without progress towards a client that a finished response is being sent to.
    pub send_timeout: TimeSpan,
    /// Largest request head; then 431 (or 414 when the request line alone exceeds it).
    pub buffer_size: ByteSize,
    /// Largest request body; then 413. 0: no limit.
    pub max_body: ByteSize,
    /// Peers whose forwarded headers count: networks in CIDR notation, and `unix`.
    pub trusted_proxies: Vec<String>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            keep_alive: TimeSpan(Duration::from_secs(75)),
            header_timeout: TimeSpan(Duration::from_secs(10)),
            body_timeout: TimeSpan(Duration::from_secs(60)),
            send_timeout: TimeSpan(Duration::from_secs(60)),
            buffer_size: ByteSize(64 << 10),
            max_body: ByteSize(0),
            trusted_proxies: vec!["127.0.0.0/8".into(), "::1/128".into(), "unix".into()],
        }
    }
}

/// `[uwsgi]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Uwsgi {
    /// Largest packet of variables, at most 64K.
    pub buffer_size: ByteSize,
}

impl Default for Uwsgi {
    fn default() -> Self {
        Self { buffer_size: ByteSize(32 << 10) }
    }
}

/// `[workers]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workers {
    /// Worker processes.
    pub processes: u32,
    /// Python threads of each worker.
    pub threads: u32,
    /// Stack of each further thread; 0: the system's default.
    pub thread_stack: ByteSize,
}

impl Default for Workers {
    fn default() -> Self {
        Self { processes: 1, threads: 1, thread_stack: ByteSize(0) }
    }
}

/// `[timeouts]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timeouts {
    /// One blocking read or write on a client socket that a Python thread waits for.
    pub socket: TimeSpan,
    /// Import of the application.
    pub start: TimeSpan,
    /// How long running requests may take when the service stops.
    pub reload_mercy: TimeSpan,
    /// How long running requests may take when a worker is replaced.
    pub worker_reload_mercy: TimeSpan,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            socket: TimeSpan(Duration::from_secs(4)),
            start: TimeSpan(Duration::from_secs(90)),
            reload_mercy: TimeSpan(Duration::from_secs(60)),
            worker_reload_mercy: TimeSpan(Duration::from_secs(60)),
        }
    }
}

/// `[request]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Request {
    /// Bodies up to here are read before a thread is taken; larger ones stream.
    pub post_buffering: ByteSize,
    /// Bodies read beforehand that are larger than this wait in a temporary file; 0: never.
    pub spool_above: ByteSize,
}

impl Default for Request {
    fn default() -> Self {
        Self { post_buffering: ByteSize(64 << 10), spool_above: ByteSize(1 << 20) }
    }
}

/// `[response]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Response {
    /// How much of a response is kept for a slow client before the application has to wait for it.
    pub buffering: ByteSize,
}

impl Default for Response {
    fn default() -> Self {
        Self { buffering: ByteSize(1 << 20) }
    }
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Log {
    /// Where it goes; empty: the journal when stderr is connected to it (`$JOURNAL_STREAM`), else stderr.
    pub to: Vec<LogTarget>,
    /// Least important level that is logged.
    pub level: LogLevel,
}

impl Default for Log {
    fn default() -> Self {
        Self { to: Vec::new(), level: LogLevel::Info }
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

/// Importance of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
