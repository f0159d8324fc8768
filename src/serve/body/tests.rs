//! Bodies that arrive in pieces of any size, with the next request right behind them.

use std::os::unix::fs::FileExt;

use super::*;

const NEXT: &[u8] = b"GET / HTTP/1.1\r\n\r\n";
const HEAD: &[u8] = b"head";

/// A body as it is told and as it is sent.
fn message(length: usize, chunk: Option<usize>) -> (Framing, Vec<u8>, Vec<u8>) {
    let body: Vec<u8> = (0..length).map(|index| (index % 253) as u8).collect();
    let Some(chunk) = chunk else {
        return (Framing::Length(length as u64), body.clone(), body);
    };
    let mut wire = Vec::new();
    for piece in body.chunks(chunk) {
        wire.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    (Framing::Chunked, body, wire)
}

/// What the connection does, with `wire` coming in steps.
struct Arrival {
    body: Body,
    input: Vec<u8>,
    wire: Vec<u8>,
    step: usize,
}

impl Arrival {
    fn new(framing: Framing, wire: &[u8], step: usize) -> Self {
        Self {
            body: Body::new(framing, HEAD.len(), 0),
            input: HEAD.to_vec(),
            wire: [wire, NEXT].concat(),
            step,
        }
    }

    fn receive(&mut self) {
        let length = self.step.min(self.wire.len());
        assert!(length > 0, "more is wanted than there is");
        self.input.extend(self.wire.drain(..length));
    }

    fn read_ahead(&mut self, keep: u64, spool_above: u64) -> Ahead {
        loop {
            match self.body.read_ahead(&mut self.input, keep, spool_above) {
                Ok(Ahead::NeedsMore) => self.receive(),
                Ok(ahead) => return ahead,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Streams the rest into pieces of `room` bytes.
    fn take_all(&mut self, room: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        let mut buffer = vec![0; room];
        while !self.body.is_given() {
            let mut room = Room::from(&mut buffer[..]);
            match self.body.take(&mut self.input, &mut room).unwrap() {
                0 if self.body.is_given() => break,
                0 => self.receive(),
                length => taken.extend_from_slice(&buffer[..length]),
            }
        }
        taken
    }

    /// The head is where it was, and nothing of the next request is lost.
    fn check_rest(mut self) {
        assert!(self.body.is_read());
        assert!(self.input.starts_with(HEAD));
        self.input.append(&mut self.wire);
        assert_eq!(&self.input[self.body.position()..], NEXT);
    }
}

/// Each length as one, and in chunks of several sizes, arriving in steps of several sizes.
fn for_all(check: impl Fn(Framing, &[u8], &dyn Fn() -> Arrival)) {
    for length in [1, 5, 300, 70_000, 200_000] {
        for chunk in [None, Some(1_000), Some(100_000)] {
            for step in [7_000, 65_536, 1_000_000] {
                let (framing, body, wire) = message(length, chunk);
                check(framing, &body, &|| Arrival::new(framing, &wire, step));
            }
        }
    }
}

fn spooled(file: &File, length: u64) -> Vec<u8> {
    let mut bytes = vec![0; length as usize];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

#[test]
fn a_body_is_read_beforehand() {
    for_all(|_, body, arrival| {
        for spool_above in [0, 100, 100_000] {
            let mut arrival = arrival();
            assert!(matches!(
                arrival.read_ahead(1 << 20, spool_above),
                Ahead::Complete
            ));
            let is_large = spool_above > 0 && body.len() as u64 > spool_above;
            match arrival.body.ready(&arrival.input) {
                Ready::Memory(bytes) => assert!(bytes == body && !is_large),
                Ready::Spooled(file, length) => {
                    assert!(spooled(file, length) == body && is_large);
                }
            }
            arrival.check_rest();
        }
    });
}

#[test]
fn a_body_is_streamed_from_the_beginning_or_after_a_part() {
    for_all(|_, body, arrival| {
        for (keep, spool_above) in [(0, 0), (100, 0), (100_000, 0), (100_000, 1_000)] {
            for room in [1_000, 100_000] {
                let mut arrival = arrival();
                arrival.read_ahead(keep, spool_above);
                if !arrival.body.is_read() {
                    assert!(arrival.take_all(room) == body);
                }
                arrival.check_rest();
            }
        }
    });
}

#[test]
fn a_streamed_body_does_not_gather_in_the_input() {
    let (framing, _, wire) = message(200_000, Some(1_000));
    let mut arrival = Arrival::new(framing, &wire, 7_000);
    let mut buffer = vec![0; 5_000];
    while !arrival.body.is_given() {
        let mut room = Room::from(&mut buffer[..]);
        if arrival.body.take(&mut arrival.input, &mut room).unwrap() == 0 {
            arrival.receive();
        }
        assert!(arrival.input.len() <= HEAD.len() + 7_000 + NEXT.len());
    }
}

#[test]
fn a_body_that_nobody_wants_is_dropped() {
    for_all(|_, _, arrival| {
        let mut arrival = arrival();
        arrival.read_ahead(0, 0);
        while !arrival.body.is_read() {
            arrival.body.discard(&mut arrival.input).unwrap();
            if !arrival.body.is_read() {
                arrival.receive();
            }
        }
        arrival.check_rest();
    });
}

#[test]
fn bytes_that_were_received_elsewhere_count() {
    let mut body = Body::new(Framing::Length(10), HEAD.len(), 0);
    assert_eq!(body.direct(HEAD), Some(10));
    body.received_directly(4);
    assert_eq!((body.direct(HEAD), body.left()), (Some(6), Some(6)));
    assert_eq!(body.direct(b"head, and some of the body"), None);
}

#[test]
fn a_chunked_body_has_a_limit() {
    let (framing, _, wire) = message(300, Some(100));
    let mut body = Body::new(framing, 0, 250);
    let refused = body.read_ahead(&mut wire.clone(), 1_000, 0);
    assert!(matches!(refused, Err(BodyError::Refused(refusal)) if refusal.status == 413));
}
