//! The rules for not looking: a site that has nothing to do costs nothing, however many of them a machine has.
//!
//! It takes two looks in a row that show nothing to do. With the first the workers are asked to ring, which the first of
//! them does that wakes up from then on. One that woke up just before may not have seen that it was asked, but what it
//! began is seen by the second look: that is why this one does not follow at once. From there nobody looks before a worker
//! rings, or before a time comes that a rule waits for.

use std::time::Duration;

use super::{
    Lifecycle, Look, Phase, Reload, Time, Worker, WorkerState,
    harakiri::Stall,
    look::{PACE, STALL},
};
use crate::supervisor::lifecycle::Action;

/// Between two looks at the memory of workers that have nothing to do: threads of the application's own may still work.
const WEIGHING: Duration = Duration::from_secs(10);

/// How far the rules have gone to sleep.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Doze {
    /// There was something to do at the last look, or since.
    #[default]
    Awake,
    /// There was nothing to do, and the workers are asked to ring.
    Asked,
    /// There was still nothing to do: nobody looks.
    Asleep,
}

impl Lifecycle {
    /// Whether nobody looks because there is nothing to do.
    pub(in crate::supervisor) fn is_asleep(&self) -> bool {
        self.looking.doze == Doze::Asleep
    }

    /// Says when to look next: `pace` from now, if there is something to do. To be asked before the numbers of this look
    /// take the place of the last one's.
    pub(super) fn doze(&mut self, look: &Look, pace: Duration, now: Time) {
        let next = match (self.is_quiet(look), self.looking.doze) {
            (false, _) => Doze::Awake,
            (true, Doze::Awake) => Doze::Asked,
            (true, Doze::Asked | Doze::Asleep) => Doze::Asleep,
        };
        if next == Doze::Asked {
            self.act(Action::AskToRing);
        }
        self.looking.due = match next {
            Doze::Asleep => {
                self.fall_asleep(look, now);
                self.next_need(now)
            }
            _ => Some(now + pace),
        };
        self.looking.doze = next;
    }

    /// What was counted from cycle to cycle is counted up to here, since no other cycle ends before somebody rings.
    fn fall_asleep(&mut self, look: &Look, now: Time) {
        for (id, facts) in &look.workers {
            if let Some(worker) = self.workers.get_mut(id) {
                worker.counted = (facts.requests, facts.busy);
            }
        }
        self.looking.threads.0 = 0;
        self.looking.rate = 0.0;
        self.looking.idle_since.get_or_insert(now);
    }

    /// A worker has woken up, so long ago.
    pub(super) fn rung(&mut self, ago: Duration, now: Time) {
        if self.phase != Phase::Serving || self.looking.doze == Doze::Awake {
            return;
        }
        // It rings at once, so this process did not run meanwhile.
        if ago > STALL {
            self.stall = Some(Stall {
                end: now,
                length: ago,
            });
        }
        self.wake_up(now);
    }

    /// Somebody has died, or changes: then there is something to look at.
    pub(super) fn wake_if_restless(&mut self, now: Time) {
        if self.looking.doze == Doze::Asleep && !self.is_settled() {
            self.wake_up(now);
        }
    }

    fn wake_up(&mut self, now: Time) {
        if self.looking.doze == Doze::Asleep {
            // What is measured between looks has not been going on since the last one.
            self.looking.last = now;
            self.looking.cycle = now;
            self.looking.due = Some(now + self.usual_pace());
            self.stuck.seen_alive(now);
        }
        self.looking.doze = Doze::Awake;
    }

    fn is_quiet(&self, look: &Look) -> bool {
        let cheaper = self.generations.get(&self.current);
        let cheaper = cheaper.and_then(|current| current.cheaper.as_ref());
        let worked = self.workers.iter().any(|(id, worker)| {
            let facts = look.workers.get(id);
            facts.is_none_or(|facts| facts.requests != worker.answered || !facts.running.is_empty())
        });
        !worked
            && look.queue == 0
            && cheaper.is_none_or(|cheaper| cheaper.is_at_minimum())
            && self.is_settled()
    }

    /// Whether all workers serve, and stay.
    fn is_settled(&self) -> bool {
        let stays = |worker: &Worker| {
            worker.generation == self.current
                && matches!(worker.state, WorkerState::Serving { .. })
                && worker.due.is_none()
                && worker.harakiri.is_none()
        };
        self.reload == Reload::None
            && self.workers.values().all(stays)
            && self.serving(self.current) == self.target(self.current)
    }

    /// The next time that a rule waits for although nothing happens.
    fn next_need(&self, now: Time) -> Option<Time> {
        let lifetimes = self.workers.values().filter_map(|worker| {
            let WorkerState::Serving { since } = worker.state else {
                return None;
            };
            worker.allowance.end(since)
        });
        let current = self.generations.get(&self.current);
        let exits = current.filter(|current| {
            let plan = &current.plan;
            plan.is_activated && plan.cheaper.exit_on_idle && !plan.cheaper.idle.0.is_zero()
        });
        let since = self.looking.idle_since.unwrap_or(now);
        let exit = exits.map(|current| since + current.plan.cheaper.idle.0);
        let weighing = self.weighs_workers().then(|| now + WEIGHING);
        let next = lifetimes.chain(exit).chain(weighing).min();
        // One that is over has been acted upon in this look, as far as it could be.
        next.map(|next| next.max(now + PACE))
    }
}
