//! `[timeouts]`: how long things may take that are not the business of one protocol.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::TimeSpan;

/// `[timeouts]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timeouts {
    /// One blocking read or write on a client socket that a Python thread waits for.
    pub socket: TimeSpan,
    /// Import of the application; when it takes longer, the start or the reload has failed.
    pub start: TimeSpan,
    /// How long running requests may take when the service stops; 0: they are cut off at once.
    pub reload_mercy: TimeSpan,
    /// How long running requests may take when their worker is replaced; 0: they are cut off at once.
    pub worker_reload_mercy: TimeSpan,
    /// How long every thread of every worker may be busy without any of them answering a request; then the service
    /// manager is asked to start the site anew. Requests within their deadline do not count; 0: for ever.
    pub stuck: TimeSpan,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            socket: TimeSpan(Duration::from_secs(4)),
            start: TimeSpan(Duration::from_secs(90)),
            reload_mercy: TimeSpan(Duration::from_secs(60)),
            worker_reload_mercy: TimeSpan(Duration::from_secs(60)),
            stuck: TimeSpan(Duration::from_secs(300)),
        }
    }
}
