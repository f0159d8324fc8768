//! `[[daemon]]`: a process beside the site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One `[[daemon]]`: a queue's worker, a websocket server; what `attach-daemon` and mules were in uWSGI.
///
/// The generator turns it into `hostler-daemon-NAME@SITE.service`, which starts and stops with the site and has its
/// user, environment and sandbox; the server does nothing with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Daemon {
    /// What it is called in the name of its unit.
    pub name: String,
    /// The program and its arguments; no shell reads them. A program without a slash is looked for in the virtual
    /// environment, then where the system has its programs. It stays in the foreground.
    pub command: Vec<String>,
    /// Start it again when it ends.
    #[serde(default = "yes")]
    pub restart: bool,
}

fn yes() -> bool {
    true
}
