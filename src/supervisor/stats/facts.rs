//! Collects what the document tells: from the lifecycle, the scoreboard and the listening sockets.

use std::{
    env, iter,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::process::{getegid, geteuid, getpid};

use crate::{
    listener::Listener,
    scoreboard::{self, ThreadSnapshot},
    stats::{Facts, Phase, Socket, Worker},
    sys,
};

use crate::supervisor::{
    generation::Generation,
    lifecycle::{Report, WorkerOverview},
    run::Supervisor,
};

impl Supervisor {
    /// All but what has to be measured in other processes.
    pub(in crate::supervisor) fn stats_facts(&self) -> Facts {
        let overview = self.lifecycle.status(self.started.elapsed());
        let mut facts = Facts {
            pid: getpid().as_raw_nonzero().get(),
            uid: geteuid().as_raw(),
            gid: getegid().as_raw(),
            now_us: scoreboard::now_us(),
            now_unix: now_unix(),
            ..Facts::default()
        };
        let Some(generation) = self.generations.get(&overview.generation) else {
            return facts;
        };
        let workers = overview.workers.iter();
        let workers = workers.filter(|worker| worker.generation == overview.generation);
        let workers: Vec<&WorkerOverview> = workers.collect();
        facts.cwd = directory(generation);
        facts.sockets = generation.listeners.iter().map(socket).collect();
        facts.mounts = mounts(generation);
        facts.workers = places(generation, &workers);
        facts
    }

    /// Counts what uWSGI counts of a worker and no process can count itself.
    pub(in crate::supervisor) fn count(&mut self, report: &Report) {
        let Report::Harakiri { worker, .. } = report else {
            return;
        };
        let generation = self.generations.get_mut(&worker.generation);
        let tally = generation.and_then(|found| found.tallies.get_mut(worker.slot as usize));
        if let Some(tally) = tally {
            tally.harakiris += 1;
        }
    }
}

impl Generation {
    /// Another worker is made in this slot, whose counters begin anew.
    pub(in crate::supervisor) fn clear(&mut self, slot: u32) {
        let left = threads(self, slot);
        let done = self.scoreboard.totals(slot);
        if let Some(tally) = self.tallies.get_mut(slot as usize) {
            tally.spawn(&left, &done, now_unix());
        }
        self.scoreboard.clear(slot);
    }
}

/// As many as there are to be, and those beyond them that have ever been used: successors that serve already.
fn places(generation: &Generation, workers: &[&WorkerOverview]) -> Vec<Worker> {
    let processes = generation.settings.workers.processes;
    let places = (0..).zip(&generation.tallies);
    let shown = places.filter(|(slot, tally)| *slot < processes || tally.spawns > 0);
    shown
        .map(|(slot, tally)| {
            let known = workers.iter().find(|worker| worker.slot == slot);
            Worker {
                slot,
                pid: known.and_then(|worker| worker.pid).unwrap_or_default(),
                phase: known.map_or(Phase::None, |worker| phase(worker.state)),
                tally: tally.clone(),
                threads: threads(generation, slot),
                ..Worker::default()
            }
        })
        .collect()
}

fn threads(generation: &Generation, slot: u32) -> Vec<ThreadSnapshot> {
    let threads = generation.scoreboard.threads(slot).iter();
    threads.map(|thread| thread.snapshot()).collect()
}

fn phase(state: &str) -> Phase {
    match state {
        "serving" => Phase::Accepting,
        "stopped" => Phase::Stopped,
        _ => Phase::Closed,
    }
}

/// A kernel that says nothing of a queue has none to show.
fn socket(listener: &Listener) -> Socket {
    let queue = sys::listen_queue(listener).unwrap_or_default();
    Socket {
        name: listener.bound.clone(),
        protocol: listener.protocol.to_string(),
        waiting: queue.waiting,
        limit: queue.limit,
    }
}

fn directory(generation: &Generation) -> String {
    let chdir = generation.settings.app.chdir.clone();
    let directory: Option<PathBuf> = chdir.or_else(|| env::current_dir().ok());
    directory.unwrap_or_default().display().to_string()
}

fn mounts(generation: &Generation) -> Vec<String> {
    let settings = &generation.settings;
    let has_app = settings.app.module.is_some() || settings.app.file.is_some();
    let app = iter::once(String::new()).filter(|_| has_app);
    let mounted = settings.mount.iter().map(|mount| mount.path.clone());
    app.chain(mounted).collect()
}

/// Seconds since 1970.
pub(in crate::supervisor) fn now_unix() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
