//! The rules for a supervisor that gives way to another program, and for one that takes over.
//!
//! Nothing changes until the heir serves. Then this supervisor is one that stops, but for what it is waiting for: requests
//! that run have as long as at a reload, and where it is the heir's parent it ends with it.

use std::time::Duration;

use rustix::process::Signal;

use crate::{ipc::LoadFailure, supervisor::succession::Accession};

use super::{
    Action, ExitStatus, Lifecycle, Notice, PATIENCE, Phase, Reload, Report, SETTLING, StopSignal,
    Time,
};

/// What a shell adds to the number of a signal that has ended a process.
const SIGNALLED: i32 = 128;

/// The supervisor that is to follow this one.
#[derive(Debug)]
pub(super) struct Heir {
    /// Its process, if that is a child of ours.
    child: Option<i32>,
    state: HeirState,
}

#[derive(Debug, PartialEq, Eq)]
enum HeirState {
    /// It has not come up, and ends.
    Leaving { deadline: Time, killed: bool },
    /// It is in charge.
    Reigning {
        accession: Accession,
        /// It has yet to tell the outcome of the reload that it was given to do.
        owes: bool,
    },
    /// It has until then to say that it serves, or that it needs longer.
    Starting { deadline: Time, has_spoken: bool },
}

/// The supervisor before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// It has given way and finishes its requests; with a deadline nobody waits longer for that.
    Finishes { deadline: Option<Time> },
    /// There is none.
    Nobody,
    /// It is in charge.
    Reigns,
}

impl Lifecycle {
    /// The beginning of a supervisor that is to take over from another one.
    pub(in crate::supervisor) fn await_reign(&mut self) {
        self.before = Before::Reigns;
    }

    /// In place of the settings, which are the heir's to read.
    pub(super) fn heir_started(&mut self, child: Option<i32>, now: Time) {
        self.last_generation = self.next_number();
        self.reload = Reload::Heir;
        let patience = self.start_limit() + PATIENCE;
        let state = HeirState::Starting {
            deadline: now + patience,
            has_spoken: false,
        };
        self.heir = Some(Heir { child, state });
        self.act(Action::Notify(Notice::Extend(patience)));
    }

    pub(super) fn heir_extends(&mut self, time: Duration, now: Time) {
        let Some(HeirState::Starting {
            deadline,
            has_spoken,
        }) = self.heir_state()
        else {
            return;
        };
        *deadline = now + time + PATIENCE;
        *has_spoken = true;
        self.act(Action::Notify(Notice::Extend(time + PATIENCE)));
    }

    /// It ends by itself.
    pub(super) fn heir_failed(&mut self, failure: LoadFailure, now: Time) {
        if !self.awaits_heir() {
            return;
        }
        let reason = failure.reason.clone();
        self.report(Report::HeirFailed(failure));
        self.give_up_heir(&reason, now);
    }

    /// Whether an heir that serves may take over.
    pub(in crate::supervisor) fn awaits_heir(&self) -> bool {
        let state = self.heir.as_ref().map(|heir| &heir.state);
        matches!(state, Some(HeirState::Starting { .. }))
    }

    /// It serves: it is in charge from now on. The service manager knows it.
    pub(super) fn heir_ready(&mut self, accession: Accession, now: Time) {
        if !self.awaits_heir() {
            return;
        }
        let owes = std::mem::take(&mut self.reload_again);
        if let Some(state) = self.heir_state() {
            *state = HeirState::Reigning { accession, owes };
        }
        self.act(Action::Abdicate { reload: owes });
        self.phase = Phase::Stopping { code: 0, killed: 0 };
        self.reload = Reload::Settling {
            deadline: now + SETTLING,
        };
        let numbers: Vec<u32> = self.generations.keys().copied().collect();
        for number in numbers {
            self.retire(number, now);
        }
    }

    /// The service is to end, so whoever is still here has no longer than that.
    pub(super) fn heir_stops(&mut self, mercy: Duration, now: Time) {
        if self.has_abdicated() {
            self.drain_all(now + mercy);
            self.hurry_before(mercy, now);
        }
    }

    /// The reload that it was given to do has ended.
    pub(super) fn heir_answered(&mut self) {
        if let Some(HeirState::Reigning { owes, .. }) = self.heir_state() {
            *owes = false;
        }
    }

    /// Its end of the channel is closed. A child that reigns is waited for.
    pub(super) fn heir_gone(&mut self, now: Time) {
        self.heir_answered();
        match self.heir_state() {
            Some(HeirState::Starting { .. }) => {
                let reason = "the new program has ended without a word; the log has what it wrote";
                self.give_up_heir(reason, now);
                self.heir = None;
            }
            Some(HeirState::Leaving { .. }) => self.heir = None,
            Some(HeirState::Reigning { .. }) | None => {}
        }
    }

    /// A child has ended; whether it was the heir, for which we have stayed.
    pub(super) fn heir_exited(&mut self, pid: i32, status: ExitStatus) -> bool {
        let Some(heir) = self.heir.as_ref().filter(|heir| heir.child == Some(pid)) else {
            return false;
        };
        if matches!(heir.state, HeirState::Reigning { .. }) {
            let code = match status {
                ExitStatus::Code(code) => code,
                ExitStatus::Signal(signal) => SIGNALLED + signal,
            };
            self.heir = None;
            if let Phase::Stopping { code: ours, .. } = &mut self.phase {
                *ours = u8::try_from(code).unwrap_or(u8::MAX);
            }
        }
        true
    }

