//! Collects the facts of the status from those who have them: the scoreboards, the settings, the lifecycle.

use rustix::process::getpid;

use crate::{
    listener::Listener,
    scoreboard::{self, ThreadSnapshot},
    sys,
};

use super::{ListenerStatus, RunningStatus, Status, WorkerStatus};
use crate::supervisor::{generation::Generation, lifecycle::WorkerOverview, run::Supervisor};

impl Supervisor {
    /// All but what has to be measured in other processes.
    pub(super) fn status(&self) -> Status {
        let uptime = self.started.elapsed();
        let overview = self.lifecycle.status(uptime);
        let counters = overview.counters.by_name();
        let mut status = Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            on_disk: self.on_disk().to_owned(),
            site: self.site.clone(),
            file: self.file.clone(),
            pid: getpid().as_raw_nonzero().get().cast_unsigned(),
            zygote: overview.zygote,
            uptime_us: uptime.as_micros() as u64,
            now_us: scoreboard::now_us(),
            state: overview.headline,
            generation: overview.generation,
            counters: counters
                .map(|(cause, count)| (cause.to_owned(), count))
                .into(),
            history: self.recorder.history().clone(),
            workers: self.worker_statuses(&overview.workers),
            ..Status::default()
        };
        if let Some(generation) = self.generations.get(&overview.generation) {
            describe(generation, &mut status);
        }
        status.processes = overview.wanted;
        status
    }

    fn worker_statuses(&self, known: &[WorkerOverview]) -> Vec<WorkerStatus> {
        let now_us = scoreboard::now_us();
        let workers = known.iter().filter_map(|known| {
            Some(worker(
                self.generations.get(&known.generation)?,
                known,
                now_us,
            ))
        });
        let mut workers: Vec<WorkerStatus> = workers.collect();
        workers.sort_by_key(|worker| (worker.generation, worker.worker));
        workers
    }
}

fn describe(generation: &Generation, status: &mut Status) {
    status.threads = generation.settings.workers.requests_at_once();
    status.application = generation.application();
    status.python = generation.interpreter.python.display().to_string();
    status.listeners = generation.listeners.iter().map(listener).collect();
}

fn listener(listener: &Listener) -> ListenerStatus {
    let queue = sys::listen_queue(listener).unwrap_or_default();
    ListenerStatus {
        protocol: listener.protocol.to_string(),
        address: listener.bound.clone(),
        waiting: queue.waiting,
        limit: queue.limit,
    }
}

/// What is known of a worker, and what it says of itself.
fn worker(generation: &Generation, known: &WorkerOverview, now_us: u64) -> WorkerStatus {
    let threads: Vec<ThreadSnapshot> = generation
        .scoreboard
        .threads(known.slot)
        .iter()
        .map(|thread| thread.snapshot())
        .collect();
    let running = running(&threads, now_us);
    let done: u64 = threads.iter().map(|thread| thread.busy_us).sum();
    let busy = done + running.iter().map(|request| request.age_us).sum::<u64>();
    let age_us = known.age.as_micros() as u64;
    let at_once = generation.settings.workers.requests_at_once();
    let capacity = age_us.saturating_mul(at_once.into());
    let done = generation.scoreboard.totals(known.slot);
    WorkerStatus {
        worker: known.slot,
        generation: known.generation,
        pid: known.pid.unwrap_or_default(),
        state: known.state.to_owned(),
        age_us,
        requests: done.requests,
        errors: done.statuses.classes()[4],
        latency: done.latency,
        busy: (busy as f64 / capacity.max(1) as f64).min(1.0),
        running,
        ..WorkerStatus::default()
    }
}

fn running(threads: &[ThreadSnapshot], now_us: u64) -> Vec<RunningStatus> {
    let requests = (0..).zip(threads);
    let requests = requests.filter_map(|(number, thread)| Some((number, thread.running.as_ref()?)));
    let running = requests.map(|(thread, request)| RunningStatus {
        thread,
        request: request.line.clone(),
        peer: request.peer.clone(),
        age_us: now_us.saturating_sub(request.began_us),
    });
    running.collect()
}
