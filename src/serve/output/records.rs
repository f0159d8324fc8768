//! Bytes that go out in records of FastCGI without having been copied into them: each record's header, then its part of
//! a file or of memory.

use std::{
    io::IoSlice,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    buffer::spare_capacity,
    fs::sendfile,
    io::{Errno, pread},
    net::{SendFlags, send},
};

use super::{FILE_PIECE, Held, SHORTER};
use crate::{
    protocol::fastcgi::{HEADER, MAX_CONTENT, stdout_header},
    serve::wire::send_pieces,
};

/// Where the content comes from, and where its next byte is there.
pub(in crate::serve) enum Source {
    File(OwnedFd, u64),
    Held(Box<dyn Held>, usize),
}

/// Content that is left, and the record that is on its way.
pub(super) struct Records {
    source: Source,
    id: u16,
    /// Bytes that no record has begun with.
    left: u64,
    header: [u8; HEADER],
    /// Bytes of the header that are still to be sent.
    header_left: usize,
    /// Bytes of content of the same record that are still to be sent.
    content_left: usize,
}

impl Records {
    pub(super) fn new(source: Source, length: u64, id: u16) -> Self {
        Self {
            source,
            id,
            left: length,
            header: [0; HEADER],
            header_left: 0,
            content_left: 0,
        }
    }

    /// How many bytes go out for `length` bytes of content.
    pub(super) fn total(length: u64) -> u64 {
        length + length.div_ceil(MAX_CONTENT as u64) * HEADER as u64
    }

    pub(super) fn is_sent(&self) -> bool {
        self.left == 0 && self.header_left == 0 && self.content_left == 0
    }

    /// Sends once; gives how many bytes were taken.
    ///
    /// # Errors
    /// The connection has failed or is full, or the file has become shorter.
    pub(super) fn send(&mut self, socket: BorrowedFd<'_>) -> Result<usize, Errno> {
        if self.header_left == 0 && self.content_left == 0 {
            self.content_left = self.left.min(MAX_CONTENT as u64) as usize;
            self.left -= self.content_left as u64;
            self.header = stdout_header(self.id, self.content_left);
            self.header_left = HEADER;
        }
        let header = &self.header[HEADER - self.header_left..];
        let (sent, of_header) = match &mut self.source {
            Source::Held(held, at) => {
                let content = &held.bytes()[*at..*at + self.content_left];
                let pieces = [header, content].map(IoSlice::new);
                let sent = send_pieces(socket, &pieces, SendFlags::NOSIGNAL)?;
                let of_header = sent.min(self.header_left);
                *at += sent - of_header;
                (sent, of_header)
            }
            Source::File(..) if self.header_left > 0 => {
                // The header travels with the content behind it.
                let sent = send(socket, header, SendFlags::NOSIGNAL | SendFlags::MORE)?;
                (sent, sent)
            }
            Source::File(file, offset) => {
                let sent = send_file(socket, file.as_fd(), offset, self.content_left)?;
                (sent, 0)
            }
        };
        self.header_left -= of_header;
        self.content_left -= sent - of_header;
        Ok(sent)
    }
}

/// Sends up to `length` bytes of the file, by reading them if its file system knows no other way.
fn send_file(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    offset: &mut u64,
    length: usize,
) -> Result<usize, Errno> {
    let sent = match sendfile(socket, file, Some(offset), length) {
        Err(Errno::INVAL | Errno::NOSYS) => {
            let mut piece = Vec::with_capacity(length.min(FILE_PIECE as usize));
            pread(file, spare_capacity(&mut piece), *offset)?;
            piece.truncate(length);
            let sent = match piece.is_empty() {
                true => 0,
                false => send(socket, &piece, SendFlags::NOSIGNAL)?,
            };
            *offset += sent as u64;
            sent
        }
        sent => sent?,
    };
    if sent == 0 {
        return Err(SHORTER);
    }
    Ok(sent)
}
