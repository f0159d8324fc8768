//! The rules for workers that are replaced while they are well: the successor serves before the predecessor stops
//! accepting, and only so many change at a time.

use super::{
    Action, Facts, Lifecycle, Memory, Phase, Reason, Recycling, Reload, Report, Time, Worker,
    WorkerId, WorkerState, jitter::Jitter,
};

/// A worker that took too much memory when it was first weighed has taken it for its start: a successor would be no
/// better, so that workers would do nothing but change. It stays at least until this age; uWSGI has the same, for all,
/// as `min-worker-lifetime`.
const YOUNG: Time = Time::from_secs(10);

/// What one worker may use of the limits that have a delta; zero is no limit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Allowance {
    requests: u64,
    lifetime: Time,
}

impl Allowance {
    /// Chosen once for each worker, so that those which started together do not go together.
    pub(super) fn choose(limits: &Recycling, jitter: &mut Jitter) -> Self {
        let requests = match limits.requests {
            0 => 0,
            requests => requests.saturating_add(jitter.up_to(limits.requests_delta)),
        };
        let delta = u64::try_from(limits.lifetime_delta.as_millis()).unwrap_or(u64::MAX);
        let lifetime = match limits.lifetime {
            Time::ZERO => Time::ZERO,
            lifetime => lifetime.saturating_add(Time::from_millis(jitter.up_to(delta))),
        };
        Self { requests, lifetime }
    }

    /// The limits of requests and age that were chosen.
    #[cfg(test)]
    pub(super) fn limits(&self) -> (u64, Time) {
        (self.requests, self.lifetime)
    }

    /// When its lifetime ends, if that has a limit.
    pub(super) fn end(&self, since: Time) -> Option<Time> {
        (!self.lifetime.is_zero()).then(|| since.saturating_add(self.lifetime))
    }

    /// How many requests are left of the limit, if there is one.
    pub(super) fn requests_left(&self, answered: u64) -> Option<u64> {
        (self.requests > 0).then(|| self.requests.saturating_sub(answered))
    }

    /// What is reached of the limits that each worker has for itself.
    fn reason(&self, age: Time, facts: &Facts) -> Option<Reason> {
        let (count, limit) = (facts.requests, self.requests);
        if reached(count, limit) {
            return Some(Reason::Requests { count, limit });
        }
        if !self.lifetime.is_zero() && age >= self.lifetime {
            let limit = self.lifetime;
            return Some(Reason::Lifetime { age, limit });
        }
        None
    }
}

impl Recycling {
    /// What is reached of the limits of memory.
    fn reason(&self, memory: Memory) -> Option<Reason> {
        let (bytes, limit) = (memory.rss, self.rss);
        if reached(bytes, limit) {
            return Some(Reason::Rss { bytes, limit });
        }
        let (bytes, limit) = (memory.address_space, self.address_space);
        reached(bytes, limit).then_some(Reason::AddressSpace { bytes, limit })
    }
}

fn reached(value: u64, limit: u64) -> bool {
    limit > 0 && value >= limit
}

