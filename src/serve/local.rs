//! What one thread of the loop has for itself: scratch memory, and used buffers and connections to use again.

use std::os::fd::OwnedFd;

use super::{
    connection::{Connection, Parts},
    exchange::Scratch,
};
use crate::{config::Protocol, scoreboard::now_us, sys::kernel_tick};

/// Buffers and connections that a thread keeps for reuse.
const SPARES: usize = 32;
/// Larger buffers are given back to the allocator.
const SPARE_CAPACITY: usize = 64 << 10;

/// After so long without a look for events it is worth a system call to know how long a request has waited, unless the
/// kernel counts in longer steps.
const AWAY_US: u64 = 1_000;

/// What one thread of the loop has for itself.
pub(super) struct Local {
    pub(super) index: u32,
    /// When it last came back from waiting for events, by the clock of the scoreboard; 0: it waits for none.
    pub(super) woke_us: u64,
    /// Whether it was away for so long before that, that what it found then may have waited.
    pub(super) was_away: bool,
    /// From how many microseconds on that is so.
    away_us: u64,
    pub(super) scratch: Scratch,
    buffers: Vec<Vec<u8>>,
    parts: Vec<Parts>,
}

impl Local {
    /// For the thread with this number.
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            woke_us: 0,
            was_away: false,
            away_us: AWAY_US.max(kernel_tick().as_micros() as u64),
            scratch: Scratch::default(),
            buffers: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// It comes back from waiting for events.
    pub(super) fn wake(&mut self) {
        let now_us = now_us();
        self.was_away = now_us - self.woke_us >= self.away_us;
        self.woke_us = now_us;
    }

    /// A connection made of what an earlier one left.
    pub(super) fn connection(
        &mut self,
        socket: OwnedFd,
        listener: usize,
        protocol: Protocol,
    ) -> Box<Connection> {
        let parts = self.parts.pop().unwrap_or_default();
        let mut connection = Box::new(Connection::new(socket, listener, protocol, parts));
        self.lend_buffer(&mut connection);
        connection
    }

    /// Gives a connection that may read a buffer, if it has none.
    pub(super) fn lend_buffer(&mut self, connection: &mut Connection) {
        if connection.input.capacity() == 0 {
            connection.input = self.buffers.pop().unwrap_or_default();
        }
    }

    /// Takes the buffer of a connection that waits with nothing in it: idle connections own none.
    pub(super) fn reclaim_buffer(&mut self, connection: &mut Connection) {
        if connection.input.is_empty() && connection.input.capacity() > 0 {
            let buffer = std::mem::take(&mut connection.input);
            if self.buffers.len() < SPARES && buffer.capacity() <= SPARE_CAPACITY {
                self.buffers.push(buffer);
            }
        }
    }

    /// Closes a connection and keeps what can be used again.
    pub(super) fn recycle(&mut self, mut connection: Box<Connection>) {
        connection.input.clear();
        self.reclaim_buffer(&mut connection);
        let parts = connection.close();
        if self.parts.len() < SPARES {
            self.parts.push(parts);
        }
    }
}
