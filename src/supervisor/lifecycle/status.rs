//! What people may know of the state, for `hostler status`.
//!
//! The rules fill in what they know; requests and memory, which are the processes' own, are filled in by whoever can
//! look at them.

use std::time::Duration;

use serde::Serialize;

use super::{Counters, Lifecycle, Phase, Reload, Time, Worker, WorkerState, ZygoteState};

/// The service as a whole.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Status {
    /// The generation that serves.
    pub(crate) generation: u32,
    /// `starting`, `serving`, `reloading` or `stopping`.
    pub(crate) phase: &'static str,
    /// One line, as `systemctl status` has it.
    pub(crate) headline: String,
    /// Time since the supervisor started, in seconds.
    pub(crate) uptime: f64,
    /// How many workers there should be.
    pub(crate) wanted: u32,
    /// How many workers accept connections.
    pub(crate) serving: u32,
    pub(crate) workers: Vec<WorkerStatus>,
    pub(crate) zygotes: Vec<ZygoteStatus>,
    /// How many workers went, by cause.
    pub(crate) turnover: Counters,
    pub(crate) last_failure: Option<String>,
}

/// One worker.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct WorkerStatus {
    /// Counts all workers since the service started.
    pub(crate) id: u64,
    /// Slot of the scoreboard, the number of the worker in the log.
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    pub(crate) pid: Option<i32>,
    /// `starting`, `serving`, `leaving`, `harakiri` or `killed`.
    pub(crate) state: &'static str,
    /// Time since it serves, in seconds.
    pub(crate) age: Option<f64>,
    /// Requests answered.
    pub(crate) requests: u64,
    /// What it works on.
    pub(crate) running: Vec<RequestStatus>,
    pub(crate) memory: MemoryStatus,
}

/// One running request.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RequestStatus {
    /// Method and target, cut.
    pub(crate) line: String,
    pub(crate) peer: String,
    /// In seconds.
    pub(crate) age: f64,
}

/// What a process takes, in bytes; nothing of a process that is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct MemoryStatus {
    /// Resident memory, pages that other processes share with it included.
    pub(crate) rss: Option<u64>,
    /// Resident memory, where a page that is shared by n processes counts as its n-th part.
    pub(crate) pss: Option<u64>,
}

/// One zygote.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct ZygoteStatus {
    pub(crate) generation: u32,
    pub(crate) pid: Option<i32>,
    /// `loading`, `ready` or `leaving`.
    pub(crate) state: &'static str,
    pub(crate) memory: MemoryStatus,
}

impl Lifecycle {
    /// All that the rules know.
    pub(in crate::supervisor) fn status(&self, now: Time) -> Status {
        let workers = self.workers.iter();
        let zygotes = self.generations.iter().filter_map(|(number, generation)| {
            let zygote = generation.zygote.as_ref()?;
            Some(ZygoteStatus {
                generation: *number,
                pid: zygote.pid,
                state: zygote.state.name(),
                memory: MemoryStatus::default(),
            })
        });
        Status {
            generation: self.current,
            phase: self.phase_name(),
            headline: self.headline(),
            uptime: now.as_secs_f64(),
            wanted: self.target(self.current),
            serving: self.serving(self.current),
            workers: workers
                .map(|(id, worker)| worker.status(id.0, now))
                .collect(),
            zygotes: zygotes.collect(),
            turnover: self.counters,
            last_failure: self.last_failure.clone(),
        }
    }

    fn phase_name(&self) -> &'static str {
        match (self.phase, self.reload) {
            (Phase::Starting, _) => "starting",
            (Phase::Serving, Reload::None) => "serving",
            (Phase::Serving, _) => "reloading",
            (Phase::Stopping { .. } | Phase::Done, _) => "stopping",
        }
    }
}

impl Worker {
    fn status(&self, id: u64, now: Time) -> WorkerStatus {
        let age = match self.state {
            WorkerState::Serving { since } => Some(now.saturating_sub(since)),
            WorkerState::Leaving { .. } | WorkerState::Starting { .. } => None,
        };
        WorkerStatus {
            id,
            slot: self.slot,
            generation: self.generation,
            pid: self.pid,
            state: self.state_name(),
            age: age.as_ref().map(Duration::as_secs_f64),
            ..WorkerStatus::default()
        }
    }

    fn state_name(&self) -> &'static str {
        match (self.state, &self.harakiri) {
            (WorkerState::Starting { .. }, _) => "starting",
            (WorkerState::Serving { .. }, _) => "serving",
            (WorkerState::Leaving { killed: true, .. }, _) => "killed",
            (WorkerState::Leaving { .. }, Some(_)) => "harakiri",
            (WorkerState::Leaving { .. }, None) => "leaving",
        }
    }
}

impl ZygoteState {
    fn name(self) -> &'static str {
        match self {
            Self::Loading { .. } => "loading",
            Self::Ready { .. } => "ready",
            Self::Leaving { .. } => "leaving",
        }
    }
}
