//! A request body on its way in: what framing says is still to come, and where the part that was read beforehand is.

#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Write},
};

use crate::{
    protocol::{Framing, Refusal, fastcgi::Stdin, http::body::Chunked},
    sys::Room,
};

/// Bytes decoded or moved at a time where the body does not stay in the connection's buffer.
const PIECE: usize = 64 << 10;

/// How the rest of the body is told apart from what follows it.
enum Decoder {
    Chunked(Chunked),
    Length { left: u64 },
    Stdin(Stdin),
}

/// Where the part that was read beforehand is kept.
#[derive(Default)]
enum Store {
    /// In the connection's input, from the end of the head on.
    #[default]
    InPlace,
    /// Decoded, in memory of its own.
    Memory(Vec<u8>),
    /// In a nameless temporary file.
    Spooled { file: File, length: u64 },
}

/// The body of the running request.
pub(super) struct Body {
    decoder: Decoder,
    store: Store,
    /// Where in the connection's input the body began, right behind the head.
    start: usize,
    /// Where in the connection's input the undecoded bytes begin.
    at: usize,
    /// Streaming: how much of the store was given out.
    given: u64,
}

/// What a step of reading ahead found.
pub(super) enum Ahead {
    /// The whole body is here.
    Complete,
    /// More has to come from the socket.
    NeedsMore,
    /// It is larger than what is read ahead: the application reads the rest itself.
    Streams,
}

