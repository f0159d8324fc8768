//! The rules for slow requests (`log.slow`): each is told once, with the stack of its thread, when it crosses the line. What
//! it has come to, its worker tells when it ends.

use std::{collections::BTreeSet, time::Duration};

use super::{Action, Facts, Lifecycle, Running, Time, WorkerId, harakiri::DUMPING};

/// Requests of a worker that are slow.
#[derive(Debug, Default)]
pub(super) struct Slow {
    /// Those that run still, by thread and beginning.
    known: BTreeSet<(u32, u64)>,
    /// Those that are told with the next stacks.
    found: Vec<Running>,
    /// Until when these are waited for.
    until: Option<Time>,
}

impl Slow {
    /// When the stacks are late.
    pub(super) fn until(&self) -> Option<Time> {
        self.until
    }

    /// Takes in what runs, and gives whether there are new ones.
    fn note(&mut self, running: &[Running], limit: Duration) -> bool {
        let name = |request: &Running| (request.thread, request.began_us);
        let all: BTreeSet<_> = running.iter().map(name).collect();
        self.known.retain(|known| all.contains(known));
        let slow = running.iter().filter(|request| request.age >= limit);
        let before = self.found.len();
        for request in slow {
            if self.known.insert(name(request)) {
                self.found.push(request.clone());
            }
        }
        self.found.len() > before
    }
}

impl Lifecycle {
    /// Finds requests that have become slow, and asks for their stacks.
    pub(super) fn watch_for_slow(&mut self, id: WorkerId, facts: &Facts, now: Time) {
        let limit = self.slow_limit(id);
        let is_dumping = self.is_dumping_for_harakiri(id);
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let Some(limit) = limit.filter(|_| !worker.is_killed()) else {
            return;
        };
        if !worker.slow.note(&facts.running, limit) || worker.slow.until.is_some() {
            return;
        }
        worker.slow.until = Some(now + DUMPING);
        let pid = worker.tag().pid;
        if !is_dumping {
            self.act(Action::Dump { worker: id, pid });
        }
    }

    /// The stacks are there, or late: tells the slow requests that wait for them. Gives whether that was all that the
    /// stacks were written for, as far as `others` do not want them.
    pub(super) fn tell_slow(&mut self, id: WorkerId, others: bool) -> bool {
        let keep = others || self.tells_stuck();
        let Some(worker) = self.workers.get_mut(&id) else {
            return false;
        };
        if worker.slow.until.take().is_none() {
            return false;
        }
        let requests = std::mem::take(&mut worker.slow.found);
        let tag = worker.tag();
        self.act(Action::LogSlow {
            worker: id,
            tag,
            requests,
            keep,
        });
        !keep
    }

    /// When the next of the requests that run will be slow.
    pub(super) fn until_slow(&self, id: WorkerId, facts: &Facts) -> Option<Duration> {
        let limit = self.slow_limit(id)?;
        let left = facts.running.iter().filter_map(|request| {
            // One that is over the line is known already, or will be in a moment.
            let left = limit.checked_sub(request.age)?;
            (!left.is_zero()).then_some(left)
        });
        left.min()
    }

    fn slow_limit(&self, id: WorkerId) -> Option<Duration> {
        let worker = self.workers.get(&id)?;
        let limit = self.generations.get(&worker.generation)?.plan.slow;
        (!limit.is_zero()).then_some(limit)
    }
}
