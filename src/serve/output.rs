//! What is on its way to a client: sent without blocking, and kept when the socket does not take it at once.

mod records;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    mem::take,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    buffer::spare_capacity,
    fs::sendfile,
    io::{Errno, pread},
    net::SendFlags,
};

use super::wire::Wire;
use records::Records;
pub(super) use records::Source;

/// Bytes that belong to somebody else (an object of the interpreter) and stay where they are until they are sent.
/// Dropping may happen on any thread.
pub trait Held: Send {
    /// The bytes; the same at every call.
    fn bytes(&self) -> &[u8];
}

/// Most pieces given to one sendmsg(2); more would not make it faster.
const PIECES: usize = 16;
/// Bytes after which [`Output::flush`] comes back although the socket takes more, so that one client on a fast network
/// does not keep the thread.
const SLICE: u64 = 256 << 10;
/// Queued pieces are put together up to this size: a thousand small ones would cost more memory than their bytes.
const TOGETHER: usize = 64 << 10;
/// Bytes read at once from a file that cannot be sent without reading.
const FILE_PIECE: u64 = 64 << 10;

enum Segment {
    Bytes(Vec<u8>),
    File {
        file: OwnedFd,
        offset: u64,
        left: u64,
    },
    Held(Box<dyn Held>),
    Records(Records),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::File { .. } | Self::Records(_) => &[],
            Self::Held(held) => held.bytes(),
        }
    }
}

/// How far [`Output::flush`] got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flushed {
    /// Nothing is left.
    All,
    /// The socket is full; `moved` says whether it has taken anything.
    Full {
        /// Whether anything was sent.
        moved: bool,
    },
    /// The socket may take more, but others want the thread too.
    Slice,
}

/// The queue of one connection.
#[derive(Default)]
pub(super) struct Output {
    segments: VecDeque<Segment>,
    /// How much of the first segment is gone already; files count for themselves.
    done: usize,
    queued: u64,
}

impl Output {
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Bytes that wait here.
    pub(super) fn queued(&self) -> u64 {
        self.queued
    }

    /// Sends `staged`, or what the socket takes of it; the rest is queued. `staged` is empty after.
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn send(&mut self, wire: &mut Wire<'_>, staged: &mut Vec<u8>) -> io::Result<()> {
        if !self.is_empty() {
            self.push(staged);
            return self.flush(wire).map(drop);
        }
        let sent = wire.send(staged);
        if sent == Ok(staged.len()) {
            staged.clear();
            return Ok(());
        }
        self.queue(sent, staged, None, b"")
    }

    /// The same for `staged`, `held` behind it, and `tail` at the end.
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn send_held(
        &mut self,
        wire: &mut Wire<'_>,
        staged: &mut Vec<u8>,
        held: Box<dyn Held>,
        tail: &[u8],
    ) -> io::Result<()> {
        if !self.is_empty() {
            self.queue(Ok(0), staged, Some(held), tail)?;
            return self.flush(wire).map(drop);
        }
        let pieces = [staged, held.bytes(), tail].map(IoSlice::new);
        let total: usize = pieces.iter().map(|piece| piece.len()).sum();
        let sent = wire.send_pieces(&pieces, SendFlags::NOSIGNAL);
        if sent == Ok(total) {
            staged.clear();
            return Ok(());
        }
        self.queue(sent, staged, Some(held), tail)
    }

    /// Queues `staged`, which is empty after; [`Output::flush`] sends it.
    pub(super) fn push(&mut self, staged: &mut Vec<u8>) {
        self.push_bytes(staged);
        staged.clear();
    }

    /// The same for `staged` and `held` behind it.
    pub(super) fn push_both(&mut self, staged: &mut Vec<u8>, held: Box<dyn Held>) {
        self.push(staged);
        self.push_held(held, 0);
    }

    /// Queues `length` bytes of a file; [`Output::flush`] sends them.
    pub(super) fn push_file(&mut self, file: OwnedFd, offset: u64, length: u64) {
        if length > 0 {
            self.queued += length;
            self.segments.push_back(Segment::File {
                file,
                offset,
                left: length,
            });
        }
    }

    /// Queues `length` bytes in records of FastCGI for the request `id`; gives how many bytes that makes.
    pub(super) fn push_records(&mut self, source: Source, length: u64, id: u16) -> u64 {
        let total = Records::total(length);
        self.queued += total;
        let records = Records::new(source, length, id);
        self.segments.push_back(Segment::Records(records));
        total
    }

