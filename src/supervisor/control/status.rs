//! What `hostler status` tells: facts for people and for programs, as the service itself sees them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::scoreboard::Histogram;

use super::history::History;

/// A service at one moment. What a service of an older version does not know is as if there were none of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    /// Version of the program that runs.
    pub(crate) version: String,
    /// What is where the program was started from: `same`, `other` when a reload would upgrade, or `gone`. Empty: it does not
    /// say.
    #[serde(default)]
    pub(crate) on_disk: String,
    /// Name of the site.
    pub(crate) site: String,
    /// The settings file, absolute; none for `hostler run`.
    pub(crate) file: Option<String>,
    /// The supervisor's process.
    pub(crate) pid: u32,
    /// The process that has loaded the application and makes workers, if there is one now.
    pub(crate) zygote: Option<i32>,
    /// How long it has been running, in microseconds.
    pub(crate) uptime_us: u64,
    /// The moment, by the clock of the workers (CLOCK_MONOTONIC), in microseconds: two of them are as far apart as two
    /// readings.
    pub(crate) now_us: u64,
    /// What goes on, in a few words.
    pub(crate) state: String,
    /// The current generation; 1 is that of the start.
    pub(crate) generation: u32,
    /// How many workers are to serve.
    pub(crate) processes: u32,
    /// Threads of each worker.
    pub(crate) threads: u32,
    /// Module or file.
    pub(crate) application: String,
    /// The interpreter's path.
    pub(crate) python: String,
    /// Where it listens.
    pub(crate) listeners: Vec<ListenerStatus>,
    /// What has happened since the start, by cause.
    pub(crate) counters: BTreeMap<String, u64>,
    /// What happened last.
    pub(crate) history: History,
    /// Bytes that the workers would need more if each had imported the application for itself.
    pub(crate) preload_saved: Option<u64>,
    /// In the order of their numbers.
    pub(crate) workers: Vec<WorkerStatus>,
}

/// A listening socket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ListenerStatus {
    /// What is spoken.
    pub(crate) protocol: String,
    /// Where, with the true port.
    pub(crate) address: String,
    /// Connections that nobody has accepted yet.
    pub(crate) waiting: u32,
    /// How many of them there may be (the backlog); 0 where the kernel does not tell.
    pub(crate) limit: u32,
}

/// A worker at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct WorkerStatus {
    /// Its number, for `hostler worker recycle`.
    pub(crate) worker: u32,
    /// Its generation; two generations have workers of the same number.
    pub(crate) generation: u32,
    /// Its process, 0 while there is none.
    pub(crate) pid: i32,
    /// `starting`, `serving`, `leaving`, `harakiri`, `killed` or `stopped`.
    pub(crate) state: String,
    /// Since it exists, in microseconds.
    pub(crate) age_us: u64,
    /// Requests answered.
    pub(crate) requests: u64,
    /// Requests answered with a status of 500 or more.
    pub(crate) errors: u64,
    /// How long requests took, from their complete head to the end of the answer.
    pub(crate) latency: Histogram,
    /// Share of its threads' time spent with requests, from 0 to 1.
    pub(crate) busy: f64,
    /// Resident memory in bytes, shared pages counted whole.
    pub(crate) rss: Option<u64>,
    /// Resident memory in bytes, shared pages counted in shares.
    pub(crate) pss: Option<u64>,
    /// What it works on.
    pub(crate) running: Vec<RunningStatus>,
}

/// A request that is being answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunningStatus {
    /// The thread that works on it. Those of Python come first; behind them are those for files and programs.
    pub(crate) thread: u32,
    /// Method and target, cut.
    pub(crate) request: String,
    /// Who asks.
    pub(crate) peer: String,
    /// For how long already, in microseconds.
    pub(crate) age_us: u64,
}
