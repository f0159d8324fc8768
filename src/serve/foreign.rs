//! The engine below a loop that is not its own, as gevent's hub is. That loop watches one descriptor and takes a turn of
//! the engine when it is readable; a turn never waits, and never calls the application. Requests for that are queued here,
//! and each is answered by a greenlet of its own, which goes on with the request's connection as a thread would.
//!
//! So the hub is to the greenlets what the thread that stands by is to other threads: it serves what needs no application,
//! and leaves the rest. The loop itself, greenlets and their number are the affair of whoever calls.

use std::{
    collections::VecDeque,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::io::Errno;
use tracing::{error, warn};

use super::{
    application::Application,
    connection::Connection,
    engine::Engine,
    local::Local,
    turns::{AT_ONCE, EVENTS},
};

/// What whoever goes on with connections has for itself: the hub, and each greenlet.
pub struct Seat {
    local: Local,
    ready: Vec<u64>,
}

/// A request that waits for the application.
pub struct Waiting(Place);

enum Place {
    /// On a connection that has never waited, and that epoll does not watch.
    New(Box<Connection>),
    /// In the table.
    Parked(u32),
}

/// What an engine has for a loop that is not its own.
#[derive(Default)]
pub(super) struct Foreign {
    /// As many as the table has places, and those of a few turns.
    queue: Mutex<VecDeque<Waiting>>,
    /// Whether nothing is accepted because nobody has time.
    is_paused: AtomicBool,
}

impl Foreign {
    pub(super) fn leave_new(&self, connection: Box<Connection>) {
        self.queue().push_back(Waiting(Place::New(connection)));
    }

    pub(super) fn leave_parked(&self, number: u32) {
        self.queue().push_back(Waiting(Place::Parked(number)));
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<A: Application> Engine<A> {
    /// What one has that serves under this number; the hub's is the one behind those of the greenlets.
    pub fn seat(&self, number: u32) -> Box<Seat> {
        self.watches.of(number).attach();
        Box::new(Seat {
            local: Local::new(number),
            ready: Vec::new(),
        })
    }

    /// Readable when a turn has something to do.
    pub fn events(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Does what can be done without waiting and without the application; `thread` is one that has none
    /// ([`Application::is_standby`]). Gives whether the worker has drained.
    pub fn turn(&self, seat: &mut Seat, thread: &mut A::Thread) -> bool {
        let Seat { local, ready } = seat;
        match self.wait(EVENTS, ready, Some(&AT_ONCE)) {
            Ok(()) | Err(Errno::INTR) => {}
            Err(error) => {
                error!(%error, "the worker's events cannot be taken; the worker drains");
                self.begin_drain(local, thread);
            }
        }
        self.note_wake(local);
        for data in ready.drain(..) {
            self.dispatch(data, local, thread);
        }
        self.has_ended()
    }

    /// The request that has waited longest for the application.
    pub fn next_waiting(&self) -> Option<Waiting> {
        self.foreign.as_ref()?.queue().pop_front()
    }

    /// Nobody could be found for it: it is the first again.
    pub fn put_back(&self, waiting: Waiting) {
        if let Some(foreign) = &self.foreign {
            foreign.queue().push_front(waiting);
        }
    }

    /// Lets the application answer, and goes on with the connection until that has to wait, or has another request.
    pub fn go_on_with(&self, waiting: Waiting, seat: &mut Seat, thread: &mut A::Thread) {
        let local = &mut seat.local;
        match waiting.0 {
            Place::New(mut connection) => {
                let next = self.drive(&mut connection, local, thread);
                self.settle(connection, next, local, thread);
            }
            Place::Parked(number) => {
                if let Some(slot) = self.table.slot(number) {
                    slot.note_left(false);
                    slot.mark(false);
                    self.attend(slot, local, thread);
                }
            }
        }
    }

    /// As many requests run as may: from now on other workers are to accept, once what has woken this one is accepted.
    /// `thread` is one that has no application.
    pub fn pause(&self, seat: &mut Seat, thread: &mut A::Thread) {
        let foreign = self.foreign.as_ref();
        if foreign.is_some_and(|foreign| !foreign.is_paused.swap(true, Ordering::SeqCst)) {
            self.unwatch_listeners();
            // The drain has accepted for the last time, and said so.
            if !self.draining.load(Ordering::SeqCst) {
                self.accept_last(&mut seat.local, thread);
            }
        }
    }

    /// Accepts again.
    pub fn resume(&self) {
        let foreign = self.foreign.as_ref();
        if !foreign.is_some_and(|foreign| foreign.is_paused.swap(false, Ordering::SeqCst))
            || self.draining.load(Ordering::SeqCst)
        {
            return;
        }
        if let Err(error) = self.watch_listeners() {
            warn!(%error, "accepting cannot be resumed yet");
            self.rest(error);
        }
    }

    /// Whether nothing is accepted because nobody has time.
    pub(super) fn is_paused(&self) -> bool {
        let foreign = self.foreign.as_ref();
        foreign.is_some_and(|foreign| foreign.is_paused.load(Ordering::SeqCst))
    }
}
