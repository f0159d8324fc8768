//! Deadlines that have come: connections are given up, accepting is resumed, and the clock is set for the rest.

use std::sync::atomic::Ordering;

use tracing::warn;

use super::{
    application::Application, clock::coarse_ms, drive::Step, engine::Engine, local::Local,
    table::Slot, timers::NEVER,
};

impl<A: Application> Engine<A> {
    /// Ends what has waited too long.
    pub(super) fn sweep(&self, local: &mut Local, thread: &mut A::Thread) {
        self.timers.rang();
        self.resume_accepting();
        let now = coarse_ms();
        let mut earliest = NEVER;
        let mut overdue = Vec::new();
        for slot in self.table.iter() {
            match slot.deadline() {
                deadline if deadline > now => earliest = earliest.min(deadline),
                _ => overdue.push(slot),
            }
        }
        // Before anything else: whoever goes on with a connection may be kept by the application for long.
        self.timers.arm(earliest);
        for slot in overdue {
            self.expire_slot(slot, now, local, thread);
        }
        self.end_if_drained();
    }

    fn resume_accepting(&self) {
        if !self.resting.swap(false, Ordering::SeqCst) || self.is_paused() {
            return;
        }
        if let Err(error) = self.watch_listeners() {
            warn!(%error, "accepting cannot be resumed yet");
            self.rest(error);
        }
    }

    fn expire_slot(&self, slot: &Slot, now: u64, local: &mut Local, thread: &mut A::Thread) {
        match slot.try_own() {
            Some(mut place) => {
                let overdue = place
                    .as_mut()
                    .filter(|connection| connection.deadline <= now);
                if let Some(connection) = overdue {
                    local.lend_buffer(connection);
                    if matches!(self.expire(connection), Step::Close) {
                        return self.unpark(slot, place, local);
                    }
                }
                slot.mark(false);
                slot.let_go(place);
            }
            // Its owner may have written this very deadline already and not let go yet; it will look once more.
            None => slot.mark(false),
        }
        self.attend(slot, local, thread);
    }
}
