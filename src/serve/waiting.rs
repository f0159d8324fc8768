//! Connections that wait: their place in the table, the events and deadlines that end the waiting, and the drain.

use std::sync::atomic::{Ordering, fence};

use rustix::event::epoll;
use tracing::warn;

use super::{
    application::Application,
    clock::coarse_ms,
    connection::{Connection, Phase},
    drive::Next,
    engine::{Engine, Topic, token},
    local::Local,
    table::Slot,
    timers::NEVER,
};

/// How long an idle connection of a draining worker may still bring the request that its client has sent already.
const DRAIN_IDLE_MS: u64 = 1_000;

/// Edge-triggered: one registration for the life of the connection, no system call per request to renew it.
const INPUT: epoll::EventFlags = epoll::EventFlags::IN
    .union(epoll::EventFlags::RDHUP)
    .union(epoll::EventFlags::ET);

impl<A: Application> Engine<A> {
    /// Gives a connection that has to wait a place in the table, and lets epoll watch it.
    pub(super) fn park(
        &self,
        mut connection: Box<Connection>,
        local: &mut Local,
        thread: &mut A::Thread,
    ) {
        let Some((number, slot, mut place)) = self.table.reserve() else {
            warn!("a connection was closed: this worker has as many as it can hold");
            return self.close(connection, local);
        };
        connection.slot = Some(number);
        let mut flags = INPUT;
        flags.set(epoll::EventFlags::OUT, connection.phase == Phase::Flush);
        connection.watches_output = connection.phase == Phase::Flush;
        if let Err(error) = epoll::add(
            &self.epoll,
            &connection.socket,
            token(Topic::Connection, number),
            flags,
        ) {
            warn!(%error, "a connection was closed: it cannot be watched");
            drop(place);
            self.table.release(number);
            return self.close(connection, local);
        }
        self.note_deadline(slot, &connection);
        *place = Some(connection);
        drop(place);
        fence(Ordering::SeqCst);
        if self.draining.load(Ordering::SeqCst) {
            // The drain may have gone through the table before this place was taken.
            slot.mark(false);
        }
        self.attend(slot, local, thread);
    }

    /// Goes on with the connection of a marked slot, unless another thread is at it, which then sees the mark.
    pub(super) fn attend(&self, slot: &Slot, local: &mut Local, thread: &mut A::Thread) {
        while slot.is_marked() {
            let Some(mut place) = slot.try_own() else {
                return;
            };
            let ended = slot.clear_mark();
            let Some(connection) = place.as_mut() else {
                return;
            };
            connection.ended = ended;
            connection.drained = false;
            local.lend_buffer(connection);
            match self.drive(connection, local, thread) {
                Next::Wait => self.note_deadline(slot, connection),
                Next::Close => {
                    let gone = place.take();
                    slot.deadline.store(NEVER, Ordering::SeqCst);
                    drop(place);
                    if let Some(connection) = gone {
                        self.unpark(connection, local);
                    }
                    return;
                }
            }
            drop(place);
            // Between letting go and looking for a mark: see `Slot::mark`.
            fence(Ordering::SeqCst);
        }
    }

    fn unpark(&self, connection: Box<Connection>, local: &mut Local) {
        // Explicitly, because a child that the application forked may hold a copy that would keep it registered.
        let _ = epoll::delete(&self.epoll, &connection.socket);
        if let Some(number) = connection.slot {
            self.table.release(number);
        }
        self.close(connection, local);
    }

    pub(super) fn close(&self, connection: Box<Connection>, local: &mut Local) {
        local.recycle(connection);
        if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.end_if_drained();
        }
    }

    fn note_deadline(&self, slot: &Slot, connection: &Connection) {
        slot.deadline.store(connection.deadline, Ordering::SeqCst);
        self.timers.arm(connection.deadline);
    }

    /// Lets epoll report room in the socket's buffer; from then on it always does.
    pub(super) fn watch_output(&self, connection: &mut Connection) {
        if let (Some(number), false) = (connection.slot, connection.watches_output) {
            let flags = INPUT | epoll::EventFlags::OUT;
            // It fails only for a descriptor that is not registered, and this one is.
            let _ = epoll::modify(
                &self.epoll,
                &connection.socket,
                token(Topic::Connection, number),
                flags,
            );
            connection.watches_output = true;
        }
    }

    /// Ends what has waited too long, and sets the clock for the rest.
    pub(super) fn sweep(&self, local: &mut Local, thread: &mut A::Thread) {
        self.timers.rang();
        if self.resting.swap(false, Ordering::SeqCst) && !self.draining.load(Ordering::SeqCst) {
            if let Err(error) = self.watch_listeners() {
                warn!(%error, "accepting cannot be resumed yet");
                self.rest(error);
            }
            if self.draining.load(Ordering::SeqCst) {
                // The drain began meanwhile.
                self.unwatch_listeners();
            }
        }
        let now = coarse_ms();
        let mut earliest = NEVER;
        for (_, slot) in self.table.iter() {
            let deadline = slot.deadline.load(Ordering::SeqCst);
            if deadline > now {
                earliest = earliest.min(deadline);
                continue;
            }
            // Somebody at work on it will note a new deadline.
            let Some(mut place) = slot.try_own() else {
                continue;
            };
            if let Some(connection) = place
                .as_mut()
                .filter(|connection| connection.deadline <= now)
            {
                self.expire(connection);
                slot.mark(false);
            }
            drop(place);
            fence(Ordering::SeqCst);
            self.attend(slot, local, thread);
        }
        self.timers.arm(earliest);
    }

    /// The part of the drain that needs none of the engine's threads.
    pub(super) fn stop_accepting(&self) {
        if !self.draining.swap(true, Ordering::SeqCst) {
            self.unwatch_listeners();
            (self.on_drain)();
        }
    }

    /// Stops accepting. What runs is finished; idle connections get a moment for a request that is on its way.
    pub(super) fn begin_drain(&self, local: &mut Local, thread: &mut A::Thread) {
        self.stop_accepting();
        if self.draining_table.swap(true, Ordering::SeqCst) {
            return;
        }
        for fd in &self.drain {
            let _ = epoll::delete(&self.epoll, fd);
        }
        // Whoever looks at a connection from now on gives it the deadline of a drain; marks make somebody look.
        for (_, slot) in self.table.iter() {
            slot.mark(false);
            self.attend(slot, local, thread);
        }
        self.end_if_drained();
    }

    /// When an idle connection is closed that otherwise had until `deadline`.
    pub(super) fn idle_deadline(&self, deadline: u64) -> u64 {
        if self.draining.load(Ordering::SeqCst) {
            deadline.min(coarse_ms() + DRAIN_IDLE_MS)
        } else {
            deadline
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.draining.load(Ordering::SeqCst) && self.open.load(Ordering::SeqCst) == 0
    }

    fn end_if_drained(&self) {
        if self.has_ended() {
            // A counter that was written is readable; that it was written before changes nothing.
            let _ = rustix::io::write(&self.ended, &1_u64.to_ne_bytes());
        }
    }
}