/// Where the body lies when it was read beforehand.
pub(super) enum Ready<'c> {
    Memory(&'c [u8]),
    Spooled(&'c File, u64),
}

impl Default for Body {
    fn default() -> Self {
        Self {
            decoder: Decoder::Length { left: 0 },
            store: Store::InPlace,
            start: 0,
            at: 0,
            given: 0,
        }
    }
}

impl Body {
    /// A body that begins at `at` of the input.
    pub(super) fn new(framing: Framing, at: usize, limit: u64) -> Self {
        let decoder = match framing {
            Framing::Chunked => Decoder::Chunked(Chunked::new(limit)),
            Framing::Length(left) => Decoder::Length { left },
            Framing::None => Decoder::Length { left: 0 },
            Framing::Stdin { id, length } => Decoder::Stdin(Stdin::new(id, length, limit)),
        };
        let store = match framing {
            Framing::Chunked | Framing::Stdin { .. } => Store::Memory(Vec::new()),
            _ => Store::InPlace,
        };
        Self {
            decoder,
            store,
            start: at,
            at,
            given: 0,
        }
    }

    /// Where in the connection's input what follows the decoded part begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Whether every byte of it came.
    pub(super) fn is_read(&self) -> bool {
        match &self.decoder {
            Decoder::Chunked(chunked) => chunked.is_complete(),
            Decoder::Length { left } => *left == 0,
            Decoder::Stdin(stdin) => stdin.is_complete(),
        }
    }

    /// Takes in what is no data of a STDIN stream that begins: its end, where there is no body.
    pub(super) fn take_in_end(&mut self, input: &[u8]) -> Result<(), Refusal> {
        if let Decoder::Stdin(stdin) = &mut self.decoder {
            self.at += stdin.decode(&input[self.at..], &mut Vec::new(), 0)?;
        }
        Ok(())
    }

    /// Bytes still to come; `None` when only the end will tell.
    pub(super) fn left(&self) -> Option<u64> {
        match &self.decoder {
            Decoder::Chunked(chunked) => chunked.is_complete().then_some(0),
            Decoder::Length { left } => Some(*left),
            Decoder::Stdin(stdin) => stdin.left(),
        }
    }

    /// What has to be said to the front server before the answer, about records that were no part of the body.
    pub(super) fn replies(&mut self) -> Option<Vec<u8>> {
        match &mut self.decoder {
            Decoder::Stdin(stdin) => stdin.replies(),
            _ => None,
        }
    }

    /// Takes in what `input` holds. `keep` is how much is read ahead at most, `spool_above` from which size it is
    /// kept in a file (0: never).
    pub(super) fn read_ahead(
        &mut self,
        input: &mut Vec<u8>,
        keep: u64,
        spool_above: u64,
    ) -> Result<Ahead, BodyError> {
        if let (&Decoder::Length { left }, Store::InPlace) = (&self.decoder, &self.store) {
            if left > keep {
                return Ok(Ahead::Streams);
            }
            if spool_above == 0 || left <= spool_above {
                return Ok(self.read_in_place(input, left));
            }
        }
        loop {
            if self.is_read() {
                return Ok(Ahead::Complete);
            }
            if self.stored() > keep || self.is_announced_above(keep) {
                return Ok(Ahead::Streams);
            }
            if self.at == input.len() {
                return Ok(Ahead::NeedsMore);
            }
            self.store_piece(input, spool_above)?;
            self.forget_used(input);
        }
    }

    /// Whether it is known to be larger before it comes.
    fn is_announced_above(&self, keep: u64) -> bool {
        match &self.decoder {
            Decoder::Stdin(stdin) => stdin.left().is_some_and(|left| left > keep),
            Decoder::Chunked(_) | Decoder::Length { .. } => false,
        }
    }

    fn read_in_place(&mut self, input: &mut Vec<u8>, left: u64) -> Ahead {
        let end = self.at + left as usize;
        if input.len() < end {
            input.reserve(end - input.len());
            return Ahead::NeedsMore;
        }
        self.at = end;
        self.decoder = Decoder::Length { left: 0 };
        Ahead::Complete
    }

    fn stored(&self) -> u64 {
        match &self.store {
            Store::InPlace => 0,
            Store::Memory(bytes) => bytes.len() as u64,
            Store::Spooled { length, .. } => *length,
        }
    }

    /// Moves one piece from `input` to the store, and the store into a file when it has grown too large.
    fn store_piece(&mut self, input: &[u8], spool_above: u64) -> Result<(), BodyError> {
        let mut piece = match &mut self.store {
            Store::Memory(bytes) => std::mem::take(bytes),
            _ => Vec::new(),
        };
        let room = piece.len() + PIECE;
        self.decode(input, &mut piece, room)?;
        if let Store::Spooled { file, length } = &mut self.store {
            file.write_all(&piece)?;
            *length += piece.len() as u64;
        } else if spool_above > 0 && piece.len() as u64 > spool_above {
            let mut file = tempfile::tempfile()?;
            file.write_all(&piece)?;
            self.store = Store::Spooled {
                file,
                length: piece.len() as u64,
            };
        } else {
            self.store = Store::Memory(piece);
        }
        Ok(())
    }

    /// Decodes from `input` until `out` has `room` bytes or the input is used up.
    fn decode(&mut self, input: &[u8], out: &mut Vec<u8>, room: usize) -> Result<(), BodyError> {
        let used = match &mut self.decoder {
            Decoder::Chunked(chunked) => chunked.decode(&input[self.at..], out, room)?,
            Decoder::Stdin(stdin) => stdin.decode(&input[self.at..], out, room)?,
            Decoder::Length { left } => {
                let length = (input.len() - self.at)
                    .min(room - out.len())
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                out.extend_from_slice(&input[self.at..self.at + length]);
                *left -= length as u64;
                length
            }
        };
        self.at += used;
        Ok(())
    }

    /// The body that was read beforehand.
    pub(super) fn ready<'c>(&'c self, input: &'c [u8]) -> Ready<'c> {
        match &self.store {
            Store::InPlace => Ready::Memory(&input[self.start..self.at]),
            Store::Memory(bytes) => Ready::Memory(bytes),
            Store::Spooled { file, length } => Ready::Spooled(file, *length),
        }
    }

    /// Streaming: moves what is here already into `room`; 0 means that the socket has to be read (or the end).
    pub(super) fn take(
        &mut self,
        input: &mut Vec<u8>,
        room: &mut Room<'_>,
    ) -> Result<usize, BodyError> {
        if let Store::Spooled { file, length } = &self.store {
            if self.given < *length {
                let read = room.read_at(file, usize::MAX, self.given);
                let read = read.map_err(io::Error::from)?;
                self.given += read as u64;
                return Ok(read);
            }
            self.store = Store::Memory(Vec::new());
            self.given = 0;
        }
        let taken = match std::mem::take(&mut self.store) {
            Store::Memory(mut piece) => {
                let taken = self.take_decoded(&mut piece, input, room);
                self.store = Store::Memory(piece);
                taken?
            }
            _ => self.take_in_place(input, room),
        };
        self.forget_used(input);
        Ok(taken)
    }

    fn take_decoded(
        &mut self,
        piece: &mut Vec<u8>,
        input: &[u8],
        room: &mut Room<'_>,
    ) -> Result<usize, BodyError> {
        if self.given == piece.len() as u64 {
            piece.clear();
            self.given = 0;
            self.decode(input, piece, PIECE)?;
        }
        let length = room.push(&piece[self.given as usize..]);
        self.given += length as u64;
        Ok(length)
    }

    fn take_in_place(&mut self, input: &[u8], room: &mut Room<'_>) -> usize {
        let Decoder::Length { left } = &mut self.decoder else {
            return 0;
        };
        let here = &input[self.at..];
        let most = here.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
        let length = room.push(&here[..most]);
        self.at += length;
        *left -= length as u64;
        length
    }

    /// Whether the application has been given all of it.
    pub(super) fn is_given(&self) -> bool {
        self.is_read()
            && match &self.store {
                Store::InPlace => true,
                _ => self.given == self.stored(),
            }
    }

    /// Streaming a body of known length: how much may be received straight into the reader's memory, past `input`.
    pub(super) fn direct(&self, input: &[u8]) -> Option<u64> {
        match (&self.decoder, &self.store) {
            (Decoder::Length { left }, Store::InPlace) if self.at == input.len() => Some(*left),
            _ => None,
        }
    }

    /// So much was received past `input`, as [`Body::direct`] allows.
    pub(super) fn received_directly(&mut self, length: usize) {
        if let Decoder::Length { left } = &mut self.decoder {
            *left -= length as u64;
        }
    }

    /// Drops what is here of a body that nobody wants.
    pub(super) fn discard(&mut self, input: &mut Vec<u8>) -> Result<(), BodyError> {
        let mut dropped = Vec::new();
        while !self.is_read() && self.at < input.len() {
            dropped.clear();
            self.decode(input, &mut dropped, PIECE)?;
        }
        self.forget_used(input);
        Ok(())
    }

    /// Keeps `input` from growing while a body streams through it.
    fn forget_used(&mut self, input: &mut Vec<u8>) {
        if self.at == input.len() && !matches!(self.store, Store::InPlace if self.is_read()) {
            input.truncate(self.start);
            self.at = self.start;
        }
    }
}

/// Why a body cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// The client's framing is wrong, or the body too large.
    #[error("{}", .0.reason)]
    Refused(Refusal),
    /// The temporary file cannot be written.
    #[error("a request body cannot be spooled to a temporary file")]
    Spool(#[from] io::Error),
}

impl From<Refusal> for BodyError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
