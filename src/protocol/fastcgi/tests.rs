//! What goes out, and what of the decoders the corpus in `tests/wire/fastcgi` cannot show.

use super::*;
use crate::protocol::{Framing, Head, Kind, Parsed, Request};

fn record(kind: u8, id: u16, content: &[u8], padding: usize) -> Vec<u8> {
    let mut record = header(kind, id, content.len() as u16).to_vec();
    record[6] = padding as u8;
    record.extend_from_slice(content);
    record.resize(record.len() + padding, 0xee);
    record
}

/// A request whose variables are split into records of `size` bytes, with padding.
fn request(variables: &[(&str, &str)], size: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for (name, value) in variables {
        stream.extend_from_slice(&[name.len() as u8]);
        stream.extend_from_slice(&(value.len() as u32 | 0x8000_0000).to_be_bytes());
        stream.extend_from_slice(name.as_bytes());
        stream.extend_from_slice(value.as_bytes());
    }
    let mut bytes = record(BEGIN_REQUEST, 7, &[0, 1, 1, 0, 0, 0, 0, 0], 0);
    for piece in stream.chunks(size) {
        bytes.extend(record(PARAMS, 7, piece, size % 8));
    }
    bytes.extend(record(PARAMS, 7, b"", 3));
    bytes
}

const VARIABLES: [(&str, &str); 3] = [
    ("REQUEST_METHOD", "POST"),
    ("REQUEST_URI", "/a?b"),
    ("CONTENT_LENGTH", "3"),
];

#[track_caller]
fn check_variables(size: usize) {
    let mut input = request(&VARIABLES, size);
    let (mut head, mut replies) = (Head::default(), Vec::new());
    input.extend_from_slice(b"what follows");
    let parsed = parse(&mut input, &mut 0, 100, 0, &mut head, &mut replies);
    assert_eq!((parsed, replies), (Ok(Parsed::Complete), Vec::new()));
    let request = Request {
        head: &head,
        buffer: &input,
    };
    let seen: Vec<_> = request.fields().collect();
    let expected = VARIABLES.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
    assert_eq!(seen, expected, "in records of {size}");
    assert_eq!(
        (head.kind, head.keep_alive),
        (Kind::Fastcgi { id: 7 }, true)
    );
    let length = Some(3);
    assert_eq!(head.framing, Framing::Stdin { id: 7, length });
    assert_eq!(&input[head.len..], b"what follows");
}

#[test]
fn variables_may_be_split_anywhere() {
    (1..100).for_each(check_variables);
}

/// Makes records of `length` bytes behind `before`; gives the contents of the records.
#[track_caller]
fn check_sealed(length: usize, expected: &[usize]) {
    let mut out = b"before".to_vec();
    let at = open(&mut out);
    let content: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
    out.extend_from_slice(&content);
    seal(&mut out, at, 0x102);
    let mut rest = out.strip_prefix(b"before").unwrap();
    let (mut lengths, mut seen) = (Vec::new(), Vec::new());
    while let Some((header, after)) = rest.split_first_chunk::<HEADER>() {
        let record = Record::read(header).unwrap();
        assert_eq!((record.kind, record.id, record.padding), (STDOUT, 0x102, 0));
        let (piece, after) = after.split_at(record.length);
        lengths.push(piece.len());
        seen.extend_from_slice(piece);
        rest = after;
    }
    assert_eq!(lengths, expected);
    assert!(seen == content);
}

#[test]
fn what_is_said_becomes_records() {
    check_sealed(0, &[]);
    check_sealed(1, &[1]);
    check_sealed(65_535, &[65_535]);
    check_sealed(65_536, &[65_535, 1]);
    check_sealed(200_000, &[65_535, 65_535, 65_535, 3_395]);
}

#[test]
fn a_whole_answer_ends_stream_and_request() {
    let stdout = record(STDOUT, 9, b"ok", 0);
    let end = [
        record(STDOUT, 9, b"", 0),
        record(END_REQUEST, 9, &[0; 8], 0),
    ];
    assert_eq!(complete(9, b"ok"), [stdout, end.concat()].concat());
}

#[test]
fn a_full_buffer_keeps_no_more_than_body_back() {
    let mut stdin = Stdin::new(1, None, 0);
    let mut out = b"before".to_vec();
    let input = [record(STDIN, 1, b"abcd", 2), record(STDIN, 1, b"", 1)].concat();
    assert_eq!(stdin.decode(&input, &mut out, 8), Ok(10));
    assert_eq!(out, b"beforeab");
    assert_eq!(stdin.decode(&input[10..], &mut out, 8), Ok(0));
    assert_eq!(stdin.decode(&input[10..], &mut out, 10), Ok(13));
    assert!(stdin.is_complete() && stdin.left() == Some(0));
}

#[test]
fn what_follows_a_body_is_left() {
    let mut stdin = Stdin::new(1, None, 0);
    let input = [record(STDIN, 1, b"", 0), b"next".to_vec()].concat();
    assert_eq!(stdin.decode(&input, &mut Vec::new(), 9), Ok(8));
}

#[test]
fn records_that_are_no_body_have_a_limit() {
    let mut stdin = Stdin::new(1, None, 0);
    let other = record(DATA, 2, b"x", 0);
    let refused = |bytes: Vec<u8>| stdin.clone().decode(&bytes, &mut Vec::new(), 9).is_err();
    assert!(!refused(other.repeat(256)));
    assert!(refused(other.repeat(257)));
    assert!(stdin.replies().is_none());
}
