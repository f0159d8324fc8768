//! Collects what the metrics tell: from the lifecycle, the scoreboards and the listening sockets.

use crate::{
    listener::Listener,
    metrics::{Facts, Running, Socket, Worker},
    scoreboard::{self, ThreadSnapshot},
    sys,
};

use crate::supervisor::{
    generation::Generation, lifecycle::WorkerOverview, run::Supervisor, stats::now_unix,
};

impl Supervisor {
    /// All but what has to be measured in other processes.
    pub(in crate::supervisor) fn metrics_facts(&self) -> Facts {
        let uptime = self.started.elapsed();
        let overview = self.lifecycle.status(uptime);
        let now_us = scoreboard::now_us();
        let mut sum = self.past.sum.clone();
        self.generations.values().for_each(|one| sum.add(one));
        let mut known: Vec<&WorkerOverview> = overview.workers.iter().collect();
        known.sort_by_key(|worker| (worker.generation, worker.slot));
        let workers = known.iter().filter_map(|known| {
            let generation = self.generations.get(&known.generation)?;
            Some(worker(generation, known, now_us))
        });
        let serving = self.generations.get(&overview.generation);
        let listeners = serving.into_iter().flat_map(|one| one.listeners.iter());
        Facts {
            site: self.site.clone(),
            is_ready: known.iter().any(|worker| worker.state == "serving"),
            generation: overview.generation,
            started_unix: now_unix().saturating_sub(uptime.as_secs()),
            uptime_us: uptime.as_micros() as u64,
            wanted: overview.wanted,
            connections: sum.done.accepted.saturating_sub(sum.done.closed),
            responses: sum.responses(),
            done: sum.done,
            sockets: listeners.map(socket).collect(),
            zygote: overview.zygote,
            workers: workers.collect(),
            respawns: overview.counters.by_name().into(),
            reloads_done: self.past.reloads_done,
            reloads_failed: self.past.reloads_failed,
            state: overview.headline,
            preload_saved: None,
        }
    }
}

fn worker(generation: &Generation, known: &WorkerOverview, now_us: u64) -> Worker {
    let threads = generation.scoreboard.threads(known.slot);
    let threads: Vec<ThreadSnapshot> = threads.iter().map(|one| one.snapshot()).collect();
    let at_work = (0..).zip(&threads).filter_map(|(thread, seen)| {
        let request = seen.running.as_ref()?;
        Some(Running {
            thread,
            request: request.line.clone(),
            peer: request.peer.clone(),
            age_us: now_us.saturating_sub(request.began_us),
        })
    });
    Worker {
        worker: known.slot,
        generation: known.generation,
        pid: known.pid.unwrap_or_default(),
        state: known.state,
        age_us: known.age.as_micros() as u64,
        requests: threads.iter().map(|thread| thread.requests).sum(),
        threads: generation.settings.workers.requests_at_once(),
        running: at_work.collect(),
        ..Worker::default()
    }
}

/// A kernel that says nothing of a queue has none to show.
fn socket(listener: &Listener) -> Socket {
    let queue = sys::listen_queue(listener).unwrap_or_default();
    Socket {
        address: listener.bound.clone(),
        protocol: listener.protocol.to_string(),
        waiting: queue.waiting,
        limit: queue.limit,
    }
}
