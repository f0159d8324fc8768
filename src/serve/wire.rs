//! Where bytes go: a client's socket, with encryption above it or without.
//!
//! Whoever sends uses this as if it were the socket: what is taken is gone, and `AGAIN` means that an event tells when to
//! come back. Without encryption there is nothing in between but one comparison.

use std::{io::IoSlice, os::fd::BorrowedFd};

use rustix::{
    io::Errno,
    net::{SendAncillaryBuffer, SendFlags, send, sendmsg},
};

use super::encryption::Tls;

/// See the module.
pub(super) struct Wire<'w> {
    socket: BorrowedFd<'w>,
    tls: Option<&'w mut Tls>,
}

impl<'w> Wire<'w> {
    pub(super) fn new(socket: BorrowedFd<'w>, tls: Option<&'w mut Tls>) -> Self {
        Self { socket, tls }
    }

    /// The socket itself, where the kernel may send a file by itself; `None` where the file has to be encrypted.
    pub(super) fn bare(&self) -> Option<BorrowedFd<'w>> {
        match self.tls {
            None => Some(self.socket),
            Some(_) => None,
        }
    }

    /// Sends what is taken at once of `bytes`.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        match &mut self.tls {
            None => send(self.socket, bytes, SendFlags::NOSIGNAL),
            Some(tls) => tls.send(self.socket, &[IoSlice::new(bytes)]),
        }
    }

    /// The same for several pieces. `flags` are for the socket; encryption has no use for them.
    pub(super) fn send_pieces(
        &mut self,
        pieces: &[IoSlice<'_>],
        flags: SendFlags,
    ) -> Result<usize, Errno> {
        match &mut self.tls {
            None => send_pieces(self.socket, pieces, flags),
            Some(tls) => tls.send(self.socket, pieces),
        }
    }

    /// Bytes that encryption has brought out so far: what is taken and what is sent are not the same there.
    pub(super) fn sent(&self) -> u64 {
        self.tls.as_ref().map_or(0, |tls| tls.sent())
    }

    /// Whether nothing that was taken waits in between; tries to get rid of it.
    pub(super) fn settle(&mut self) -> Result<bool, Errno> {
        match &mut self.tls {
            None => Ok(true),
            Some(tls) => tls.push(self.socket),
        }
    }
}

/// Sends what a socket takes at once of several pieces.
pub(super) fn send_pieces(
    socket: BorrowedFd<'_>,
    pieces: &[IoSlice<'_>],
    flags: SendFlags,
) -> Result<usize, Errno> {
    sendmsg(socket, pieces, &mut SendAncillaryBuffer::default(), flags)
}

impl<'w> From<BorrowedFd<'w>> for Wire<'w> {
    fn from(socket: BorrowedFd<'w>) -> Self {
        Self::new(socket, None)
    }
}
