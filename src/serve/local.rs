//! What one thread of the loop has for itself: scratch memory, and used buffers and connections to use again.

use std::os::fd::OwnedFd;

use super::{connection::Connection, exchange::Scratch};
use crate::config::Protocol;

/// Buffers and connections that a thread keeps for reuse.
const SPARES: usize = 32;
/// Larger buffers are given back to the allocator.
const SPARE_CAPACITY: usize = 64 << 10;

/// What one thread of the loop has for itself.
pub(super) struct Local {
    pub(super) index: u32,
    pub(super) scratch: Scratch,
    buffers: Vec<Vec<u8>>,
    connections: Vec<Box<Connection>>,
}

impl Local {
    /// For the thread with this number.
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            scratch: Scratch::default(),
            buffers: Vec::new(),
            connections: Vec::new(),
        }
    }

    pub(super) fn connection(
        &mut self,
        socket: OwnedFd,
        listener: usize,
        protocol: Protocol,
    ) -> Box<Connection> {
        let mut connection = match self.connections.pop() {
            Some(mut used) => {
                used.renew(socket, listener, protocol);
                used
            }
            None => Box::new(Connection::new(socket, listener, protocol)),
        };
        self.lend_buffer(&mut connection);
        connection
    }

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

    pub(super) fn recycle(&mut self, mut connection: Box<Connection>) {
        connection.input.clear();
        self.reclaim_buffer(&mut connection);
        if self.connections.len() < SPARES {
            self.connections.push(connection);
        }
    }
}
