//! The rules for the end: no new process, every request may finish while there is time, then SIGKILL.

use std::time::Duration;

use rustix::process::Signal;

use super::{
    Action, Lifecycle, Notice, PATIENCE, Phase, Report, StopSignal, Time, Worker, WorkerId,
};

impl Lifecycle {
    pub(super) fn stop_requested(&mut self, signal: StopSignal, now: Time) {
        // An interrupt from a terminal reaches the heir by itself, and the second one would end it at once.
        if self.pass_on(Signal::TERM) {
            return;
        }
        match (self.phase, signal) {
            (Phase::Serving, _) => self.stop_gently(now),
            (Phase::Starting, _) => self.stop_with(0, now),
            (Phase::Stopping { .. }, StopSignal::Interrupt) => self.everybody_leaves(now),
            (Phase::Stopping { .. }, StopSignal::Terminate) | (Phase::Done, _) => {}
        }
    }

    /// Ends a start. Workers that serve already may have been sent requests, and finish them.
    pub(super) fn stop_with(&mut self, code: u8, now: Time) {
        self.phase = Phase::Stopping { code, killed: 0 };
        self.act(Action::Notify(Notice::Stopping));
        self.stop_relatives(Duration::ZERO, now);
        let plan = self.generations.get(&self.current);
        let mercy = plan.map_or(PATIENCE, |found| found.plan.worker_reload_mercy);
        let has_served = |worker: &Worker| worker.accepts() || worker.quiet;
        let workers = self.workers.iter();
        let all: Vec<_> = workers
            .map(|(id, worker)| (*id, has_served(worker)))
            .collect();
        for (id, has_served) in all {
            self.drain(id, if has_served { now + mercy } else { now });
        }
        self.hurry_zygotes(now);
    }

    /// The last action of all.
    pub(super) fn finish_stop(&mut self) {
        let Phase::Stopping { code, killed } = self.phase else {
            return;
        };
        let zygotes = self
            .generations
            .values()
            .any(|generation| generation.zygote.is_some());
        if zygotes || !self.workers.is_empty() || self.waits_for_relatives() {
            return;
        }
        self.phase = Phase::Done;
        match (self.has_abdicated(), self.rests) {
            (true, _) => self.report(Report::Left { killed }),
            (false, false) if code == 0 => self.report(Report::Stopped { killed }),
            _ => {}
        }
        self.act(Action::Exit(code));
    }

    pub(super) fn stop_gently(&mut self, now: Time) {
        let plan = self
            .generations
            .get(&self.current)
            .map(|generation| &generation.plan);
        let mercy = plan.map_or(PATIENCE, |plan| plan.reload_mercy);
        self.phase = Phase::Stopping { code: 0, killed: 0 };
        let workers = self.workers.len() as u32;
        self.report(Report::Stopping { workers, mercy });
        self.act(Action::Notify(Notice::Stopping));
        self.act(Action::Notify(Notice::Extend(mercy + PATIENCE)));
        self.drain_all(now + mercy);
        self.stop_relatives(mercy, now);
        let numbers: Vec<u32> = self.generations.keys().copied().collect();
        for number in numbers {
            self.dismiss_zygote(number, now);
        }
    }

    /// Opens the log anew, or has it done by whoever is in charge.
    pub(super) fn reopen_requested(&mut self) {
        if !self.pass_on(Signal::USR1) {
            self.act(Action::ReopenLog);
        }
    }

    fn everybody_leaves(&mut self, now: Time) {
        self.drain_all(now);
        self.hurry_zygotes(now);
    }

    pub(super) fn drain_all(&mut self, deadline: Time) {
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.drain(id, deadline);
        }
    }
}
