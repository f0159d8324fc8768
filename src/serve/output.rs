//! What is on its way to a client: sent without blocking, and kept when the socket does not take it at once.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    os::fd::{BorrowedFd, OwnedFd},
};

use rustix::{
    fs::sendfile,
    io::Errno,
    net::{SendAncillaryBuffer, SendFlags, send, sendmsg},
};

/// Bytes that belong to somebody else (an object of the interpreter) and stay where they are until they are sent.
/// Dropping may happen on any thread.
pub trait Held: Send {
    /// The bytes; the same at every call.
    fn bytes(&self) -> &[u8];
}

/// Most pieces given to one sendmsg(2); more would not make it faster.
const PIECES: usize = 16;
/// Most bytes given to one sendfile(2), so that one client on a fast network does not keep the thread.
const FILE_SLICE: u64 = 1 << 20;

enum Segment {
    Bytes(Vec<u8>),
    File {
        file: OwnedFd,
        offset: u64,
        left: u64,
    },
    Held(Box<dyn Held>),
}

impl Segment {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::File { .. } => &[],
            Self::Held(held) => held.bytes(),
        }
    }
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

    /// Sends `staged`, then `held`, then `tail`; what the socket does not take is queued. `staged` is empty after.
    pub(super) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        staged: &mut Vec<u8>,
        held: Option<Box<dyn Held>>,
        tail: &[u8],
    ) -> io::Result<()> {
        if !self.is_empty() {
            self.queue(staged, 0, held, tail);
            return self.flush(socket).map(drop);
        }
        let sent = match &held {
            None if tail.is_empty() => send(socket, staged, SendFlags::NOSIGNAL),
            None => send_pieces(socket, &[IoSlice::new(staged), IoSlice::new(tail)]),
            Some(held) => send_pieces(
                socket,
                &[
                    IoSlice::new(staged),
                    IoSlice::new(held.bytes()),
                    IoSlice::new(tail),
                ],
            ),
        };
        let total = staged.len() + held.as_ref().map_or(0, |held| held.bytes().len()) + tail.len();
        match sent {
            Ok(sent) if sent == total => staged.clear(),
            Ok(sent) => self.queue(staged, sent, held, tail),
            Err(Errno::AGAIN | Errno::INTR) => self.queue(staged, 0, held, tail),
            Err(error) => {
                staged.clear();
                return Err(error.into());
            }
        }
        Ok(())
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

    /// Sends what the socket takes now; returns whether any of it moved.
    pub(super) fn flush(&mut self, socket: BorrowedFd<'_>) -> io::Result<bool> {
        let before = self.queued;
        while !self.segments.is_empty() {
            let sent = match self.segments.front_mut() {
                Some(Segment::File { file, offset, left }) => {
                    let wanted = (*left).min(FILE_SLICE) as usize;
                    sendfile(socket, file, Some(offset), wanted).and_then(|sent| {
                        *left -= sent as u64;
                        // The file became shorter while it was sent: what was promised cannot be kept.
                        if sent == 0 {
                            Err(Errno::PIPE)
                        } else {
                            Ok(sent)
                        }
                    })
                }
                _ => self.send_front(socket),
            };
            match sent {
                Ok(sent) => self.advance(sent),
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(self.queued < before)
    }

    /// Forgets everything, as after an error.
    pub(super) fn clear(&mut self) {
        self.segments.clear();
        self.done = 0;
        self.queued = 0;
    }

    fn send_front(&self, socket: BorrowedFd<'_>) -> Result<usize, Errno> {
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let mut skip = self.done;
        for segment in self
            .segments
            .iter()
            .take(PIECES)
            .take_while(|segment| !matches!(segment, Segment::File { .. }))
        {
            pieces[count] = IoSlice::new(&segment.bytes()[skip..]);
            skip = 0;
            count += 1;
        }
        send_pieces(socket, &pieces[..count])
    }

    fn advance(&mut self, mut sent: usize) {
        self.queued -= sent as u64;
        while let Some(front) = self.segments.front() {
            if let Segment::File { left, .. } = front {
                if *left == 0 {
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

    /// Queues what is left of the three after `sent` bytes.
    fn queue(
        &mut self,
        staged: &mut Vec<u8>,
        mut sent: usize,
        held: Option<Box<dyn Held>>,
        tail: &[u8],
    ) {
        let first = staged.split_off(sent.min(staged.len()));
        sent -= sent.min(staged.len());
        staged.clear();
        self.push(Segment::Bytes(first), 0);
        if let Some(held) = held {
            let skip = sent.min(held.bytes().len());
            sent -= skip;
            self.push(Segment::Held(held), skip);
        }
        self.push(Segment::Bytes(tail[sent.min(tail.len())..].to_vec()), 0);
    }

    fn push(&mut self, segment: Segment, skip: usize) {
        let length = segment.bytes().len() - skip;
        if length == 0 {
            return;
        }
        if skip > 0 {
            // Only the first piece of an empty queue can have been sent in part.
            self.done = skip;
        }
        self.queued += length as u64;
        self.segments.push_back(segment);
    }
}

fn send_pieces(socket: BorrowedFd<'_>, pieces: &[IoSlice<'_>]) -> Result<usize, Errno> {
    sendmsg(
        socket,
        pieces,
        &mut SendAncillaryBuffer::default(),
        SendFlags::NOSIGNAL,
    )
}
