//! The control socket: people and programs ask the running service, and are answered.
//!
//! `place` says where the socket is, `message` what is said on it, `server` speaks with clients. Here requests become
//! events of the lifecycle, and its reports become answers to those who wait.

mod facts;
mod history;
mod memory;
mod message;
mod place;
mod server;
mod status;

use std::{fs, time::Instant};

use tokio::sync::oneshot;

use crate::{ipc::LoadFailure, sys::STACKS_SIGNAL};

use super::{
    lifecycle::{Event, Report, StopSignal, WorkerOverview},
    perform::signal,
    run::Supervisor,
    succession::Accession,
};

pub(super) use history::Recorder;
#[cfg(test)]
pub(crate) use history::{Crash, Harakiri};
pub(crate) use history::{History, Late, Moment, Reload};
pub(super) use memory::Memory;
pub(crate) use message::{Command, MessageError, Reply, Request};
pub(crate) use place::Places;
pub(super) use server::Server;

const VERSION: &str = env!("CARGO_PKG_VERSION");
pub(crate) use status::{ListenerStatus, RunningStatus, Status, WorkerStatus};

/// A request, and the way back to its client.
pub(super) struct Asked {
    request: Request,
    reply: oneshot::Sender<Reply>,
}

/// Clients that wait for the end of a reload.
#[derive(Default)]
pub(super) struct Waiting {
    /// For the reload that is going on.
    now: Vec<oneshot::Sender<Reply>>,
    /// For the next one: one that has begun may have read the files before they were changed.
    next: Vec<oneshot::Sender<Reply>>,
    /// What was last said of the application, with its traceback.
    failure: Option<LoadFailure>,
    is_stopping: bool,
}

impl Waiting {
    /// One more who waits for the next reload.
    pub(super) fn add(&mut self, client: oneshot::Sender<Reply>) {
        self.next.push(client);
    }

    /// Another supervisor has done the next reload.
    pub(super) fn pass_on(&mut self, reply: &Reply) {
        answer(&mut self.next, || reply.clone());
    }

    /// Whoever waits is answered by the report that ends the wait. A client that has gone is not missed.
    pub(super) fn note(&mut self, report: &Report) {
        match report {
            Report::Reloading => {
                self.failure = None;
                self.now.append(&mut self.next);
            }
            Report::LoadFailed(failure) => self.failure = Some(failure.clone()),
            Report::Reloaded {
                generation,
                workers,
            } => {
                let (generation, workers) = (*generation, *workers);
                answer(&mut self.now, || Reply::Reloaded {
                    generation,
                    workers,
                    note: None,
                });
            }
            Report::ReloadFailed { reason } => {
                let failure = self.failure.take();
                let failure = failure.filter(|failure| failure.reason == *reason);
                let traceback = failure.map_or_else(String::new, |failure| failure.traceback);
                answer(&mut self.now, || Reply::Failed {
                    reason: reason.clone(),
                    traceback: traceback.clone(),
                });
            }
            Report::HeirFailed(failure) => self.failure = Some(failure.clone()),
            Report::Succeeded(Accession {
                version,
                generation,
                workers,
            }) => {
                let note = format!("hostler {version} has taken over from hostler {VERSION}");
                let (generation, workers) = (*generation, *workers);
                answer(&mut self.now, || Reply::Reloaded {
                    generation,
                    workers,
                    note: Some(note.clone()),
                });
            }
            Report::Stopping { .. } => {
                self.is_stopping = true;
                answer(&mut self.now, stopping);
                answer(&mut self.next, stopping);
            }
            _ => {}
        }
    }
}

fn stopping() -> Reply {
    Reply::refused("the service is stopping")
}

fn answer(clients: &mut Vec<oneshot::Sender<Reply>>, reply: impl Fn() -> Reply) {
    for client in clients.drain(..) {
        let _ = client.send(reply());
    }
}

impl Supervisor {
    /// Does what a client wants, or gives the event that does it.
    pub(super) fn answer(&mut self, Asked { request, reply }: Asked) -> Option<Event> {
        if let Some(refusal) = self.refuse(&request) {
            let _ = reply.send(refusal);
            return None;
        }
        let (answer, event) = match request.command {
            Command::Status => (Reply::Status(Box::new(self.status())), None),
            Command::LogReopen => (self.reopen_log(), None),
            Command::Recycle { worker } => self.recycle(worker),
            Command::Reload { wait: true } => {
                self.waiting.add(reply);
                return Some(Event::ReloadRequested);
            }
            Command::Reload { wait: false } => (Reply::Accepted, Some(Event::ReloadRequested)),
            Command::Stack { worker, generation } => {
                self.dump(worker, generation, reply);
                return None;
            }
            Command::Stop => {
                let event = Event::StopRequested(StopSignal::Terminate);
                (Reply::Accepted, Some(event))
            }
        };
        let _ = reply.send(answer);
        event
    }

