//! What raw requests cannot show: positions, early refusals, memory, the work for small pieces. The rest is in
//! `tests/wire`.

use super::{Limits, parse};
use crate::protocol::{Framing, Head, Parsed, Refusal, Request};

const LIMITS: Limits = Limits { head: 100, body: 0 };

/// What one call says of `text`, line ends made CRLF, and how far it has scanned.
fn parsed(text: &str) -> (Result<Parsed, Refusal>, usize) {
    let mut scanned = 0;
    let result = parse(
        text.replace('\n', "\r\n").as_bytes(),
        &mut scanned,
        &LIMITS,
        &mut Head::default(),
    );
    (result, scanned)
}

fn check_incomplete(text: &str) {
    assert_eq!(
        parsed(text),
        (Ok(Parsed::Incomplete), text.replace('\n', "\r\n").len()),
        "{text:?}"
    );
}

/// It is refused although the head has not ended.
fn check_early(text: &str, expected: u16) {
    assert_eq!(
        parsed(text).0.map_err(|refusal| refusal.status),
        Err(expected),
        "{text:?}"
    );
}

fn head_of(text: &str) -> (Vec<u8>, Head) {
    let buffer = text.replace('\n', "\r\n").into_bytes();
    let mut head = Head::default();
    assert_eq!(
        parse(&buffer, &mut 0, &LIMITS, &mut head),
        Ok(Parsed::Complete),
        "{text:?}"
    );
    (buffer, head)
}

#[test]
fn positions() {
    let (buffer, head) =
        head_of("\nPOST http://h:1/p%20?q=? HTTP/1.1\nHost: x\nA:\nContent-Length: 4\n\nbody");
    let request = Request {
        head: &head,
        buffer: &buffer,
    };
    assert_eq!(
        (request.method(), request.target()),
        (&b"POST"[..], &b"http://h:1/p%20?q=?"[..])
    );
    assert_eq!(head.path.of(&buffer), b"/p%20");
    assert_eq!(head.query.of(&buffer), b"q=?");
    assert_eq!(head.authority.of(&buffer), b"h:1");
    assert_eq!(&buffer[head.len..], b"body");
    assert!(request.fields().eq([
        (&b"Host"[..], &b"x"[..]),
        (b"A", b""),
        (b"Content-Length", b"4")
    ]));
}

#[test]
fn incomplete_heads() {
    for text in [
        "",
        "G",
        "\n",
        "\n\n",
        "GET / HTTP/1.1",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\nHost: a\n",
    ] {
        check_incomplete(text);
    }
}

#[test]
fn faults_are_not_waited_for() {
    check_early("\x16\x03\x01", 400);
    check_early("GET / HTTP/2.0\n", 505);
    check_early("nonsense\n", 400);
    check_early("GET /#x HTTP/1.1\n", 400);
    check_early("CONNECT a:1 HTTP/1.1\n", 501);
    check_early("GET / HTTP/1.1\nX: \0", 400);
    check_early(&"x".repeat(100), 414);
    check_early(&format!("GET / HTTP/1.1\n{}", "x".repeat(84)), 431);
}

#[test]
fn the_limit_is_the_largest_head() {
    let head = |size: usize| format!("GET / HTTP/1.0\nA: {}\n\n", "x".repeat(size - 23));
    assert_eq!(parsed(&head(100)).0, Ok(Parsed::Complete));
    check_early(&head(101), 431);
    let line = |size: usize| format!("GET /{} HTTP/1.0\n\n", "x".repeat(size - 18));
    assert_eq!(parsed(&line(100)).0, Ok(Parsed::Complete));
    check_early(&line(103), 414);
}

#[test]
fn a_head_is_reused_for_the_next() {
    let (_, mut head) = head_of(
        "POST http://a/?b HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 1\nHost-A: b\n\n",
    );
    let memory = head.fields.as_ptr();
    assert!(head.expect_continue);
    parse(
        b"GET / HTTP/1.0\r\nA: b\r\n\r\n",
        &mut 0,
        &LIMITS,
        &mut head,
    )
    .unwrap();
    assert_eq!(head, head_of("GET / HTTP/1.0\nA: b\n\n").1);
    assert_eq!(head.fields.as_ptr(), memory);
}

#[test]
fn repeated_names_are_noticed() {
    let repeats = |fields: &str| head_of(&format!("GET / HTTP/1.0\n{fields}\n")).1.repeats;
    assert!(repeats("Accept: a\nB: c\naccept: b\n"));
    // The same length and the same ends, but other names.
    assert!(!repeats("Accept: a\nAxxxxt: b\n"));
    assert!(!repeats("A: 1\nB: 2\nC: 3\n"));
}

#[test]
fn a_body_is_known_by_its_framing() {
    assert_eq!(head_of("GET / HTTP/1.0\n\n").1.framing, Framing::None);
    assert_eq!(
        head_of("GET / HTTP/1.0\nContent-Length: 0\n\n").1.framing,
        Framing::Length(0)
    );
    let largest = head_of("GET / HTTP/1.0\nContent-Length: 18446744073709551615\n\n").1;
    assert_eq!(largest.framing, Framing::Length(u64::MAX));
}

/// Each call gets the head so far with one byte more. What it has scanned before is overwritten with a byte that would
/// be refused, in the middle of lines, so the call fails if it looks at it again.
#[test]
fn no_byte_is_scanned_twice() {
    let raw = format!("GET / HTTP/1.0\r\nA: {}\r\n", "x".repeat(60));
    let mut scanned = 0_usize;
    for len in 1..=raw.len() {
        let mut buffer = raw.as_bytes()[..len].to_vec();
        buffer[..scanned.saturating_sub(2)]
            .iter_mut()
            .filter(|byte| **byte == b'x')
            .for_each(|byte| *byte = 0);
        assert_eq!(
            parse(&buffer, &mut scanned, &LIMITS, &mut Head::default()),
            Ok(Parsed::Incomplete)
        );
        assert_eq!(scanned, len);
    }
}
