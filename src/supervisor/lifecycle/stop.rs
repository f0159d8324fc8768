//! The rules for the end: no new process, every request may finish while there is time, then SIGKILL.

use super::{Action, Lifecycle, Notice, PATIENCE, Phase, Report, StopSignal, Time, WorkerId};

impl Lifecycle {
    pub(super) fn stop_requested(&mut self, signal: StopSignal, now: Time) {
        match (self.phase, signal) {
            (Phase::Serving, _) => self.stop_gently(now),
            (Phase::Starting, _) => self.stop_with(0, now),
            (Phase::Stopping { .. }, StopSignal::Interrupt) => self.everybody_leaves(now),
            (Phase::Stopping { .. }, StopSignal::Terminate) | (Phase::Done, _) => {}
        }
    }

    /// Ends at once: nothing serves that would have to finish.
    pub(super) fn stop_with(&mut self, code: u8, now: Time) {
        self.phase = Phase::Stopping { code, killed: 0 };
        self.act(Action::Notify(Notice::Stopping));
        self.everybody_leaves(now);
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
        if zygotes || !self.workers.is_empty() {
            return;
        }
        self.phase = Phase::Done;
        if code == 0 {
            self.report(Report::Stopped { killed });
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
        let numbers: Vec<u32> = self.generations.keys().copied().collect();
        for number in numbers {
            self.dismiss_zygote(number, now);
        }
    }

    fn everybody_leaves(&mut self, now: Time) {
        self.drain_all(now);
        self.hurry_zygotes(now);
    }

    fn drain_all(&mut self, deadline: Time) {
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.drain(id, deadline);
        }
    }
}
