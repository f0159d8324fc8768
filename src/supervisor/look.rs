//! Looks at what the workers do, for the rules: the scoreboard, /proc, and the listening sockets.

use std::time::Duration;

use crate::{
    scoreboard::{self, RunningRequest},
    sys,
};

use super::{
    lifecycle::{Facts, Look, Running},
    memory,
    run::Supervisor,
};

impl Supervisor {
    /// Every worker as it is now.
    pub(super) fn look(&self, with_memory: bool) -> Look {
        let now_us = scoreboard::now_us();
        let workers = self.workers.iter().filter_map(|(id, (generation, slot))| {
            let generation = self.generations.get(generation)?;
            let board = &generation.scoreboard;
            // Behind them is the thread that stands by, which works when the others hang, and would hide it.
            let threads = generation.settings.workers.requests_at_once() as usize;
            let mut facts = Facts::default();
            for (thread, part) in (0..).zip(board.threads(*slot).iter().take(threads)) {
                let seen = part.snapshot();
                facts.requests += seen.requests;
                facts.busy += Duration::from_micros(seen.busy_us);
                let running = seen.running.map(|request| running(thread, request, now_us));
                facts.running.extend(running);
            }
            let pid = board.worker(*slot).snapshot().pid;
            let weigh = with_memory && pid != 0;
            facts.memory = weigh.then(|| memory::memory(pid)).flatten();
            Some((*id, facts))
        });
        Look {
            workers: workers.collect(),
            queue: self.queue(),
        }
    }

    /// Connections that nobody has accepted yet. Only those who let the number of workers adapt want to know.
    fn queue(&self) -> u32 {
        let adapting = self.generations.values().next_back();
        let adapting = adapting.filter(|found| found.settings.workers.cheaper.minimum > 0);
        let listeners = adapting
            .into_iter()
            .flat_map(|found| found.listeners.iter());
        // A kernel without sock_diag, or a sandbox that does not let us ask, has nothing to say of Unix sockets.
        listeners
            .map(|listener| sys::listen_queue(listener).unwrap_or_default().waiting)
            .sum()
    }
}

fn running(thread: u32, request: RunningRequest, now_us: u64) -> Running {
    let limit = request.deadline_us.checked_sub(request.began_us);
    Running {
        thread,
        began_us: request.began_us,
        name: request.name,
        age: Duration::from_micros(now_us.saturating_sub(request.began_us)),
        limit: limit.map(Duration::from_micros),
        line: request.line,
        peer: request.peer,
    }
}
