//! `[[timer]]`: a command that runs at given times, in the environment of the site.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::TimeSpan;

/// One `[[timer]]`.
///
/// The generator turns it into `hostler-timer-NAME@SITE.timer` and `.service`; the server does nothing with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Timer {
    /// What it is called in the names of its units.
    pub name: String,
    /// The program and its arguments; no shell reads them. A program without a slash is looked for in the virtual
    /// environment, then where the system has its programs.
    pub command: Vec<String>,
    /// When it runs, in the notation of systemd.time(7) for calendar events: `daily`, `*-*-* 03:15:00`, `Mon *:0/10`.
    #[serde(default)]
    pub on_calendar: Vec<String>,
    /// From one run to the next; the first one is so long after the start of the site.
    #[serde(default)]
    pub every: TimeSpan,
    /// Each run is up to so much later, at random, so that not all machines do the same at the same moment.
    #[serde(default)]
    pub randomized_delay: TimeSpan,
    /// Run at once when the machine was off at the last time of `on-calendar`.
    #[serde(default)]
    pub persistent: bool,
    /// How long a run may take before it is ended; 0: as long as it wants.
    #[serde(default)]
    pub timeout: TimeSpan,
}