    /// The supervisor before this one has given way.
    pub(super) fn crowned(&mut self, reload: bool) {
        self.before = Before::Finishes { deadline: None };
        if reload {
            self.reload_requested();
        }
    }

    /// It has finished; if it has not given way before, it does not want us any more, or it has died.
    pub(super) fn predecessor_gone(&mut self, now: Time) {
        if std::mem::replace(&mut self.before, Before::Nobody) == Before::Reigns {
            self.stop_requested(StopSignal::Terminate, now);
        }
    }

    /// Passes on what was meant for the heir, which nobody knows but us; gives whether it was.
    pub(super) fn pass_on(&mut self, signal: Signal) -> bool {
        let is_meant = self.has_abdicated() && self.heir_child().is_some();
        if is_meant {
            self.act(Action::SignalHeir(signal));
        }
        is_meant
    }

    /// The service ends, and so does an heir that has not taken over; a predecessor has so much time.
    pub(super) fn stop_relatives(&mut self, mercy: Duration, now: Time) {
        self.dismiss_heir(mercy, now);
        self.hurry_before(mercy, now);
    }

    /// What follows from the time alone, and the end of a reload that was a succession.
    pub(super) fn settle_succession(&mut self, now: Time) {
        if matches!(self.before, Before::Finishes { deadline: Some(deadline) } if deadline <= now) {
            self.before = Before::Nobody;
        }
        let limit = self.start_limit();
        match self.heir_state() {
            Some(HeirState::Starting { deadline, .. }) if *deadline <= now => {
                let reason =
                    format!("the new program did not serve in time (timeouts.start is {limit:?})");
                self.give_up_heir(&reason, now);
            }
            Some(HeirState::Reigning { accession, .. }) => {
                let accession = accession.clone();
                self.finish_succession(accession, now);
            }
            _ => {}
        }
        if let Some(HeirState::Leaving { deadline, killed }) = self.heir_state()
            && *deadline <= now
            && !*killed
        {
            *killed = true;
            self.act(Action::SignalHeir(Signal::KILL));
        }
    }

    /// When [`Lifecycle::settle_succession`] has something to do.
    pub(super) fn succession_due(&self) -> impl Iterator<Item = Time> {
        let heir = self.heir.as_ref().and_then(|heir| match heir.state {
            HeirState::Starting { deadline, .. } => Some(deadline),
            HeirState::Leaving {
                deadline,
                killed: false,
            } => Some(deadline),
            _ => None,
        });
        let before = match self.before {
            Before::Finishes { deadline } => deadline,
            _ => None,
        };
        heir.into_iter().chain(before)
    }

    /// Whether the end has to wait for the supervisor before or after this one.
    pub(super) fn waits_for_relatives(&mut self) -> bool {
        if matches!(self.before, Before::Finishes { .. }) {
            return true;
        }
        let Some(heir) = &self.heir else {
            return false;
        };
        match heir.state {
            HeirState::Reigning { owes: false, .. } => {
                let is_child = heir.child.is_some();
                if is_child {
                    self.wait_for_heir();
                }
                is_child
            }
            _ => true,
        }
    }

    /// Whether another supervisor is in charge, after this one.
    pub(super) fn has_abdicated(&self) -> bool {
        let state = self.heir.as_ref().map(|heir| &heir.state);
        matches!(state, Some(HeirState::Reigning { .. }))
    }

    /// Nothing is left to do but to wait for the heir, which is told so once.
    fn wait_for_heir(&mut self) {
        if let (false, Phase::Stopping { killed, .. }) = (self.rests, self.phase) {
            self.rests = true;
            self.report(Report::Left { killed });
            self.act(Action::PartWithHeir);
        }
    }

    fn finish_succession(&mut self, accession: Accession, now: Time) {
        let Reload::Settling { deadline } = self.reload else {
            return;
        };
        if self.workers.values().all(|worker| worker.quiet) || deadline <= now {
            self.reload = Reload::None;
            self.report(Report::Succeeded(accession));
        }
    }

    fn give_up_heir(&mut self, reason: &str, now: Time) {
        self.dismiss_heir(self.worker_mercy(), now);
        if self.reload == Reload::Heir {
            self.reload_failed(reason);
        }
    }

    /// Tells it to go. One that has said a word may serve already and has requests to finish.
    fn dismiss_heir(&mut self, mercy: Duration, now: Time) {
        let Some(HeirState::Starting { has_spoken, .. }) = self.heir_state() else {
            return;
        };
        let deadline = match has_spoken {
            true => now + mercy + PATIENCE,
            false => now + PATIENCE,
        };
        if let Some(state) = self.heir_state() {
            *state = HeirState::Leaving {
                deadline,
                killed: false,
            };
        }
        self.act(Action::PartWithHeir);
    }

    fn hurry_before(&mut self, mercy: Duration, now: Time) {
        if let Before::Finishes { deadline } = &mut self.before {
            *deadline = Some(now + mercy + PATIENCE);
            self.act(Action::HurryPredecessor(mercy));
        }
    }

    fn heir_state(&mut self) -> Option<&mut HeirState> {
        self.heir.as_mut().map(|heir| &mut heir.state)
    }

    fn heir_child(&self) -> Option<i32> {
        self.heir.as_ref()?.child
    }

    fn start_limit(&self) -> Duration {
        let current = self.generations.get(&self.current);
        current.map_or(PATIENCE, |current| current.plan.start)
    }

    fn worker_mercy(&self) -> Duration {
        let current = self.generations.get(&self.current);
        current.map_or(PATIENCE, |current| current.plan.worker_reload_mercy)
    }
}
