//! Connections that wait: their place in the table, the events that end the waiting, and their end.

use std::{mem::take, sync::atomic::Ordering};

use rustix::{
    event::epoll,
    net::{Shutdown, shutdown},
};
use tracing::warn;

use super::{
    application::Application,
    connection::{Connection, Phase},
    drive::Next,
    engine::{Engine, Topic, token},
    local::Local,
    table::{Place, Slot},
    timers::NEVER,
};

/// Edge-triggered: one registration for the life of the connection, no system call per request to renew it.
const INPUT: epoll::EventFlags = epoll::EventFlags::IN
    .union(epoll::EventFlags::RDHUP)
    .union(epoll::EventFlags::ET);
/// With events for room in the socket's buffer, which come once it was full.
const INPUT_AND_OUTPUT: epoll::EventFlags = INPUT.union(epoll::EventFlags::OUT);

impl<A: Application> Engine<A> {
    /// Does what [`Engine::drive`] says of a connection that has no place in the table yet.
    pub(super) fn settle(
        &self,
        connection: Box<Connection>,
        next: Next,
        local: &mut Local,
        thread: &mut A::Thread,
    ) {
        match next {
            Next::Close => self.close(connection, local),
            Next::Wait => {
                let watches_output = connection.phase == Phase::Flush || !connection.is_flushed();
                self.park(connection, watches_output, local, thread);
            }
            Next::Yield => drop(self.park(connection, true, local, thread)),
            Next::Run => self.start_program(connection, local),
            Next::Leave if self.hand_over(&connection) => self.forget(connection, local),
            Next::Leave => {
                if let Some(foreign) = &self.foreign {
                    return foreign.leave_new(connection);
                }
                if let Some(number) = self.park(connection, false, local, thread) {
                    self.leave_for_application(number);
                }
            }
        }
    }

    /// Gives a connection that has to wait a place in the table, and lets epoll watch it. Gives the place, unless there
    /// is none and the connection was closed.
    fn park(
        &self,
        connection: Box<Connection>,
        watches_output: bool,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Option<u32> {
        let (number, slot) = self.place(connection, watches_output, local)?;
        self.attend(slot, local, thread);
        Some(number)
    }

    /// The same for a thread that does not go on with connections: the next one that waits for events does. They come
    /// at once, because the socket is watched for room, of which there is some, or will be.
    pub(super) fn give_back(&self, connection: Box<Connection>, local: &mut Local) {
        let Some((_, slot)) = self.place(connection, true, local) else {
            return;
        };
        // Whoever had an event before we let go has left its mark only.
        while slot.is_marked() {
            let Some(mut place) = slot.try_own() else {
                return;
            };
            slot.clear_mark();
            if let Some(connection) = place.as_mut() {
                self.requeue(connection);
            }
            slot.let_go(place);
        }
    }

    fn place(
        &self,
        mut connection: Box<Connection>,
        watches_output: bool,
        local: &mut Local,
    ) -> Option<(u32, &Slot)> {
        let Some((number, slot, mut place)) = self.table.reserve() else {
            warn!("a connection was closed: this worker has as many as it can hold");
            self.close(connection, local);
            return None;
        };
        connection.slot = Some(number);
        connection.watches_output = watches_output;
        let flags = if watches_output {
            INPUT_AND_OUTPUT
        } else {
            INPUT
        };
        let token = token(Topic::Connection, number);
        if let Err(error) = epoll::add(&self.epoll, &connection.socket, token, flags) {
            warn!(%error, "a connection was closed: it cannot be watched");
            drop(place);
            self.table.release(number);
            self.close(connection, local);
            return None;
        }
        self.note_deadline(slot, &connection);
        *place = Some(connection);
        slot.let_go(place);
        if self.draining.load(Ordering::SeqCst) {
            // The drain may have gone through the table before this place was taken.
            slot.mark(false);
        }
        Some((number, slot))
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
            let mut is_left = false;
            match self.drive(connection, local, thread) {
                Next::Close => return self.unpark(slot, place, local),
                Next::Leave if self.hand_over(connection) => {
                    return self.unpark_with(slot, place, |gone| self.forget(gone, local));
                }
                Next::Run => {
                    return self.unpark_with(slot, place, |gone| self.start_program(gone, local));
                }
                Next::Leave => is_left = true,
                Next::Wait => {}
                Next::Yield => self.requeue(connection),
            }
            self.note_deadline(slot, connection);
            let number = connection.slot.filter(|_| is_left);
            slot.let_go(place);
            if let Some(number) = number {
                self.leave_for_application(number);
            }
        }
    }

    /// Closes a connection that has a place in the table.
    pub(super) fn unpark(&self, slot: &Slot, place: Place<'_>, local: &mut Local) {
        self.unpark_with(slot, place, |gone| self.close(gone, local));
    }

    /// Takes a connection out of the table.
    fn unpark_with(&self, slot: &Slot, mut place: Place<'_>, end: impl FnOnce(Box<Connection>)) {
        let gone = place.take();
        slot.set_deadline(NEVER);
        drop(place);
        let Some(mut connection) = gone else {
            return;
        };
        // Explicitly, because a child that the application forked may hold a copy that would keep it registered.
        let _ = epoll::delete(&self.epoll, &connection.socket);
        if let Some(number) = connection.slot.take() {
            self.table.release(number);
        }
        connection.watches_output = false;
        end(connection);
    }

    pub(super) fn close(&self, mut connection: Box<Connection>, local: &mut Local) {
        // As far as it gets; who is gone already does not hear it.
        let _ = connection.say_goodbye();
        if self.has_forked.load(Ordering::Relaxed) {
            // A child may hold a copy of the socket. One whose peer has gone already is as good.
            let _ = shutdown(&connection.socket, Shutdown::Both);
        }
        self.forget(connection, local);
    }

    /// Lets go of a connection that is over, or another worker's.
    fn forget(&self, mut connection: Box<Connection>, local: &mut Local) {
        let record = self.record(local);
        record.received(take(&mut connection.arrived));
        if connection.is_refused {
            record.refused();
        }
        record.closed();
        local.recycle(connection);
        if self.open.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.end_if_drained();
        }
    }

    fn note_deadline(&self, slot: &Slot, connection: &Connection) {
        slot.set_deadline(connection.deadline);
        self.timers.arm(connection.deadline);
    }

    /// Lets epoll report room in the socket's buffer; from then on it always does.
    pub(super) fn watch_output(&self, connection: &mut Connection) {
        if !connection.watches_output {
            self.requeue(connection);
        }
    }

    /// Puts the connection at the end of epoll's queue. A modified registration is reported anew if it is ready, and
    /// to write to it is possible, or becomes so when its client has read what it was sent.
    fn requeue(&self, connection: &mut Connection) {
        let Some(number) = connection.slot else {
            return;
        };
        // It fails only for a descriptor that is not registered, and this one is.
        let _ = epoll::modify(
            &self.epoll,
            &connection.socket,
            token(Topic::Connection, number),
            INPUT_AND_OUTPUT,
        );
        connection.watches_output = true;
    }
}
