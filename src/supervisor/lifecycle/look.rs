//! The rules for looking: when the supervisor reads what the workers have written, and what it makes of it.
//!
//! There are four looks a second while there is something to do, each of which costs some microseconds; how looking ends
//! and begins is in `doze`. A deadline, or a limit of requests, that is nearer than the next look brings it forward, so
//! that what is looked for is seen when it happens.

use std::time::Duration;

use crate::supervisor::cheaper::Load;

use super::{
    Action, Facts, Lifecycle, Look, Phase, Report, Time, WorkerId, WorkerState, doze::Doze,
    harakiri::Stall,
};

/// From one look to the next, when nothing is near. Three of them find that a site has nothing to do any more (`doze`),
/// and that is to take less than a second.
pub(super) const PACE: Duration = Duration::from_millis(250);
/// From one look that counts for the number of workers to the next: a whole number of paces.
const CYCLE: Duration = Duration::from_secs(1);
/// From one look to the next while a limit of requests may come near: how fast, only looking tells.
const COUNTING: Duration = Duration::from_millis(100);
/// Between two looks at the least, whatever is near.
const SHORTEST: Duration = Duration::from_millis(20);
/// A look that comes so much too late was not made in time because this process did not run.
pub(super) const STALL: Duration = Duration::from_secs(1);

/// What the rules remember between looks.
#[derive(Debug, Default)]
pub(super) struct Looking {
    /// When the next one is due; `None`: it is being made, there is nobody to look at, or nothing to see.
    pub(super) due: Option<Time>,
    pub(super) doze: Doze,
    pub(super) last: Time,
    /// The last one that counted for the number of workers; those are a [`CYCLE`] apart.
    pub(super) cycle: Time,
    /// Threads at work at the last look that counted, of how many.
    pub(super) threads: (u32, u32),
    /// Requests answered in a second, up to it.
    pub(super) rate: f64,
    /// Since when there has been nothing to do.
    pub(super) idle_since: Option<Time>,
}

impl Looking {
    /// How busy the site is, to stand behind other words.
    pub(super) fn pulse(&self) -> String {
        match (self.threads, self.rate) {
            ((_, 0), _) => String::new(),
            ((busy, threads), rate) if rate < 10.0 => {
                format!("; {busy} of {threads} threads busy; {rate:.1} requests/s")
            }
            ((busy, threads), rate) => {
                format!("; {busy} of {threads} threads busy; {rate:.0} requests/s")
            }
        }
    }
}

impl Lifecycle {
    /// Makes the look that is due, and begins with the first one when the service serves.
    pub(super) fn look_if_due(&mut self, now: Time) {
        if self.phase != Phase::Serving {
            self.looking.due = None;
            return;
        }
        self.wake_if_restless(now);
        match self.looking.due {
            None if self.looking.last.is_zero() => {
                self.looking.last = now;
                self.looking.cycle = now;
                self.looking.due = Some(now + PACE);
                self.look_at_newcomers(now);
            }
            Some(due) if due <= now => {
                let late = now - due;
                if late > STALL {
                    self.stall = Some(Stall {
                        end: now,
                        length: late,
                    });
                }
                self.looking.due = None;
                let memory = self.weighs_workers();
                self.act(Action::Look { memory });
            }
            _ => {}
        }
    }

    /// Workers are weighed as soon as they serve: what they take later is not of their start.
    pub(super) fn look_at_newcomers(&mut self, now: Time) {
        if self.weighs_workers()
            && let Some(due) = &mut self.looking.due
        {
            *due = now;
        }
    }

    pub(super) fn weighs_workers(&self) -> bool {
        let mut generations = self.generations.values();
        generations.any(|generation| generation.plan.weighs_workers())
    }

    pub(super) fn looked(&mut self, look: &Look, now: Time) {
        if self.phase != Phase::Serving {
            return;
        }
        let since = now.saturating_sub(self.looking.last);
        self.looking.last = now;
        let pace = self.pace(look, since);
        self.watch_for_stuck(look, now);
        for (id, facts) in &look.workers {
            self.weigh(*id, facts, now);
            self.judge(*id, facts, now);
            self.watch_for_slow(*id, facts, now);
        }
        let cycle = now.saturating_sub(self.looking.cycle);
        if cycle + SHORTEST >= CYCLE {
            self.looking.cycle = now;
            let answered = self.adapt(look, cycle);
            self.rest(answered, now);
        }
        self.doze(look, pace, now);
        for (id, facts) in &look.workers {
            if let Some(worker) = self.workers.get_mut(id) {
                worker.answered = facts.requests;
                worker.is_busy = !facts.running.is_empty();
            }
        }
    }

    /// How long until the next look.
    fn pace(&self, look: &Look, since: Duration) -> Duration {
        let workers = look.workers.iter();
        let near = workers.flat_map(|(id, facts)| {
            let deadlines = facts.running.iter().filter_map(|request| {
                let limit = request.limit?;
                // One that is over is known already, or will be in a moment.
                limit
                    .checked_sub(request.age)
                    .filter(|left| !left.is_zero())
            });
            let limit = self.until_limit(*id, facts, since);
            deadlines.chain(limit).chain(self.until_slow(*id, facts))
        });
        let soonest = near.min().unwrap_or(PACE);
        soonest.min(self.usual_pace()).max(SHORTEST)
    }

