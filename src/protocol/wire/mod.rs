//! Runs the raw requests of `tests/wire` through the decoders, in pieces of any size, and what random changes make of
//! them. The format of the expectations is in `tests/wire/README.md`.

mod corpus;
mod mutation;
mod packets;

use std::fmt::Write;

use super::{
    Framing, Head, Parsed, Refusal, Request, Version,
    http::{
        body::Chunked,
        head::{self, Limits},
    },
};

/// The limits that `tests/wire/README.md` names.
const LIMITS: Limits = Limits {
    head: 4096,
    body: 1024,
};

/// A connection without a socket: what comes in is decoded at once, what comes of it is written down.
struct Connection {
    buffer: Vec<u8>,
    scanned: usize,
    head: Head,
    body: Vec<u8>,
    state: State,
    transcript: String,
}

enum State {
    Head,
    Length(u64),
    Chunked(Chunked),
    Closed,
}

/// What becomes of a client that sends these pieces.
fn transcript<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut connection = Connection {
        buffer: Vec::new(),
        scanned: 0,
        head: Head::default(),
        body: Vec::new(),
        state: State::Head,
        transcript: String::new(),
    };
    for piece in pieces {
        connection.buffer.extend_from_slice(piece);
        if let Err(refusal) = connection.decode() {
            connection.refuse(refusal);
        }
    }
    connection.transcript
}

impl Connection {
    /// Takes in as much of the buffer as makes sense by now.
    fn decode(&mut self) -> Result<(), Refusal> {
        while !matches!(self.state, State::Closed) && self.step()? {}
        Ok(())
    }

    /// One step, if there is one to take.
    fn step(&mut self) -> Result<bool, Refusal> {
        match &mut self.state {
            State::Head => {
                if head::parse(&self.buffer, &mut self.scanned, &LIMITS, &mut self.head)?
                    == Parsed::Incomplete
                {
                    return Ok(false);
                }
                self.begin();
            }
            State::Length(left) => {
                let take = self.buffer.len().min(usize::try_from(*left).unwrap());
                self.body.extend(self.buffer.drain(..take));
                *left -= take as u64;
                if *left > 0 {
                    return Ok(false);
                }
                self.end();
            }
            State::Chunked(chunked) => {
                // Little room, so that running out of it is part of the test.
                let room = self.body.len() + 7;
                let consumed = chunked.decode(&self.buffer, &mut self.body, room)?;
                assert!(self.body.len() <= room);
                self.buffer.drain(..consumed);
                if !chunked.is_complete() {
                    return Ok(consumed > 0);
                }
                self.end();
            }
            State::Closed => return Ok(false),
        }
        Ok(true)
    }

    /// A head is complete: tells of it and goes on to its body.
    fn begin(&mut self) {
        let request = Request {
            head: &self.head,
            buffer: &self.buffer,
        };
        let version = match self.head.version {
            Version::Http10 => "HTTP/1.0",
            Version::Http11 => "HTTP/1.1",
        };
        let mut told = self.separator().to_owned();
        let (method, target) = (
            request.method().escape_ascii(),
            request.target().escape_ascii(),
        );
        writeln!(told, "request: {method} {target} {version}").unwrap();
        for (name, value) in request.fields() {
            writeln!(
                told,
                "field: {}: {}",
                name.escape_ascii(),
                value.escape_ascii()
            )
            .unwrap();
        }
        if self.head.expect_continue {
            told.push_str("expect: 100-continue\n");
        }
        self.transcript.push_str(&told);
        self.buffer.drain(..self.head.len);
        self.scanned = 0;
        self.state = match self.head.framing {
            Framing::Chunked => State::Chunked(Chunked::new(LIMITS.body)),
            Framing::Length(length) => State::Length(length),
            Framing::None => return self.close_or_keep(),
            Framing::Stdin { .. } => unreachable!("HTTP has no such bodies"),
        };
    }

    /// The body is complete.
    fn end(&mut self) {
        let body = std::mem::take(&mut self.body);
        self.line(format_args!("body: {}", body.escape_ascii()));
        self.close_or_keep();
    }

    fn close_or_keep(&mut self) {
        let (word, state) = if self.head.keep_alive {
            ("keep-alive", State::Head)
        } else {
            ("close", State::Closed)
        };
        self.line(format_args!("connection: {word}"));
        self.state = state;
    }

    fn refuse(&mut self, refusal: Refusal) {
        // A body is refused in the block of its request.
        if matches!(self.state, State::Head) {
            self.transcript.push_str(self.separator());
        }
        self.line(format_args!(
            "refused: {} {}",
            refusal.status, refusal.reason
        ));
        self.state = State::Closed;
    }

    fn separator(&self) -> &'static str {
        if self.transcript.is_empty() { "" } else { "\n" }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.transcript, "{line}").unwrap();
    }
}
