//! Reading a request body the way `io.BytesIO` is read, from memory, from a file or from the connection.
//!
//! Asking and waiting are apart: [`Reader::answer`] says at once how many of the buffered bytes answer a call,
//! [`Reader::fill`] blocks until there are enough of them. So the extension can answer from the buffer with the
//! interpreter lock held, and let go of the lock only when it has to wait. Nothing is lost when a read fails: what had
//! arrived stays buffered. How Python's arguments and errors look does not belong here.

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, SeekFrom},
};

use crate::sys::{Room, append};

/// Bytes asked for at once when a call can be answered with less.
const READ_AHEAD: usize = 64 << 10;
/// Bytes asked for at once at most, however large the call: a client's promise alone costs no memory.
const LARGEST_STEP: usize = 1 << 20;
/// From this size on a caller's own memory is worth a call of its own.
const DIRECT_FROM: usize = 16 << 10;
/// For so much that was announced a caller may have memory before it comes: a part of the address space, and nothing
/// else until it is filled. What is larger is gathered as it comes.
const LARGEST_PROMISE: usize = 16 << 20;

/// Where a streamed body comes from.
pub trait BodySource: Send {
    /// Blocks for the next bytes of the body, fills `room` with them and gives how many they are, never more than the body
    /// has; `Ok(0)` is its end. It is called without the interpreter lock and must not take it.
    fn read(&mut self, room: &mut Room<'_>) -> io::Result<usize>;
}

/// What one reading call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// So many bytes, or all that are left if these are fewer; `usize::MAX` is all.
    Bytes(usize),
    /// Up to and with the next `\n`, but no more than so many bytes.
    Line(usize),
}

/// A request body and the position in it.
pub struct Reader {
    /// From `at` on these are bytes of the body that are still to be given out.
    buffer: Vec<u8>,
    at: usize,
    /// How many of the buffered bytes are known to hold no line end.
    scanned: usize,
    rest: Rest,
}

/// What follows the buffered bytes.
enum Rest {
    /// The buffer is the whole body.
    Nothing,
    /// The file from `offset` to `len`.
    File { file: File, offset: u64, len: u64 },
    /// What the source gives until it has ended; how much that is, if it was announced.
    Stream {
        source: Box<dyn BodySource>,
        left: Option<u64>,
        ended: bool,
    },
}

impl Reader {
    /// A body that is here already.
    pub fn memory(body: Vec<u8>) -> Self {
        Self {
            buffer: body,
            ..Self::over(Rest::Nothing)
        }
    }

    /// The first `len` bytes of a file; its own position is neither used nor moved.
    pub fn file(file: File, len: u64) -> Self {
        Self::over(Rest::File {
            file,
            offset: 0,
            len,
        })
    }

    /// A body that arrives while it is read. If its `length` in bytes is known, the source is asked for no more.
    pub fn stream(source: Box<dyn BodySource>, length: Option<u64>) -> Self {
        Self::over(Rest::Stream {
            source,
            left: length,
            ended: false,
        })
    }