impl Lifecycle {
    /// Finds out whether a worker has reached one of its limits.
    pub(super) fn weigh(&mut self, id: WorkerId, facts: &Facts, now: Time) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let Some(generation) = self.generations.get(&worker.generation) else {
            return;
        };
        let limits = &generation.plan.recycling;
        let rss = facts.memory.map_or(0, |memory| memory.rss);
        if reached(rss, limits.evil_rss) {
            let limit = limits.evil_rss;
            return self.kill_evil(id, rss, limit, now);
        }
        if let (WorkerState::Serving { since }, None) = (worker.state, worker.due) {
            let age = now.saturating_sub(since);
            let heavy = facts.memory.and_then(|memory| limits.reason(memory));
            let born_heavy = *worker.born_heavy.get_or_insert(heavy.is_some());
            let heavy = heavy.filter(|_| !born_heavy || age >= YOUNG);
            worker.due = worker.allowance.reason(age, facts).or(heavy);
        }
    }

    /// Somebody wants workers of the current generation to be replaced.
    pub(super) fn recycle_requested(&mut self, slot: Option<u32>) {
        let current = self.current;
        let wanted = self
            .workers
            .values_mut()
            .filter(|worker| worker.generation == current)
            .filter(|worker| slot.is_none_or(|slot| worker.slot == slot));
        for worker in wanted {
            worker.due = worker.due.or(Some(Reason::Asked));
        }
    }

    /// It has said itself that it should be replaced.
    pub(super) fn worker_is_due(&mut self, id: WorkerId, reason: Reason) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.due = worker.due.or(Some(reason));
        }
    }

    /// How many successors the current generation needs besides the workers that stay.
    pub(super) fn successors(&self) -> u32 {
        self.replacing(Worker::accepts)
    }

    /// Lets the next workers change, as many as may at a time. A reload replaces all of them anyway.
    pub(super) fn admit(&mut self) {
        if matches!(self.reload, Reload::Reading | Reload::Next(_)) {
            let all = self.workers.values_mut();
            return all
                .filter(|worker| matches!(worker.state, WorkerState::Serving { .. }))
                .for_each(|worker| worker.replacing = false);
        }
        let Some(generation) = self.generations.get(&self.current) else {
            return;
        };
        let at_once = generation.plan.recycling.at_once.max(1);
        let free = at_once.saturating_sub(self.replacing(|_| true));
        let current = self.current;
        let due = self.workers.values_mut().filter(|worker| {
            worker.generation == current
                && worker.due.is_some()
                && !worker.replacing
                && worker.accepts()
        });
        due.take(free as usize)
            .for_each(|worker| worker.replacing = true);
    }

    /// Lets go whoever has a successor that serves, and then whoever is not needed.
    pub(super) fn release(&mut self, now: Time) {
        if self.phase != Phase::Serving || matches!(self.reload, Reload::Next(_)) {
            return;
        }
        let Some(generation) = self.generations.get(&self.current) else {
            return;
        };
        let deadline = now + generation.plan.worker_reload_mercy;
        let surplus = self
            .serving(self.current)
            .saturating_sub(self.target(self.current));
        for id in self.expendable(surplus) {
            let Some(worker) = self.workers.get(&id) else {
                continue;
            };
            let reason = worker.due.filter(|_| worker.replacing);
            let reason = reason.unwrap_or(Reason::Surplus);
            let worker = worker.tag();
            self.report(Report::Recycled { worker, reason });
            self.counters.add(reason.cause());
            self.drain(id, deadline);
        }
    }

    /// Those that are being replaced, the oldest first; then the youngest, idle ones before others.
    fn expendable(&self, count: u32) -> Vec<WorkerId> {
        let serving = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.generation == self.current && worker.accepts());
        let (replaced, others): (Vec<_>, Vec<_>) =
            serving.partition(|(_, worker)| worker.replacing);
        let mut others: Vec<_> = others.into_iter().rev().collect();
        others.sort_by_key(|(_, worker)| worker.is_busy);
        let all = replaced.into_iter().chain(others);
        all.map(|(id, _)| *id).take(count as usize).collect()
    }

    fn replacing(&self, which: impl Fn(&Worker) -> bool) -> u32 {
        let found = self.workers.values();
        found
            .filter(|worker| worker.replacing && which(worker))
            .count() as u32
    }

    /// No mercy: the machine's memory is at stake.
    fn kill_evil(&mut self, id: WorkerId, rss: u64, limit: u64, now: Time) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let (Some(pid), false) = (worker.pid, worker.is_killed()) else {
            return;
        };
        let lived = match worker.state {
            WorkerState::Serving { since } => Some(now.saturating_sub(since)),
            WorkerState::Leaving { .. } | WorkerState::Starting { .. } => None,
        };
        let was_leaving = matches!(worker.state, WorkerState::Leaving { .. });
        worker.state = WorkerState::Leaving {
            deadline: now,
            killed: true,
        };
        let (worker, number) = (worker.tag(), worker.generation);
        self.report(Report::EvilReload { worker, rss, limit });
        self.act(Action::Kill { pid });
        self.counters.add(super::Cause::Memory);
        if !was_leaving {
            self.back_off(number, lived, now);
        }
    }
}