    /// The same when nothing is near: a request that begins now is seen before its deadline.
    pub(super) fn usual_pace(&self) -> Duration {
        let plans = self.generations.values().map(|found| &found.plan);
        let limits = plans.flat_map(|plan| [plan.harakiri, plan.slow]);
        let limits = limits.filter(|limit| !limit.is_zero());
        limits.min().unwrap_or(PACE).clamp(SHORTEST, PACE)
    }

    /// When a worker will have answered as many requests as it may, if it goes on like this; or its successor, if it has
    /// answered them already.
    fn until_limit(&self, id: WorkerId, facts: &Facts, since: Duration) -> Option<Duration> {
        let worker = self.workers.get(&id)?;
        let left = worker.allowance.requests_left(facts.requests)?;
        let left = match (worker.due, left) {
            (None, 1..) => left,
            _ => worker.allowance.requests_left(0)?,
        };
        let answered = facts.requests.saturating_sub(worker.answered);
        let pace = || since.mul_f64(left as f64 / answered as f64);
        (answered > 0).then(|| pace().min(COUNTING))
    }

    /// Lets the number of workers follow the load. Gives whether there was anything to do.
    fn adapt(&mut self, look: &Look, cycle: Duration) -> bool {
        let mut load = Load {
            queue: look.queue,
            starting: self.starting(self.current),
            serving: self.serving(self.current),
            ..Load::default()
        };
        let (mut busy, mut active) = (Duration::ZERO, false);
        let (mut at_work, mut answered) = (0, 0);
        for (id, facts) in &look.workers {
            let Some(worker) = self.workers.get_mut(id) else {
                continue;
            };
            load.rss += facts.memory.map_or(0, |memory| memory.rss);
            let running = facts.running.iter();
            let total = running.fold(facts.busy, |total, request| total + request.age);
            active |= facts.requests != worker.counted.0 || !facts.running.is_empty();
            answered += facts.requests.saturating_sub(worker.counted.0);
            at_work += facts.running.len() as u32;
            let worked = total.saturating_sub(worker.counted.1);
            worker.counted = (facts.requests, total);
            if worker.generation == self.current && worker.accepts() {
                busy += worked;
                load.idle += u32::from(facts.running.is_empty());
            }
        }
        let is_pressed = self.is_pressed();
        let Some(generation) = self.generations.get_mut(&self.current) else {
            return active;
        };
        let threads = load.serving.saturating_mul(generation.plan.threads);
        self.looking.threads = (at_work, threads.max(at_work));
        self.looking.rate = answered as f64 / cycle.as_secs_f64().max(0.001);
        let capacity = cycle.as_secs_f64() * f64::from(threads);
        if capacity > 0.0 {
            load.busy = (100.0 * busy.as_secs_f64() / capacity).min(100.0) as u32;
        }
        if let Some(cheaper) = &mut generation.cheaper {
            let from = cheaper.target();
            cheaper.look(&load, is_pressed);
            let to = cheaper.target();
            self.adapted(from, to);
        }
        active
    }

    /// Without anything to do for long: as few workers as there may be, or none and no service either.
    fn rest(&mut self, active: bool, now: Time) {
        let Some(generation) = self.generations.get_mut(&self.current) else {
            return;
        };
        let plan = &generation.plan;
        let (idle, exits) = (
            plan.cheaper.idle.0,
            plan.cheaper.exit_on_idle && plan.is_activated,
        );
        if active || idle.is_zero() || self.reload != super::Reload::None {
            self.looking.idle_since = None;
            return;
        }
        let since = *self.looking.idle_since.get_or_insert(now);
        if now.saturating_sub(since) < idle {
            return;
        }
        if exits {
            self.report(Report::Idle { idle });
            self.stop_gently(now);
        } else if let Some(cheaper) = &mut generation.cheaper {
            let from = cheaper.target();
            cheaper.fall_to_minimum();
            let to = cheaper.target();
            self.adapted(from, to);
        }
    }

    fn adapted(&mut self, from: u32, to: u32) {
        if from != to {
            self.report(Report::Adapting { from, to });
        }
    }

    /// Whether the service does what it is for, so that the service manager may be told that it is alive: somebody
    /// serves whose requests are within their deadlines, or is on the way.
    pub(in crate::supervisor) fn is_alive(&self) -> bool {
        if self.phase != Phase::Serving {
            return true;
        }
        if self.is_stuck() {
            return false;
        }
        let starting = |state| matches!(state, WorkerState::Starting { .. });
        let mut workers = self.workers.values();
        workers.any(|worker| worker.accepts() || starting(worker.state))
            || self
                .generations
                .values()
                .any(|generation| generation.loads())
    }
}
