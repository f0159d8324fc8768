//! The rules for a change of generation: the new one must serve before the old one goes, and if it does not come up,
//! the old one serves on.

use rustix::process::Signal;

use super::{
    Action, Before, Cause, Lifecycle, Notice, PATIENCE, Phase, Plan, Reload, Report, SETTLING,
    Time, WorkerId, WorkerState,
};

impl Lifecycle {
    /// One reload at a time; any number of further requests are one more, since only the newest state of the files
    /// matters.
    pub(super) fn reload_requested(&mut self) {
        if !self.pass_on(Signal::HUP) {
            self.reload_again = true;
        }
    }

    /// Begins the reload that was asked for, as soon as none is going on.
    pub(super) fn begin_reload(&mut self) {
        let is_free = self.reload == Reload::None && self.heir.is_none();
        let is_in_charge = self.phase == Phase::Serving && self.before != Before::Reigns;
        if !(self.reload_again && is_free && is_in_charge) {
            return;
        }
        self.reload_again = false;
        self.reload = Reload::Reading;
        self.report(Report::Reloading);
        self.act(Action::Notify(Notice::Reloading));
        self.act(Action::ReadSettings {
            generation: self.next_number(),
        });
    }

    pub(super) fn settings_read(&mut self, result: Result<Box<Plan>, String>, now: Time) {
        if self.reload != Reload::Reading || self.phase != Phase::Serving {
            return;
        }
        match result {
            Ok(plan) => {
                let number = self.next_number();
                self.reload = Reload::Next(number);
                self.last_generation = number;
                self.act(Action::Notify(Notice::Extend(plan.start + PATIENCE)));
                self.add_generation(number, *plan, now);
            }
            Err(reason) => self.reload_failed(&reason),
        }
    }

    /// Something in a generation went wrong that it cannot make good by itself unless it serves already.
    pub(super) fn generation_failed(&mut self, number: u32, reason: &str, code: u8, now: Time) {
        if self.phase == Phase::Starting {
            let reason = reason.to_owned();
            self.report(Report::StartFailed { reason });
            self.stop_with(code, now);
        } else if self.phase == Phase::Serving {
            if self.is_next(number) {
                self.retire(number, now);
                self.reload_failed(reason);
            } else if number == self.current {
                self.last_failure = Some(reason.to_owned());
            }
        }
    }

    /// For each worker of the next generation that serves, one of the current generation goes, the oldest first.
    pub(super) fn hand_over(&mut self, now: Time) {
        let Reload::Next(next) = self.reload else {
            return;
        };
        let Some(current) = self.generations.get(&self.current) else {
            return;
        };
        let deadline = now + current.plan.worker_reload_mercy;
        let (wanted, serving) = (self.target(next), self.serving(next));
        let all = self.serving(self.current) + serving;
        let surplus = all.saturating_sub(self.target(self.current));
        for id in self.longest_serving(self.current, surplus) {
            self.counters.add(Cause::Reload);
            self.drain(id, deadline);
        }
        if serving >= wanted {
            self.retire(self.current, now);
            self.current = next;
            self.act(Action::Promote { generation: next });
            self.reload = Reload::Settling {
                deadline: now + SETTLING,
            };
        }
    }

    /// A reload is complete when nobody new gets an answer from the old code.
    pub(super) fn finish_reload(&mut self, now: Time) {
        let Reload::Settling { deadline } = self.reload else {
            return;
        };
        let current = self.current;
        let quiet = self
            .workers
            .values()
            .all(|worker| worker.quiet || worker.generation == current);
        if quiet || deadline <= now {
            self.reload = Reload::None;
            self.last_failure = None;
            let workers = self.serving(current);
            self.report(Report::Reloaded {
                generation: current,
                workers,
            });
            self.act(Action::Notify(Notice::Ready));
        }
    }

    /// Nothing new of this generation; its workers finish what they have, those that do not serve yet just end.
    pub(super) fn retire(&mut self, number: u32, now: Time) {
        let Some(generation) = self.generations.get(&number) else {
            return;
        };
        let mercy = generation.plan.worker_reload_mercy;
        let deadlines = self
            .workers
            .iter()
            .filter(|(_, worker)| worker.generation == number);
        let leaving: Vec<(WorkerId, WorkerState)> =
            deadlines.map(|(id, worker)| (*id, worker.state)).collect();
        for (id, state) in leaving {
            let deadline = match state {
                WorkerState::Starting { .. } => now,
                _ => now + mercy,
            };
            if matches!(state, WorkerState::Serving { .. }) {
                self.counters.add(Cause::Reload);
            }
            self.drain(id, deadline);
        }
        self.dismiss_zygote(number, now);
    }

    pub(super) fn reload_failed(&mut self, reason: &str) {
        self.reload = Reload::None;
        self.last_failure = Some(reason.to_owned());
        self.report(Report::ReloadFailed {
            reason: reason.to_owned(),
        });
        self.act(Action::Notify(Notice::Ready));
    }

    fn longest_serving(&self, number: u32, count: u32) -> Vec<WorkerId> {
        let serving = self.workers.iter().filter(|(_, worker)| {
            worker.generation == number && matches!(worker.state, WorkerState::Serving { .. })
        });
        serving.map(|(id, _)| *id).take(count as usize).collect()
    }

    pub(super) fn next_number(&self) -> u32 {
        self.last_generation + 1
    }
}