    fn recycle(&self, slot: u32) -> (Reply, Option<Event>) {
        let overview = self.lifecycle.status(self.started.elapsed());
        let generation = overview.generation;
        let serves = overview.workers.iter().any(|worker| {
            (worker.generation, worker.slot, worker.state) == (generation, slot, "serving")
        });
        if !serves {
            let reason = format!("no worker {slot} serves in generation {generation}");
            return (Reply::refused(reason), None);
        }
        let slot = Some(slot);
        (Reply::Accepted, Some(Event::RecycleRequested { slot }))
    }

    /// Has a worker write its stacks. It is asked only once it serves: before, the signal would end it.
    fn dump(&mut self, slot: u32, generation: Option<u32>, client: oneshot::Sender<Reply>) {
        let overview = self.lifecycle.status(self.started.elapsed());
        let is_meant = |worker: &&WorkerOverview| {
            worker.slot == slot && generation.is_none_or(|number| number == worker.generation)
        };
        let found = overview.workers.iter().filter(is_meant);
        let found = found
            .max_by_key(|worker| (worker.generation == overview.generation, worker.generation));
        let ready = found.filter(|worker| worker.state != "starting");
        let Some((worker, pid)) = ready.and_then(|worker| Some((worker, worker.pid?))) else {
            let state = found.map_or("there is no worker", |_| "it starts yet: worker");
            let _ = client.send(Reply::refused(format!("{state} {slot}")));
            return;
        };
        let place = (worker.generation, slot);
        let mut ids = self.workers.iter();
        let Some((id, _)) = ids.rfind(|(_, of)| **of == place) else {
            let _ = client.send(Reply::refused(format!("there is no worker {slot}")));
            return;
        };
        if self.dumps.for_client(*id, client, Instant::now()) {
            signal(pid, STACKS_SIGNAL);
        }
    }

    fn refuse(&self, request: &Request) -> Option<Reply> {
        if let Some(site) = request.site.as_ref().filter(|site| **site != self.site) {
            let reason = format!("the site that runs here is {}, not {site}", self.site);
            return Some(Reply::refused(reason));
        }
        if let Some(meant) = &request.file
            && !self.file.as_ref().is_some_and(|file| is_same(file, meant))
        {
            let file = self.file.as_deref().unwrap_or("no file");
            let site = &self.site;
            return Some(Reply::refused(format!(
                "the site that runs as {site} was started with {file}"
            )));
        }
        let idle = matches!(
            request.command,
            Command::Reload { .. } | Command::Recycle { .. }
        );
        (idle && self.waiting.is_stopping).then(stopping)
    }
}

/// Whether two names are of one file, however they lead there; of one that is gone, only the names are left.
fn is_same(one: &str, other: &str) -> bool {
    let found = |path: &str| fs::canonicalize(path).ok();
    one == other || found(one).is_some_and(|path| found(other) == Some(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(clients: &mut Vec<oneshot::Sender<Reply>>) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        clients.push(sender);
        receiver
    }

    fn failed(reason: &str) -> Report {
        Report::ReloadFailed {
            reason: reason.to_owned(),
        }
    }

    fn load_failed(reason: &str) -> Report {
        Report::LoadFailed(LoadFailure {
            reason: reason.to_owned(),
            traceback: "Traceback".to_owned(),
        })
    }

    fn reply(reason: &str, traceback: &str) -> Reply {
        Reply::Failed {
            reason: reason.to_owned(),
            traceback: traceback.to_owned(),
        }
    }

    #[test]
    fn a_reload_that_had_begun_is_not_the_one_that_was_asked_for() {
        let mut waiting = Waiting::default();
        let mut first = client(&mut waiting.next);
        waiting.note(&Report::Reloading);
        let mut second = client(&mut waiting.next);
        waiting.note(&Report::Reloaded {
            generation: 2,
            workers: 4,
        });
        assert!(matches!(
            first.try_recv(),
            Ok(Reply::Reloaded { generation: 2, .. })
        ));
        assert!(second.try_recv().is_err());
        waiting.note(&Report::Reloading);
        waiting.note(&failed("no"));
        assert_eq!(second.try_recv(), Ok(reply("no", "")));
    }

    #[test]
    fn a_failure_comes_with_its_own_traceback_only() {
        let mut waiting = Waiting::default();
        for (report, expected) in [
            (
                load_failed("LookupError"),
                reply("LookupError", "Traceback"),
            ),
            (load_failed("other"), reply("LookupError", "")),
        ] {
            let mut client = client(&mut waiting.next);
            waiting.note(&Report::Reloading);
            waiting.note(&report);
            waiting.note(&failed("LookupError"));
            assert_eq!(client.try_recv(), Ok(expected));
        }
    }

    #[test]
    fn the_end_of_the_service_ends_every_wait() {
        let mut waiting = Waiting::default();
        let mut now = client(&mut waiting.next);
        waiting.note(&Report::Reloading);
        let mut next = client(&mut waiting.next);
        waiting.note(&Report::Stopping {
            workers: 1,
            mercy: Default::default(),
        });
        assert_eq!(now.try_recv(), Ok(stopping()));
        assert_eq!(next.try_recv(), Ok(stopping()));
        assert!(waiting.is_stopping);
    }
}
