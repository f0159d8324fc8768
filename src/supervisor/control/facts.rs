//! Collects the facts of the status from those who have them: the scoreboards, the settings, the lifecycle.

use rustix::process::getpid;

use crate::{
    listener::Listener,
    scoreboard::{self, Scoreboard, ThreadSnapshot},
};

use super::{ListenerStatus, RunningStatus, Status, WorkerStatus};
use crate::supervisor::{generation::Generation, run::Supervisor};

impl Supervisor {
    /// All but what has to be measured in other processes.
    pub(super) fn status(&self) -> Status {
        let mut status = Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            site: self.site.clone(),
            file: self.file.clone(),
            pid: getpid().as_raw_nonzero().get().cast_unsigned(),
            uptime_us: self.started.elapsed().as_micros() as u64,
            state: self.lifecycle.status(),
            workers: self.worker_statuses(),
            ..Status::default()
        };
        if let Some((number, generation)) = self.generations.first_key_value() {
            status.generation = *number;
            describe(generation, &mut status);
        }
        status
    }

    fn worker_statuses(&self) -> Vec<WorkerStatus> {
        let now_us = scoreboard::now_us();
        let mut workers: Vec<WorkerStatus> = self
            .workers
            .values()
            .filter_map(|(generation, slot)| {
                let scoreboard = &self.generations.get(generation)?.scoreboard;
                let mut status = worker(scoreboard, *slot, now_us);
                status.generation = *generation;
                Some(status)
            })
            .collect();
        workers.sort_by_key(|worker| (worker.generation, worker.worker));
        workers
    }
}

fn describe(generation: &Generation, status: &mut Status) {
    status.processes = generation.settings.workers.processes;
    status.threads = generation.settings.workers.threads;
    status.application = generation.application();
    status.python = generation.interpreter.python.display().to_string();
    status.listeners = generation.listeners.iter().map(listener).collect();
}

fn listener(listener: &Listener) -> ListenerStatus {
    ListenerStatus {
        protocol: listener.protocol.to_string(),
        address: listener.bound.clone(),
    }
}

/// What a worker says of itself.
fn worker(scoreboard: &Scoreboard, slot: u32, now_us: u64) -> WorkerStatus {
    let threads: Vec<ThreadSnapshot> = scoreboard
        .threads(slot)
        .iter()
        .map(|thread| thread.snapshot())
        .collect();
    WorkerStatus {
        worker: slot,
        pid: scoreboard.worker(slot).snapshot().pid,
        requests: threads.iter().map(|thread| thread.requests).sum(),
        running: running(&threads, now_us),
        ..WorkerStatus::default()
    }
}

fn running(threads: &[ThreadSnapshot], now_us: u64) -> Vec<RunningStatus> {
    let requests = threads.iter().filter_map(|thread| thread.running.as_ref());
    let running = requests.map(|request| RunningStatus {
        request: request.line.clone(),
        peer: request.peer.clone(),
        age_us: now_us.saturating_sub(request.began_us),
    });
    running.collect()
}
