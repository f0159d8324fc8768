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
    mem::take,
    os::unix::fs::FileExt,
};

/// Bytes asked for at once when a call can be answered with less.
const READ_AHEAD: usize = 64 << 10;
/// Bytes asked for at once at most, however large the call: a client's promise alone costs no memory.
const LARGEST_STEP: usize = 1 << 20;
/// From this size on a caller's own memory is worth a call of its own.
const DIRECT_FROM: usize = 16 << 10;

/// Where a streamed body comes from.
pub trait BodySource: Send {
    /// Blocks for the next bytes of the body and never gives more than the body has; `Ok(0)` is its end. It is called
    /// without the interpreter lock and must not take it.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
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
    /// Only `at..end` are bytes of the body that are still to be given out.
    buffer: Vec<u8>,
    at: usize,
    end: usize,
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
    /// What the source gives until it has ended.
    Stream {
        source: Box<dyn BodySource>,
        ended: bool,
    },
}

impl Reader {
    /// A body that is here already.
    pub fn memory(body: Vec<u8>) -> Self {
        let end = body.len();
        Self {
            buffer: body,
            at: 0,
            end,
            scanned: 0,
            rest: Rest::Nothing,
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

    /// A body that arrives while it is read.
    pub fn stream(source: Box<dyn BodySource>) -> Self {
        Self::over(Rest::Stream {
            source,
            ended: false,
        })
    }

    fn over(rest: Rest) -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            end: 0,
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
    /// buffer that it would copy: where bytes come while they are read, and many are wanted, but no more than a client's
    /// promise may cost.
    pub fn direct(&self, wanted: Wanted) -> Option<usize> {
        match (wanted, &self.rest) {
            (
                Wanted::Bytes(limit @ DIRECT_FROM..=LARGEST_STEP),
                Rest::Stream { ended: false, .. },
            ) => Some(limit),
            _ => None,
        }
    }

    /// Blocks until `memory` is full or the body has come to its end; gives how many bytes were moved there.
    ///
    /// # Errors
    /// The source's; what had come until then is buffered.
    pub fn read_into(&mut self, memory: &mut [u8]) -> io::Result<usize> {
        let mut count = self.buffered().len().min(memory.len());
        memory[..count].copy_from_slice(&self.buffered()[..count]);
        self.consume(count);
        while count < memory.len() && !self.ended() {
            match self.read_once(&mut memory[count..]) {
                Ok(read) => count += read,
                Err(error) => {
                    self.put_back(&memory[..count]);
                    return Err(error);
                }
            }
        }
        Ok(count)
    }

    /// The bytes that are here, from the position on.
    pub fn buffered(&self) -> &[u8] {
        self.buffer.get(self.at..self.end).unwrap_or_default()
    }

    /// Moves the position over bytes that were given out.
    pub fn consume(&mut self, count: usize) {
        self.at += count;
        self.scanned = 0;
        let whole_body = matches!(self.rest, Rest::Nothing);
        if !whole_body && self.at >= self.end && self.buffer.len() > LARGEST_STEP {
            (self.buffer, self.at, self.end) = (Vec::new(), 0, 0);
        }
    }

    /// The position in the body, in bytes; `None` for a stream, which has none to go back to.
    pub fn position(&self) -> Option<u64> {
        match &self.rest {
            Rest::Nothing => Some(self.at as u64),
            Rest::File { offset, .. } => Some(offset - (self.end - self.at) as u64),
            Rest::Stream { .. } => None,
        }
    }

    /// Moves the position, also past the end (there is nothing to read there); a place before the start is the start.
    /// `None` for a stream.
    pub fn seek(&mut self, to: SeekFrom) -> Option<u64> {
        let position = self.position()?;
        let len = match &self.rest {
            Rest::File { len, .. } => *len,
            _ => self.end as u64,
        };
        let target = match to {
            SeekFrom::Start(target) => target,
            SeekFrom::Current(by) => position.saturating_add_signed(by),
            SeekFrom::End(by) => len.saturating_add_signed(by),
        };
        self.scanned = 0;
        if let Rest::File { offset, .. } = &mut self.rest {
            *offset = target;
            (self.at, self.end) = (0, 0);
        } else {
            self.at = usize::try_from(target).unwrap_or(usize::MAX);
        }
        Some(target)
    }

    /// Whether nothing can follow the buffered bytes.
    fn ended(&self) -> bool {
        match &self.rest {
            Rest::Nothing => true,
            Rest::File { offset, len, .. } => offset >= len,
            Rest::Stream { ended, .. } => *ended,
        }
    }

    /// One read of at most `step` bytes into the buffer.
    fn read_more(&mut self, step: usize) -> io::Result<()> {
        self.make_room(step);
        let mut buffer = take(&mut self.buffer);
        let read = self.read_once(&mut buffer[self.end..self.end + step]);
        self.buffer = buffer;
        self.end += read?;
        Ok(())
    }

    /// One read of what follows the buffered bytes.
    fn read_once(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let count = loop {
            let read = match &mut self.rest {
                Rest::Nothing => return Ok(0),
                Rest::File { file, offset, len } => {
                    let left = usize::try_from(*len - *offset).unwrap_or(usize::MAX);
                    let most = room.len().min(left);
                    file.read_at(&mut room[..most], *offset)
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
            Rest::Stream { ended, .. } => *ended = count == 0,
        }
        Ok(count)
    }

    /// Puts bytes that were read before the buffered ones, of which there are none, back in front.
    fn put_back(&mut self, bytes: &[u8]) {
        self.buffer.clear();
        self.buffer.extend_from_slice(bytes);
        (self.at, self.end, self.scanned) = (0, bytes.len(), 0);
    }

    /// Lets `step` bytes fit behind the buffered ones. What was given out is overwritten once it is the larger part,
    /// so that each byte is moved a bounded number of times.
    fn make_room(&mut self, step: usize) {
        if self.at >= self.end - self.at {
            self.buffer.copy_within(self.at..self.end, 0);
            self.end -= self.at;
            self.at = 0;
        }
        if self.buffer.len() < self.end + step {
            let len = (self.end + step).max(self.buffer.len() * 2);
            self.buffer.resize(len, 0);
        }
    }
}
