//! The thread that stands by: while every thread of the application is kept by it, files, redirections and everything
//! else that needs no application is served all the same.
//!
//! It runs the same loop over the same epoll instance, but not always: between requests there would be two to wait for
//! one event. It looks every [`TICK`], and takes part only from when all the others have been at the same requests since
//! the last look, until one of them is done. When nothing at all happens it sleeps, and the next request wakes it.
//!
//! A request that turns out to be the application's is handed to whichever worker has time (`handover`), or, where that is
//! not possible, *left*: its connection stays parked as it is, its slot's number is queued here, and a bell (an eventfd in
//! epoll) wakes a thread that has the application. Those look into the queue before each wait. Either way the request is
//! decided on anew.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
    thread::{self, Thread},
    time::Duration,
};

use rustix::{
    event::{EventfdFlags, eventfd},
    time::Timespec,
};

use super::{application::Application, engine::Engine, local::Local};

/// Time between two looks.
const TICK: Duration = Duration::from_millis(10);
const TICK_TIME: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: TICK.as_nanos() as i64,
};
/// Connections that may wait for the application in this worker, because they fit nowhere else, before the standby thread
/// accepts no more: what more there is waits in the listeners' queues, with whose lengths front servers can deal.
const LEFT: usize = 256;
/// The same for connections that cannot be handed to another worker.
const LEFT_HERE: usize = 16;
/// How long all threads of all workers must have been kept before such connections are accepted.
const STUCK_US: u64 = 100_000;

/// What the standby thread and the others share.
pub(super) struct Standby {
    left: Mutex<VecDeque<u32>>,
    count: AtomicUsize,
    /// Written for each connection that is left.
    bell: OwnedFd,
    is_asleep: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Standby {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            left: Mutex::default(),
            count: AtomicUsize::new(0),
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            is_asleep: AtomicBool::new(false),
            thread: OnceLock::new(),
        })
    }

    /// For epoll, edge-triggered: it is never read.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// A request has begun: all threads may be kept from now on. The fence pairs with the one in [`Standby::sleep`]: of
    /// a request that begins and a thread that falls asleep at least one sees the other.
    pub(super) fn note_request(&self) {
        fence(Ordering::SeqCst);
        if self.is_asleep.load(Ordering::Relaxed) {
            self.wake();
        }
    }

    pub(super) fn wake(&self) {
        self.is_asleep.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// Sleeps until a request begins, unless `has_news` says that one has.
    fn sleep(&self, has_news: impl Fn() -> bool) {
        self.is_asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if has_news() {
            self.is_asleep.store(false, Ordering::Relaxed);
        }
        while self.is_asleep.load(Ordering::Relaxed) {
            thread::park();
        }
    }

    fn push(&self, number: u32) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.push_back(number);
        self.count.store(left.len(), Ordering::SeqCst);
    }

    fn pop(&self) -> Option<u32> {
        if self.count.load(Ordering::SeqCst) == 0 {
            return None;
        }
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let number = left.pop_front();
        self.count.store(left.len(), Ordering::SeqCst);
        number
    }

    /// How many connections wait here.
    fn left(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    fn ring(&self) {
        // A counter that was written is reported anew, whatever it holds; it is full after 2^64 rings.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

impl<A: Application> Engine<A> {
    /// Whether somebody shall call [`Engine::stand_by`].
    pub fn has_standby(&self) -> bool {
        self.standby.is_some()
    }

    /// Serves what needs no application while all threads are kept by it, until the worker has drained. `thread` is one
    /// that has no application ([`Application::is_standby`]).
    pub fn stand_by(&self, thread: &mut A::Thread) {
        let Some(standby) = &self.standby else {
            return;
        };
        // Nobody else stands by.
        let _ = standby.thread.set(thread::current());
        let index = self.threads();
        let mut local = Local::new(index);
        self.watches.of(index).attach();
        let mut before = Vec::new();
        while !self.has_ended() {
            let now = self.watches.words(index);
            let is_same = now == before;
            before = now;
            if is_same && self.watches.are_busy(index) {
                self.serve_while(&before, &mut local, thread);
            } else if is_same && standby.left() == 0 {
                standby.sleep(|| self.has_ended() || self.watches.words(index) != before);
                continue;
            } else if !self.watches.are_busy(index) && standby.left() > 0 {
                // Somebody has time and may have missed the bell, or it was us who heard it.
                standby.ring();
            }
            thread::park_timeout(TICK);
        }
    }

    /// Serves as long as the others are at the same requests.
    fn serve_while(&self, kept: &[u64], local: &mut Local, thread: &mut A::Thread) {
        // A new connection shall wake a worker with a thread to spare, and what waits for one is nothing for this thread.
        self.unwatch_listeners();
        self.unwatch_handover();
        let mut ready = Vec::with_capacity(1);
        while !self.has_ended() && self.watches.words(self.threads()) == kept {
            if self.wait(1, &mut ready, Some(&TICK_TIME)).is_err() {
                break;
            }
            local.wake();
            for data in ready.drain(..) {
                self.dispatch(data, local, thread);
            }
            self.accept_what_waits(local, thread);
        }
        let watched = self.watch_listeners().and_then(|()| self.watch_handover());
        if let Err(error) = watched {
            self.rest(error);
        }
    }

    /// Accepts what nobody else has accepted since the last turn.
    fn accept_what_waits(&self, local: &mut Local, thread: &mut A::Thread) {
        let is_kept = self.is_site_kept(STUCK_US);
        for (number, listener) in self.listeners.iter().enumerate() {
            let left = self.standby.as_ref().map_or(0, Standby::left);
            let may_be_left = match self.can_be_handed(listener.protocol) {
                true => left < LEFT,
                // What cannot be handed on waits here, and must not be taken from a worker that is about to be free.
                false => is_kept && left < LEFT_HERE,
            };
            if may_be_left && !self.draining.load(Ordering::SeqCst) {
                self.accept(number, local, thread);
            }
        }
    }

    /// The connection in this slot waits for the application.
    pub(super) fn leave_for_application(&self, number: u32) {
        let slot = self.table.slot(number);
        if slot.is_none_or(|slot| slot.note_left(true)) {
            return;
        }
        if let Some(foreign) = &self.foreign {
            foreign.leave_parked(number);
        } else if let Some(standby) = &self.standby {
            standby.push(number);
            standby.ring();
        }
    }

    /// Goes on with connections that were left; a thread with the application does it before it waits.
    pub(super) fn take_left(&self, local: &mut Local, thread: &mut A::Thread) {
        let Some(standby) = &self.standby else {
            return;
        };
        while let Some(number) = standby.pop() {
            if let Some(slot) = self.table.slot(number) {
                slot.note_left(false);
                slot.mark(false);
                self.attend(slot, local, thread);
            }
        }
    }
}
