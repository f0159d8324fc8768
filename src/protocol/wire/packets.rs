//! The same for what front servers send: FastCGI, SCGI and the PROXY protocol, whose bytes are written in hexadecimal.

use std::fmt::Write;

use super::LIMITS;
use crate::protocol::{
    Framing, Head, Kind, Parsed, Refusal, Request,
    fastcgi::{self, Stdin},
    proxy, scgi,
};

/// The bytes that a text stands for: two digits each, or in quotes as they are; `#` begins a comment.
pub(super) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        for (number, part) in line.split('"').enumerate() {
            if number % 2 == 1 {
                bytes.extend_from_slice(part.as_bytes());
                continue;
            }
            let digits: Vec<u8> = part.bytes().filter(|byte| *byte != b' ').collect();
            let pairs = digits.chunks(2).map(|pair| str::from_utf8(pair).unwrap());
            bytes.extend(pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()));
        }
    }
    bytes
}

/// What becomes of a front server that sends these pieces of FastCGI.
pub(super) fn fastcgi<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut connection = Records::default();
    for piece in pieces {
        connection.buffer.extend_from_slice(piece);
        if let Err(refusal) = connection.decode() {
            connection.tell_refusal(refusal);
        }
    }
    if !connection.replies.is_empty() {
        let replies = connection.replies.escape_ascii();
        writeln!(connection.transcript, "replies: {replies}").unwrap();
    }
    connection.transcript
}

/// What becomes of one that sends these pieces of SCGI.
pub(super) fn scgi<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    first_answer(pieces, |buffer| {
        let mut head = Head::default();
        match scgi::parse(buffer, LIMITS.head, LIMITS.body, &mut head)? {
            Parsed::Incomplete => Ok(None),
            Parsed::Complete => {
                let mut told = request(&head, buffer);
                let rest = buffer.len() - head.len;
                match head.framing {
                    Framing::Length(length) if length > rest as u64 => return Ok(None),
                    Framing::Length(length) => {
                        let body = &buffer[head.len..][..length as usize];
                        writeln!(told, "body: {}", body.escape_ascii()).unwrap();
                    }
                    framing => assert_eq!(framing, Framing::None),
                }
                Ok(Some(told))
            }
        }
    })
}

/// What becomes of one that sends these pieces of a PROXY header.
pub(super) fn proxy<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    first_answer(pieces, |buffer| {
        let proxied = proxy::parse(buffer)?;
        Ok(proxied.map(|proxied| match proxied.client {
            None => format!("its own, {} bytes\n", proxied.len),
            Some(client) => {
                let tls = if client.tls { ", TLS" } else { "" };
                let address = client
                    .address
                    .map_or("unix".to_owned(), |address| address.to_string());
                format!("client: {address}{tls}, {} bytes\n", proxied.len)
            }
        }))
    })
}

/// The first answer of a decoder that looks at all bytes so far; empty if there is none.
fn first_answer<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    decode: impl Fn(&[u8]) -> Result<Option<String>, Refusal>,
) -> String {
    let mut buffer = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        match decode(&buffer) {
            Ok(None) => {}
            Ok(Some(told)) => return told,
            Err(Refusal { status, reason }) => return format!("refused: {status} {reason}\n"),
        }
    }
    String::new()
}

fn request(head: &Head, buffer: &[u8]) -> String {
    let request = Request { head, buffer };
    let (method, target) = (request.method(), request.target());
    let mut told = format!(
        "request: {} {}\n",
        method.escape_ascii(),
        target.escape_ascii()
    );
    for (name, value) in request.fields() {
        let (name, value) = (name.escape_ascii(), value.escape_ascii());
        writeln!(told, "field: {name}: {value}").unwrap();
    }
    told
}

/// A FastCGI connection without a socket.
#[derive(Default)]
struct Records {
    buffer: Vec<u8>,
    taken: usize,
    head: Head,
    stdin: Option<Stdin>,
    body: Vec<u8>,
    replies: Vec<u8>,
    closed: bool,
    transcript: String,
}

impl Records {
    fn decode(&mut self) -> Result<(), Refusal> {
        while !self.closed && self.step()? {}
        Ok(())
    }

    /// One step, if there is one to take.
    fn step(&mut self) -> Result<bool, Refusal> {
        let Some(stdin) = &mut self.stdin else {
            return self.step_of_head();
        };
        // Little room, so that running out of it is part of the test.
        let room = self.body.len() + 7;
        let used = stdin.decode(&self.buffer, &mut self.body, room)?;
        assert!(self.body.len() <= room);
        self.replies.extend(stdin.replies().unwrap_or_default());
        self.buffer.drain(..used);
        if !stdin.is_complete() {
            return Ok(used > 0);
        }
        let body = std::mem::take(&mut self.body);
        let fate = if self.head.keep_alive {
            "keep-alive"
        } else {
            "close"
        };
        let body = body.escape_ascii();
        writeln!(self.transcript, "body: {body}\nconnection: {fate}").unwrap();
        self.closed = !self.head.keep_alive;
        (self.stdin, self.taken) = (None, 0);
        Ok(true)
    }

    fn step_of_head(&mut self) -> Result<bool, Refusal> {
        let (variables, body) = (LIMITS.head, LIMITS.body);
        let parsed = fastcgi::parse(
            &mut self.buffer,
            &mut self.taken,
            variables,
            body,
            &mut self.head,
            &mut self.replies,
        )?;
        if parsed == Parsed::Incomplete {
            return Ok(false);
        }
        let (Kind::Fastcgi { id }, Framing::Stdin { id: same, length }) =
            (self.head.kind, self.head.framing)
        else {
            panic!("no FastCGI: {:?}", self.head);
        };
        assert_eq!(id, same);
        let told = request(&self.head, &self.buffer);
        writeln!(self.transcript, "id: {id}\n{}", told.trim_end()).unwrap();
        self.buffer.drain(..self.head.len);
        self.stdin = Some(Stdin::new(id, length, LIMITS.body));
        Ok(true)
    }

    fn tell_refusal(&mut self, refusal: Refusal) {
        // What has to be answered comes before the refusal, also when both are found at once.
        let stdin = self.stdin.as_mut();
        let replies = stdin.and_then(Stdin::replies).unwrap_or_default();
        self.replies.extend(replies);
        let Refusal { status, reason } = refusal;
        writeln!(self.transcript, "refused: {status} {reason}").unwrap();
        self.closed = true;
    }
}
