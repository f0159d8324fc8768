//! What happened last, for whoever asks later: the last reload, the last harakiri and the last crash, one of each, and
//! each cut to a limit.

use std::{
    mem,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::{
    ipc::LoadFailure,
    supervisor::lifecycle::{ExitStatus, Report, Running, WorkerTag},
};

/// How many bytes of a traceback or of stacks are kept; of stacks the beginning counts, since the thread that was
/// interrupted stands first.
const LONGEST: usize = 32 << 10;
/// How many requests of one harakiri are kept.
const REQUESTS: usize = 8;

/// Since the service started; nothing of what has never happened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    /// A worker that nobody had asked to go.
    pub(crate) crash: Option<Crash>,
    /// A request past its deadline.
    pub(crate) harakiri: Option<Harakiri>,
    /// A reload that has ended.
    pub(crate) reload: Option<Reload>,
}

/// What is known of the past, and of what has begun.
#[derive(Debug, Clone, Default)]
pub(in crate::supervisor) struct Recorder {
    history: History,
    /// A reload that has not ended.
    begun: Option<Begun>,
}

/// A moment, in two clocks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Moment {
    /// How long the service had been running, in microseconds.
    pub(crate) uptime_us: u64,
    /// Seconds since 1970.
    pub(crate) unix: u64,
}

/// A worker that died.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Crash {
    pub(crate) at: Moment,
    /// Its number.
    pub(crate) worker: u32,
    pub(crate) generation: u32,
    pub(crate) pid: i32,
    /// By what.
    pub(crate) status: String,
    /// What it was working on; nothing when it was idle.
    pub(crate) requests: Option<String>,
}

/// A worker that was replaced because of requests past their deadline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Harakiri {
    pub(crate) at: Moment,
    /// Its number.
    pub(crate) worker: u32,
    pub(crate) generation: u32,
    pub(crate) pid: i32,
    /// Those requests.
    pub(crate) requests: Vec<Late>,
    /// Stacks of all its threads at that time, empty while they are not written.
    pub(crate) traceback: String,
    /// How the worker ended; nothing while it has not.
    pub(crate) ended: Option<String>,
}

/// A request past its deadline.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Late {
    /// Its thread.
    pub(crate) thread: u32,
    /// Method and target, cut.
    pub(crate) request: String,
    /// Who asked.
    pub(crate) peer: String,
    /// For how long it had been running, in microseconds.
    pub(crate) age_us: u64,
}

/// A reload and its outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reload {
    /// When it had ended.
    pub(crate) at: Moment,
    /// From its beginning to its end, in microseconds.
    pub(crate) took_us: u64,
    /// The generation that serves since; nothing when it failed.
    pub(crate) generation: Option<u32>,
    /// Why it failed, in one line.
    pub(crate) failure: Option<String>,
    /// Python's, empty when there is none.
    pub(crate) traceback: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Begun {
    uptime_us: u64,
    failure: Option<LoadFailure>,
}

impl Moment {
    /// This one, in a service that has been running for so long.
    pub(in crate::supervisor) fn now(uptime: Duration) -> Self {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            uptime_us: uptime.as_micros() as u64,
            unix: unix.unwrap_or_default().as_secs(),
        }
    }
}

impl Recorder {
    /// All that has ended.
    pub(super) fn history(&self) -> &History {
        &self.history
    }

    /// Takes in what has happened `at` that moment. `running` is what the worker of the report was working on.
    pub(in crate::supervisor) fn note(
        &mut self,
        report: &Report,
        at: Moment,
        running: impl Fn(&WorkerTag) -> Option<String>,
    ) {
        match report {
            Report::Reloading => {
                self.begun = Some(Begun {
                    uptime_us: at.uptime_us,
                    failure: None,
                });
            }
            Report::LoadFailed(failure) => {
                if let Some(begun) = &mut self.begun {
                    begun.failure = Some(failure.clone());
                }
            }
            Report::Reloaded { generation, .. } => self.reloaded(Ok(*generation), at),
            Report::ReloadFailed { reason } => self.reloaded(Err(reason), at),
            Report::Harakiri { worker, requests } => {
                self.history.harakiri = Some(Harakiri::new(worker, requests, at));
            }
            Report::HarakiriEnded { worker, status, .. } => {
                if let Some(harakiri) = self.harakiri_of(worker) {
                    harakiri.ended = Some(status.to_string());
                }
            }
            // It has ended by itself.
            Report::WorkerDied {
                status: ExitStatus::Code(0),
                ..
            } => {}
            Report::WorkerDied { worker, status, .. } => {
                self.history.crash = Some(Crash {
                    at,
                    worker: worker.slot,
                    generation: worker.generation,
                    pid: worker.pid,
                    status: status.to_string(),
                    requests: running(worker),
                });
            }
            _ => {}
        }
    }

    /// Stacks were written for the log; those of the worker of the last harakiri belong to it.
    pub(in crate::supervisor) fn note_stacks(&mut self, worker: &WorkerTag, stacks: &str) {
        if let Some(harakiri) = self.harakiri_of(worker)
            && harakiri.traceback.is_empty()
        {
            harakiri.traceback = cut(stacks);
        }
    }

    fn harakiri_of(&mut self, worker: &WorkerTag) -> Option<&mut Harakiri> {
        let last = self.history.harakiri.as_mut();
        last.filter(|last| {
            (last.worker, last.generation, last.pid) == (worker.slot, worker.generation, worker.pid)
        })
    }

    fn reloaded(&mut self, outcome: Result<u32, &String>, at: Moment) {
        let begun = self.begun.take();
        let began_us = begun.as_ref().map_or(at.uptime_us, |begun| begun.uptime_us);
        let failure = outcome.err();
        // Another failure of the same reload is not what ended it.
        let load = begun.and_then(|mut begun| mem::take(&mut begun.failure));
        let load = load.filter(|load| Some(&load.reason) == failure);
        self.history.reload = Some(Reload {
            at,
            took_us: at.uptime_us.saturating_sub(began_us),
            generation: outcome.ok(),
            failure: failure.cloned(),
            traceback: load.map(|load| cut(&load.traceback)).unwrap_or_default(),
        });
    }
}

impl Harakiri {
    fn new(worker: &WorkerTag, requests: &[Running], at: Moment) -> Self {
        Self {
            at,
            worker: worker.slot,
            generation: worker.generation,
            pid: worker.pid,
            requests: requests.iter().take(REQUESTS).map(Late::from).collect(),
            ..Self::default()
        }
    }
}

impl From<&Running> for Late {
    fn from(request: &Running) -> Self {
        Self {
            thread: request.thread,
            request: request.line.clone(),
            peer: request.peer.clone(),
            age_us: request.age.as_micros() as u64,
        }
    }
}

/// At most so long, between two characters.
fn cut(text: &str) -> String {
    let mut ends = (0..=text.len().min(LONGEST)).rev();
    let end = ends.find(|end| text.is_char_boundary(*end));
    text[..end.unwrap_or_default()].to_owned()
}

#[cfg(test)]
mod tests;