    fn over(rest: Rest) -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            scanned: 0,
            rest,
        }
    }

    /// How many buffered bytes answer the call, `None` if it has to wait for more.
    pub fn answer(&mut self, wanted: Wanted) -> Option<usize> {
        let buffered = self.buffered().len();
        let limit = match wanted {
            Wanted::Bytes(limit) => limit,
            Wanted::Line(limit) => {
                let window = buffered.min(limit);
                let scanned = self.scanned.min(window);
                if let Some(found) = memchr::memchr(b'\n', &self.buffered()[scanned..window]) {
                    return Some(scanned + found + 1);
                }
                self.scanned = window;
                limit
            }
        };
        (buffered >= limit || self.ended()).then_some(buffered.min(limit))
    }

    /// Blocks until [`answer`](Self::answer) has one.
    pub fn fill(&mut self, wanted: Wanted) -> io::Result<()> {
        while self.answer(wanted).is_none() {
            let (Wanted::Bytes(limit) | Wanted::Line(limit)) = wanted;
            let step = match wanted {
                Wanted::Bytes(_) => (limit - self.buffered().len()).clamp(READ_AHEAD, LARGEST_STEP),
                Wanted::Line(_) => READ_AHEAD,
            };
            self.read_more(step)?;
        }
        Ok(())
    }

    /// How much memory of its own a caller should have [`read_into`](Self::read_into) fill, instead of waiting for a
    /// buffer that it would copy: where many bytes are wanted, but no more than a client's promise may cost.
    pub fn direct(&self, wanted: Wanted) -> Option<usize> {
        let Wanted::Bytes(limit) = wanted else {
            return None;
        };
        let (size, most) = match self.left() {
            Some(left) => {
                let left = usize::try_from(left).unwrap_or(usize::MAX);
                let size = left.saturating_add(self.buffered().len()).min(limit);
                (size, LARGEST_PROMISE)
            }
            None => (limit, LARGEST_STEP),
        };
        (DIRECT_FROM..=most).contains(&size).then_some(size)
    }

    /// Blocks until `room`, which is empty, is full or the body has come to its end.
    ///
    /// # Errors
    /// The source's; what had come until then is buffered.
    pub fn read_into(&mut self, room: &mut Room<'_>) -> io::Result<()> {
        let taken = room.push(self.buffered());
        self.consume(taken);
        while !room.is_full() && !self.ended() {
            if let Err(error) = self.read_once(room) {
                self.put_back(room.filled());
                return Err(error);
            }
        }
        Ok(())
    }

    /// The bytes that are here, from the position on.
    pub fn buffered(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Moves the position over bytes that were given out.
    pub fn consume(&mut self, count: usize) {
        self.at += count;
        self.scanned = 0;
        let whole_body = matches!(self.rest, Rest::Nothing);
        if !whole_body && self.buffered().is_empty() && self.buffer.capacity() > LARGEST_STEP {
            (self.buffer, self.at) = (Vec::new(), 0);
        }
    }

    /// The position in the body, in bytes; `None` for a stream, which has none to go back to.
    pub fn position(&self) -> Option<u64> {
        match &self.rest {
            Rest::Nothing => Some(self.at as u64),
            Rest::File { offset, .. } => Some(offset - self.buffered().len() as u64),
            Rest::Stream { .. } => None,
        }
    }

    /// Moves the position, also past the end (there is nothing to read there); a place before the start is the start.
    /// `None` for a stream.
    pub fn seek(&mut self, to: SeekFrom) -> Option<u64> {
        let position = self.position()?;
        let len = match &self.rest {
            Rest::File { len, .. } => *len,
            _ => self.buffer.len() as u64,
        };
        let target = match to {
            SeekFrom::Start(target) => target,
            SeekFrom::Current(by) => position.saturating_add_signed(by),
            SeekFrom::End(by) => len.saturating_add_signed(by),
        };
        self.scanned = 0;
        if let Rest::File { offset, .. } = &mut self.rest {
            *offset = target;
            self.buffer.clear();
            self.at = 0;
        } else {
            self.at = usize::try_from(target).unwrap_or(usize::MAX);
        }
        Some(target)
    }

    /// Whether nothing can follow the buffered bytes.
    fn ended(&self) -> bool {
        match &self.rest {
            Rest::Stream { ended: true, .. } => true,
            _ => self.left() == Some(0),
        }
    }

    /// How many bytes follow the buffered ones; `None` when only the end will tell.
    fn left(&self) -> Option<u64> {
        match &self.rest {
            Rest::Nothing => Some(0),
            Rest::File { offset, len, .. } => Some(len.saturating_sub(*offset)),
            Rest::Stream { left, .. } => *left,
        }
    }

    /// One read of at most `step` bytes into the buffer.
    fn read_more(&mut self, step: usize) -> io::Result<()> {
        let step = match self.left() {
            Some(left) => step.min(usize::try_from(left).unwrap_or(usize::MAX)),
            None => step,
        };
        self.make_room(step)?;
        let mut buffer = std::mem::take(&mut self.buffer);
        let read = append(&mut buffer, step, |room| self.read_once(room));
        self.buffer = buffer;
        read
    }

    /// One read of what follows the buffered bytes.
    fn read_once(&mut self, room: &mut Room<'_>) -> io::Result<()> {
        let count = loop {
            let read = match &mut self.rest {
                Rest::Nothing => return Ok(()),
                Rest::File { file, offset, len } => {
                    let left = usize::try_from(*len - *offset).unwrap_or(usize::MAX);
                    room.read_at(file, left, *offset).map_err(io::Error::from)
                }
                Rest::Stream { source, .. } => source.read(room),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        match &mut self.rest {
            Rest::Nothing => {}
            Rest::File { offset, len, .. } if count == 0 => *len = *offset,
            Rest::File { offset, .. } => *offset += count as u64,
            Rest::Stream { left, ended, .. } => {
                *ended = count == 0;
                *left = left.map(|left| left.saturating_sub(count as u64));
            }
        }
        Ok(())
    }

    /// Puts bytes that were read before the buffered ones, of which there are none, back in front.
    fn put_back(&mut self, bytes: &[u8]) {
        self.buffer.clear();
        self.buffer.extend_from_slice(bytes);
        (self.at, self.scanned) = (0, 0);
    }

    /// Lets `step` bytes fit behind the buffered ones. What was given out is overwritten once it is the larger part,
    /// so that each byte is moved a bounded number of times.
    ///
    /// # Errors
    /// Memory has run out, which is for the application to hear, whose call asks for so much.
    fn make_room(&mut self, step: usize) -> io::Result<()> {
        if self.at >= self.buffered().len() {
            self.buffer.drain(..self.at);
            self.at = 0;
        }
        Ok(self.buffer.try_reserve(step)?)
    }
}
