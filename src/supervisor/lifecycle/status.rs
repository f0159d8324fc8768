//! What the rules know of the state, for people who ask. Requests and memory are the processes' own affair, and are
//! added by whoever can look at them.

use std::time::Duration;

use super::{Counters, Lifecycle, Phase, Reload, Time, Worker, WorkerState};

/// The service as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::supervisor) struct Overview {
    /// The generation that serves.
    pub(in crate::supervisor) generation: u32,
    /// One line, as `systemctl status` has it.
    pub(in crate::supervisor) headline: String,
    /// How many workers there should be now.
    pub(in crate::supervisor) wanted: u32,
    /// Every worker that there is.
    pub(in crate::supervisor) workers: Vec<WorkerOverview>,
    /// The zygote of the generation that serves.
    pub(in crate::supervisor) zygote: Option<i32>,
    /// How many workers went, by cause.
    pub(in crate::supervisor) counters: Counters,
}

/// One worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::supervisor) struct WorkerOverview {
    /// Slot of the scoreboard.
    pub(in crate::supervisor) slot: u32,
    pub(in crate::supervisor) generation: u32,
    pub(in crate::supervisor) pid: Option<i32>,
    /// `starting`, `serving`, `leaving`, `harakiri`, `killed` or `stopped`.
    pub(in crate::supervisor) state: &'static str,
    /// Since it was asked for.
    pub(in crate::supervisor) age: Duration,
}

impl Lifecycle {
    /// One line for `systemctl status`.
    pub(in crate::supervisor) fn headline(&self) -> String {
        let serving = self.serving(self.current);
        let wanted = self.target(self.current);
        let mut text = match (self.phase, self.reload) {
            (Phase::Starting, _) => "loading the application".to_owned(),
            (Phase::Serving, Reload::None) => {
                format!(
                    "serving with {serving} of {wanted} workers, generation {}{}",
                    self.current,
                    self.looking.pulse()
                )
            }
            (Phase::Serving, _) => format!("reloading, generation {} serves", self.current),
            (Phase::Stopping { .. } | Phase::Done, _) if self.has_abdicated() => {
                format!(
                    "another supervisor is in charge, workers left: {}",
                    self.workers.len()
                )
            }
            (Phase::Stopping { .. } | Phase::Done, _) => {
                format!("stopping, workers left: {}", self.workers.len())
            }
        };
        if let Some(failure) = &self.last_failure {
            text.extend(["; last failure: ", failure]);
        }
        text
    }

    /// All that the rules know.
    pub(in crate::supervisor) fn status(&self, now: Time) -> Overview {
        let current = self.generations.get(&self.current);
        let workers = self.workers.values();
        Overview {
            generation: self.current,
            headline: self.headline(),
            wanted: self.target(self.current),
            workers: workers.map(|worker| worker.overview(now)).collect(),
            zygote: current.and_then(|current| current.zygote.as_ref()?.pid),
            counters: self.counters,
        }
    }
}

impl Worker {
    fn overview(&self, now: Time) -> WorkerOverview {
        WorkerOverview {
            slot: self.slot,
            generation: self.generation,
            pid: self.pid,
            state: self.state_name(),
            age: now.saturating_sub(self.born),
        }
    }

    fn state_name(&self) -> &'static str {
        if self.is_stopped {
            return "stopped";
        }
        match (self.state, &self.harakiri) {
            (WorkerState::Starting { .. }, _) => "starting",
            (WorkerState::Serving { .. }, _) => "serving",
            (WorkerState::Leaving { killed: true, .. }, _) => "killed",
            (WorkerState::Leaving { .. }, Some(_)) => "harakiri",
            (WorkerState::Leaving { .. }, None) => "leaving",
        }
    }
}
