//! The loop of a worker: wait, take what is ready, let `drive` go on with it, wait again.

use std::mem::MaybeUninit;

use rustix::{event::epoll, io::Errno, time::Timespec};
use tracing::error;

use super::{
    application::Application,
    engine::{Engine, Topic},
    local::Local,
    making_way::Looks,
};
use crate::{
    journal::{Gathering, has_gathered, write_gathered},
    sys,
};

/// Events taken at once by a lone thread. With more threads each takes one: what one thread took, no other can.
pub(super) const EVENTS: usize = 64;

pub(super) const AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// The client sends no more, or is gone.
const ENDED: epoll::EventFlags = epoll::EventFlags::RDHUP
    .union(epoll::EventFlags::HUP)
    .union(epoll::EventFlags::ERR);
/// [`ENDED`] as a bit of an event's data.
const OVER: u64 = 1 << 63;

impl<A: Application> Engine<A> {
    /// Serves until the worker has drained. Call it once from each of the worker's threads; `index` counts from 0.
    pub fn run(&self, index: u32, thread: &mut A::Thread) {
        let mut local = Local::new(index);
        self.watches.of(index).attach();
        self.record(&local).identify(sys::thread_ident());
        let _gathering = self.gathering(index);
        let at_once = if self.threads() == 1 { EVENTS } else { 1 };
        let mut ready = Vec::with_capacity(at_once);
        let mut looks = Looks::default();
        while !self.has_ended() {
            self.take_left(&mut local, thread);
            self.turns.make_way(&mut looks, local.woke_us);
            self.turns.step(index);
            let waited = self
                .app
                .while_waiting(thread, || self.wait_for_news(at_once, &mut ready));
            self.turns.step(index);
            self.note_wake(&mut local);
            match waited {
                Ok(()) => {}
                Err(Errno::INTR) => self.app.interrupted(thread),
                Err(error) => {
                    error!(%error, "the worker's event loop cannot wait; the worker drains");
                    self.begin_drain(&mut local, thread);
                }
            }
            for data in ready.drain(..) {
                self.dispatch(data, &mut local, thread);
            }
        }
    }

    /// A thread has waited: notes the time, and tells the supervisor if that looks at nothing meanwhile.
    pub(super) fn note_wake(&self, local: &mut Local) {
        local.wake();
        if self.scoreboard.has_to_ring() {
            (self.on_ring)();
        }
    }

    /// Takes `at_once` events at most. What this thread has gathered for the log is written before it sleeps; under load
    /// it does not, because the next event is there already.
    fn wait_for_news(&self, at_once: usize, ready: &mut Vec<u64>) -> Result<(), Errno> {
        if has_gathered() {
            self.wait(at_once, ready, Some(&AT_ONCE))?;
            if !ready.is_empty() {
                return Ok(());
            }
            write_gathered();
        }
        self.wait(at_once, ready, None)
    }

    fn gathering(&self, thread: u32) -> Option<Gathering> {
        let gathered = self.gathered.as_ref()?;
        Some(Gathering::begin(gathered, self.slot, thread))
    }

    /// Takes `at_once` events at most, and waits for the first, for ever or for so long.
    pub(super) fn wait(
        &self,
        at_once: usize,
        ready: &mut Vec<u64>,
        limit: Option<&Timespec>,
    ) -> Result<(), Errno> {
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); EVENTS];
        let (events, _) = epoll::wait(&self.epoll, &mut events[..at_once], limit)?;
        ready.extend(events.iter().map(|event| {
            let flags = event.flags;
            let over = flags.intersects(ENDED);
            event.data.u64() | if over { OVER } else { 0 }
        }));
        Ok(())
    }

    pub(super) fn dispatch(&self, data: u64, local: &mut Local, thread: &mut A::Thread) {
        const CONNECTION: u64 = Topic::Connection as u64;
        const CONTROL: u64 = Topic::Control as u64;
        const DRAIN: u64 = Topic::Drain as u64;
        const ENDED: u64 = Topic::Ended as u64;
        const HANDED: u64 = Topic::Handed as u64;
        const LEFT: u64 = Topic::Left as u64;
        const LISTENER: u64 = Topic::Listener as u64;
        const TIMER: u64 = Topic::Timer as u64;
        match (data & !OVER) >> 32 {
            CONNECTION => {
                if let Some(slot) = self.table.slot(data as u32) {
                    slot.mark(data & OVER != 0);
                    self.attend(slot, local, thread);
                }
            }
            CONTROL if !(self.on_control)() => {}
            CONTROL | DRAIN => self.begin_drain(local, thread),
            ENDED => self.confirm_end(),
            // Whoever has the application looks into the queue before it waits.
            LEFT => {}
            HANDED => self.take_handed(local, thread),
            LISTENER => self.accept(data as u32 as usize, local, thread),
            TIMER => self.sweep(local, thread),
            _ => {}
        }
    }
}
