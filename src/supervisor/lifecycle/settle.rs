//! What follows from the state alone, whatever has happened: times that are over, workers that are missing, phases
//! that are complete.

use super::{Action, Lifecycle, Notice, Phase, Reload, Report, Time, WorkerState, ZygoteState};

impl Lifecycle {
    /// When `step` must be called with `Event::Tick` even if nothing happens.
    pub(in crate::supervisor) fn wake_at(&self) -> Option<Time> {
        let zygotes = self.generations.values().filter_map(|generation| {
            match generation.zygote.as_ref()?.state {
                ZygoteState::Loading { deadline } => Some(deadline),
                ZygoteState::Leaving {
                    deadline,
                    killed: false,
                } => Some(deadline),
                _ => None,
            }
        });
        let workers = self
            .workers
            .values()
            .filter_map(|worker| match worker.state {
                WorkerState::Starting { deadline } => Some(deadline),
                WorkerState::Leaving {
                    deadline,
                    killed: false,
                } => Some(deadline),
                _ => None,
            });
        let backoffs = self
            .generations
            .values()
            .filter_map(|generation| generation.backoff.until());
        let settling = match self.reload {
            Reload::Settling { deadline } => Some(deadline),
            _ => None,
        };
        let own = backoffs.chain(settling).chain(self.looking.due);
        zygotes
            .chain(workers)
            .chain(own)
            .chain(self.dumps_due())
            .chain(self.succession_due())
            .min()
    }

    /// Brings everything to where it should be, and gives out the actions of this step.
    pub(super) fn settle(&mut self, now: Time) -> Vec<Action> {
        self.generations
            .values_mut()
            .for_each(|generation| generation.backoff.expire(now));
        self.expire_zygotes(now);
        self.forget_unmade(now);
        self.expire_starts(now);
        self.continue_harakiri(now);
        self.kill_overdue_workers(now);
        self.kill_overdue_zygotes(now);
        if matches!(self.phase, Phase::Starting | Phase::Serving) {
            self.hand_over(now);
            self.finish_reload(now);
            self.release(now);
            self.admit();
            self.complete_current(now);
            self.complete_next(now);
            self.finish_start();
            self.begin_reload();
        }
        self.settle_succession(now);
        self.look_if_due(now);
        if self.workers.values().all(|worker| worker.pid.is_some()) {
            self.strays.clear();
        }
        self.retire_empty();
        self.finish_stop();
        std::mem::take(&mut self.actions)
    }

    /// The current generation has its zygote, and with the next generation's workers the number that it promises.
    fn complete_current(&mut self, now: Time) {
        let Some(generation) = self.generations.get(&self.current) else {
            return;
        };
        if generation.zygote.is_none() && !generation.backoff.waits(now) {
            self.spawn_zygote(self.current, now);
            return;
        }
        let wanted = self.target(self.current);
        let wanted = match self.reload {
            Reload::Next(next) => wanted.saturating_sub(self.serving(next)),
            _ => wanted + self.successors(),
        };
        self.fill(self.current, wanted, now);
    }

    fn complete_next(&mut self, now: Time) {
        let Reload::Next(next) = self.reload else {
            return;
        };
        self.fill(next, self.target(next), now);
    }

    fn finish_start(&mut self) {
        let serving = self.serving(self.current);
        if self.phase == Phase::Starting && serving >= self.target(self.current) {
            self.phase = Phase::Serving;
            self.report(Report::Serving {
                generation: self.current,
                workers: serving,
            });
            self.act(Action::Notify(Notice::Ready));
        }
    }

    fn retire_empty(&mut self) {
        // Who has given way must not keep sockets open that are closed elsewhere.
        let is_current = |number| number == self.current && !self.has_abdicated();
        let needed = |number: u32| is_current(number) || self.is_next(number);
        let empty = self.generations.iter().find(|(number, generation)| {
            let number = **number;
            !needed(number)
                && generation.zygote.is_none()
                && self.workers_of(number).next().is_none()
        });
        if let Some(number) = empty.map(|(number, _)| *number) {
            self.generations.remove(&number);
            self.act(Action::Retire { generation: number });
            self.retire_empty();
        }
    }
}
