//! `[limits]`: what a request and a worker may use.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{ByteSize, TimeSpan};

/// `[limits]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// How long a request may take. Past it the stacks of its worker's Python threads are logged, a successor is
    /// started, and the worker is ended; 0: no limit. A request may set its own by `environ["hostler.set_deadline"]`.
    pub harakiri: TimeSpan,
    /// How long the other requests of such a worker may take to finish before it is killed.
    pub harakiri_graceful: TimeSpan,
    /// Address space of each worker (RLIMIT_AS, setrlimit(2)); an allocation beyond it is a MemoryError. 0: no limit.
    pub limit_as: ByteSize,
    /// Open descriptors of each worker (RLIMIT_NOFILE); 0: what the service was started with.
    pub max_fd: u64,
    /// Whether workers may dump core, and be traced and looked into by processes of the same user.
    pub dumpable: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            harakiri: TimeSpan(Duration::ZERO),
            harakiri_graceful: TimeSpan(Duration::from_secs(2)),
            limit_as: ByteSize(0),
            max_fd: 0,
            dumpable: true,
        }
    }
}
