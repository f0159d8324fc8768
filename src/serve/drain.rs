//! The end of a worker: nothing new is accepted, what runs is finished, and when the last connection has gone all
//! threads come back from [`Engine::run`].

use std::sync::atomic::Ordering;

use rustix::event::epoll;

use super::{
    application::Application, clock::coarse_ms, engine::Engine, handover::Handover, local::Local,
};

/// How long an idle connection of a draining worker may still bring the request that its client has sent already.
const IDLE_MS: u64 = 1_000;
/// How soon a worker that is done looks whether what was handed over has been taken.
const LOOK_AGAIN_MS: u64 = 100;

impl<A: Application> Engine<A> {
    /// Starts the drain, from any thread, also while all of the engine's are busy.
    pub fn stop(&self) {
        self.stop_accepting();
        // A counter that was written is readable, whatever it holds.
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
    }

    /// The part of the drain that needs none of the engine's threads. Gives whether connections have come by then: that
    /// this worker accepts nothing more is only said once it has accepted them.
    fn stop_accepting(&self) -> bool {
        *self.has_late_arrivals.get_or_init(|| {
            self.draining.store(true, Ordering::SeqCst);
            self.unwatch_listeners();
            let has_arrivals = self.has_arrivals();
            if !has_arrivals {
                (self.on_drain)();
            }
            has_arrivals
        })
    }

    /// Stops accepting, once what has woken this worker is accepted. What runs is finished; idle connections get a moment
    /// for a request that is on its way.
    pub(super) fn begin_drain(&self, local: &mut Local, thread: &mut A::Thread) {
        let has_late_arrivals = self.stop_accepting();
        if self.draining_table.swap(true, Ordering::SeqCst) {
            return;
        }
        for fd in &self.drain {
            let _ = epoll::delete(&self.epoll, fd);
        }
        if has_late_arrivals {
            self.accept_last(local, thread);
            (self.on_drain)();
        }
        // Whoever looks at a connection from now on gives it the deadline of a drain; marks make somebody look.
        for slot in self.table.iter() {
            slot.mark(false);
            self.attend(slot, local, thread);
        }
        self.end_if_drained();
    }

    /// When an idle connection is closed that otherwise had until `deadline`.
    pub(super) fn idle_deadline(&self, deadline: u64) -> u64 {
        if self.draining.load(Ordering::SeqCst) {
            deadline.min(coarse_ms() + IDLE_MS)
        } else {
            deadline
        }
    }

    /// Whether nothing is left to be done. Not before a thread has taken up the drain, which accepts for the last time.
    fn is_idle_in_drain(&self) -> bool {
        self.draining_table.load(Ordering::SeqCst) && self.open.load(Ordering::SeqCst) == 0
    }

    pub(super) fn has_ended(&self) -> bool {
        self.is_idle_in_drain()
            // What other workers have handed over may find nobody else.
            && self.handover.as_ref().is_none_or(Handover::is_empty)
    }

    /// To be called after the last change to what [`Engine::has_ended`] looks at.
    pub(super) fn end_if_drained(&self) {
        if self.is_idle_in_drain() && !self.has_ended() {
            // Another worker may take what was handed over, and nobody would tell.
            self.timers.arm(coarse_ms() + LOOK_AGAIN_MS);
        }
        if self.has_ended() {
            // A counter that was written is readable; that it was written before changes nothing.
            let _ = rustix::io::write(&self.ended, &1_u64.to_ne_bytes());
            if let Some(standby) = &self.standby {
                standby.wake();
            }
        }
    }

    /// The end was announced. It is taken back if a connection was accepted while the drain began, which another
    /// thread saw one moment too early; its own end is announced again.
    pub(super) fn confirm_end(&self) {
        if !self.has_ended() {
            let _ = rustix::io::read(&self.ended, &mut [0; 8]);
            self.end_if_drained();
        }
    }
}
