//! `[workers.cheaper]`: how many workers there are when there is little to do.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{ByteSize, TimeSpan};

/// `[workers.cheaper]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cheaper {
    /// Fewest workers; 0: the number of workers does not adapt.
    pub minimum: u32,
    /// Workers at the start; 0: `minimum`.
    pub initial: u32,
    /// Workers added at a time.
    pub step: u32,
    /// What decides.
    pub algorithm: Algorithm,
    /// How many looks (one a second) without an idle worker it takes for more; for fewer likewise.
    pub overload: u32,
    /// `backlog`: connections in the listen queue that ask for more workers.
    pub backlog: u32,
    /// `busyness`: percentage of time at work above which workers are added.
    pub busyness_max: u32,
    /// `busyness`: percentage of time at work below which workers are taken away.
    pub busyness_min: u32,
    /// `busyness`: how many looks below `busyness-min` it takes.
    pub busyness_multiplier: u32,
    /// `busyness`: looks added to that each time workers were taken away too early.
    pub busyness_penalty: u32,
    /// Resident memory of all workers above which none is added; 0: no limit.
    pub rss_limit_soft: ByteSize,
    /// Resident memory of all workers above which workers are taken away; 0: no limit.
    pub rss_limit_hard: ByteSize,
    /// Without a request for so long: fall to `minimum`; 0: never.
    pub idle: TimeSpan,
    /// With socket activation, end the service instead; the next connection starts it again.
    pub exit_on_idle: bool,
}

impl Default for Cheaper {
    fn default() -> Self {
        Self {
            minimum: 0,
            initial: 0,
            step: 1,
            algorithm: Algorithm::Spare,
            overload: 3,
            backlog: 33,
            busyness_max: 50,
            busyness_min: 25,
            busyness_multiplier: 10,
            busyness_penalty: 2,
            rss_limit_soft: ByteSize(0),
            rss_limit_hard: ByteSize(0),
            idle: TimeSpan(Duration::ZERO),
            exit_on_idle: false,
        }
    }
}

/// What decides how many workers there are, by uWSGI's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// The queue of connections that nobody has accepted yet.
    Backlog,
    /// The share of their time that workers are at work.
    Busyness,
    /// Whether there is a worker with nothing to do.
    Spare,
}