    /// What waits here, piece by piece, as far as it is in memory.
    pub(super) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        let mut skip = self.done;
        let segments = self.segments.iter();
        segments.map(move |segment| &segment.bytes()[take(&mut skip)..])
    }

    /// Somebody else has sent so many bytes of a queue without files; gives how many of them are not from here.
    pub(super) fn note_sent(&mut self, sent: usize) -> usize {
        let ours = sent.min(usize::try_from(self.queued).unwrap_or(usize::MAX));
        self.advance(ours);
        sent - ours
    }

    /// Sends what the socket takes now, or a good slice of it.
    ///
    /// # Errors
    /// The connection has failed; or a file has become shorter than it was, so that what was promised cannot be kept.
    pub(super) fn flush(&mut self, wire: &mut Wire<'_>) -> io::Result<Flushed> {
        let (before, sent_before) = (self.queued, wire.sent());
        while !self.segments.is_empty() {
            if before - self.queued >= SLICE {
                return Ok(Flushed::Slice);
            }
            let sent = match (self.segments.front_mut(), wire.bare()) {
                (Some(Segment::File { file, offset, left }), Some(socket)) => {
                    send_file(socket, file.as_fd(), offset, left)
                }
                (Some(Segment::Records(records)), Some(socket)) => records.send(socket),
                (_, Some(_)) => self.send_front(wire),
                (_, None) => self.send_encrypted(wire)?,
            };
            match sent {
                Ok(sent) => self.advance(sent),
                Err(Errno::AGAIN) => {
                    let moved = self.queued < before || wire.sent() > sent_before;
                    return Ok(Flushed::Full { moved });
                }
                // sendfile(2): the file's own file system knows no way without reading.
                Err(Errno::INVAL | Errno::NOSYS) => self.read_file(0)?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match wire.settle()? {
            true => Ok(Flushed::All),
            false => Ok(Flushed::Full {
                moved: self.queued < before || wire.sent() > sent_before,
            }),
        }
    }

    /// Forgets everything, as after an error.
    pub(super) fn clear(&mut self) {
        self.segments.clear();
        self.done = 0;
        self.queued = 0;
    }

    /// The kernel cannot encrypt a file as it sends it: a piece of it is read, and travels with what stands before it.
    fn send_encrypted(&mut self, wire: &mut Wire<'_>) -> io::Result<Result<usize, Errno>> {
        if !wire.settle()? {
            // Nothing is read for a client that takes nothing.
            return Ok(Err(Errno::AGAIN));
        }
        let mut first = self.segments.iter().take(2);
        if let Some(at) = first.position(|segment| matches!(segment, Segment::File { .. })) {
            self.read_file(at)?;
        }
        Ok(self.send_front(wire))
    }

    fn send_front(&self, wire: &mut Wire<'_>) -> Result<usize, Errno> {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let mut skip = self.done;
        let mut flags = SendFlags::NOSIGNAL;
        for segment in self.segments.iter().take(PIECES) {
            if matches!(segment, Segment::File { .. } | Segment::Records(_)) {
                // The head of a response travels with the beginning of its file.
                flags |= SendFlags::MORE;
                break;
            }
            pieces[count] = IoSlice::new(&segment.bytes()[skip..]);
            skip = 0;
            count += 1;
        }
        wire.send_pieces(&pieces[..count], flags)
    }

    /// Reads a piece of the file at this place of the queue, which is sent before the rest of it.
    fn read_file(&mut self, at: usize) -> Result<(), Errno> {
        let Some(Segment::File { file, offset, left }) = self.segments.get_mut(at) else {
            return Err(Errno::INVAL);
        };
        let mut piece = Vec::with_capacity((*left).min(FILE_PIECE) as usize);
        let read = pread(file, spare_capacity(&mut piece), *offset)? as u64;
        if read == 0 {
            return Err(SHORTER);
        }
        piece.truncate((*left).min(read) as usize);
        *offset += read;
        *left -= piece.len() as u64;
        if *left == 0 {
            self.segments.remove(at);
        }
        self.segments.insert(at, Segment::Bytes(piece));
        Ok(())
    }

    fn advance(&mut self, mut sent: usize) {
        self.queued -= sent as u64;
        while let Some(front) = self.segments.front() {
            let is_sent = match front {
                Segment::File { left, .. } => Some(*left == 0),
                Segment::Records(records) => Some(records.is_sent()),
                Segment::Bytes(_) | Segment::Held(_) => None,
            };
            if let Some(is_sent) = is_sent {
                if is_sent {
                    self.segments.pop_front();
                }
                return;
            }
            let left = front.bytes().len() - self.done;
            if sent < left {
                self.done += sent;
                return;
            }
            sent -= left;
            self.done = 0;
            self.segments.pop_front();
        }
    }

    /// Queues what a first attempt has not sent of the three. `staged` is empty after.
    fn queue(
        &mut self,
        sent: Result<usize, Errno>,
        staged: &mut Vec<u8>,
        held: Option<Box<dyn Held>>,
        tail: &[u8],
    ) -> io::Result<()> {
        let mut sent = match sent {
            Ok(sent) => sent,
            Err(Errno::AGAIN | Errno::INTR) => 0,
            Err(error) => {
                staged.clear();
                return Err(error.into());
            }
        };
        let mut skip = |length: usize| {
            let skip = sent.min(length);
            sent -= skip;
            skip
        };
        self.push_bytes(&staged[skip(staged.len())..]);
        staged.clear();
        if let Some(held) = held {
            let skip = skip(held.bytes().len());
            self.push_held(held, skip);
        }
        self.push_bytes(&tail[skip(tail.len())..]);
        Ok(())
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.queued += bytes.len() as u64;
        match self.segments.back_mut() {
            Some(Segment::Bytes(last)) if last.len() + bytes.len() <= TOGETHER => {
                last.extend_from_slice(bytes);
            }
            _ => self.segments.push_back(Segment::Bytes(bytes.to_vec())),
        }
    }

    fn push_held(&mut self, held: Box<dyn Held>, skip: usize) {
        let length = held.bytes().len() - skip;
        if length == 0 {
            return;
        }
        if skip > 0 {
            // Only the first piece of an empty queue can have been sent in part.
            self.done = skip;
        }
        self.queued += length as u64;
        self.segments.push_back(Segment::Held(held));
    }
}

/// The error of a file that became shorter while it was sent.
const SHORTER: Errno = Errno::PIPE;

fn send_file(
    socket: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    offset: &mut u64,
    left: &mut u64,
) -> Result<usize, Errno> {
    let sent = sendfile(socket, file, Some(offset), (*left).min(SLICE) as usize)?;
    if sent == 0 {
        return Err(SHORTER);
    }
    *left -= sent as u64;
    Ok(sent)
}
