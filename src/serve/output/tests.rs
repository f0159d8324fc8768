//! Partial sends of every shape: over sockets that take little, with a reader that takes little.

use std::{
    fs::File,
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use rustix::net::sockopt;

use super::*;
use crate::protocol::fastcgi::{open, seal};

struct Bytes(Vec<u8>);

impl Held for Bytes {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Two ends that do not block, the first with as small a buffer as the kernel gives.
fn pair() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    sockopt::set_socket_send_buffer_size(&near, 1).unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

fn file_of(bytes: &[u8]) -> OwnedFd {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.into()
}

/// Bytes that no mistake in order or length leaves as they are.
fn pattern(length: usize) -> Vec<u8> {
    (0..length)
        .map(|index| (index % 251) as u8 ^ (index / 251) as u8)
        .collect()
}

/// Everything that still comes, read in pieces of `step` bytes.
fn drain(output: &mut Output, near: &UnixStream, far: &mut UnixStream, step: usize) -> Vec<u8> {
    let mut received = Vec::new();
    let mut piece = vec![0; step];
    loop {
        let flushed = output.flush(&mut near.as_fd().into()).unwrap();
        match far.read(&mut piece) {
            Ok(read) => received.extend_from_slice(&piece[..read]),
            Err(_) if flushed == Flushed::All => return received,
            Err(_) => {}
        }
    }
}

/// Sends `staged`, `held` and `tail` again and again, with a file now and then, to a reader of small steps.
fn check(staged: usize, held: usize, tail: usize, step: usize) {
    let (near, mut far) = pair();
    let mut output = Output::default();
    let mut expected = Vec::new();
    for round in 0..20 {
        let mut head = pattern(staged);
        expected.extend_from_slice(&head);
        if round % 3 == 2 {
            output.push(&mut head);
            output.push_file(file_of(&pattern(held + 7)), 7, held as u64);
            expected.extend_from_slice(&pattern(held + 7)[7..]);
        } else {
            let (body, end) = (pattern(held), pattern(tail));
            expected.extend_from_slice(&body);
            expected.extend_from_slice(&end);
            let held = Box::new(Bytes(body));
            output
                .send_held(&mut near.as_fd().into(), &mut head, held, &end)
                .unwrap();
        }
        assert!(head.is_empty());
        let mut more = pattern(3);
        expected.extend_from_slice(&more);
        output.send(&mut near.as_fd().into(), &mut more).unwrap();
    }
    let received = drain(&mut output, &near, &mut far, step);
    assert!(received == expected, "{staged} {held} {tail} {step}");
    assert!(output.is_empty() && output.queued() == 0 && output.done == 0);
}

#[test]
fn everything_arrives_in_order_however_little_is_taken() {
    check(100, 20_000, 2, 1_000);
    check(0, 5_000, 0, 300);
    check(9_000, 1, 9_000, 700);
    check(1, 100_000, 3, 4_096);
}

/// Content of `length` bytes as records, which have to be as [`seal`] makes them of the same.
fn check_records(source: impl FnOnce(&[u8]) -> Source, length: usize, step: usize) {
    let (near, mut far) = pair();
    let mut output = Output::default();
    let content = pattern(length);
    let mut expected = b"before".to_vec();
    output.push(&mut expected.clone());
    let total = output.push_records(source(&content), length as u64, 7);
    let at = open(&mut expected);
    expected.extend_from_slice(&content);
    seal(&mut expected, at, 7);
    assert_eq!(output.queued(), expected.len() as u64);
    assert_eq!(total as usize + b"before".len(), expected.len());
    let received = drain(&mut output, &near, &mut far, step);
    assert!(received == expected, "{length} {step}");
    assert!(output.is_empty() && output.queued() == 0);
}

#[test]
fn records_are_whole_however_little_is_taken() {
    for (length, step) in [(1, 3), (65_535, 1_000), (65_536, 7_000), (200_000, 4_096)] {
        let held = |content: &[u8]| Source::Held(Box::new(Bytes(content.to_vec())), 0);
        check_records(held, length, step);
        let file = |content: &[u8]| Source::File(file_of(&[b"skipped", content].concat()), 7);
        check_records(file, length, step);
    }
}

#[test]
fn records_of_a_file_that_cannot_be_sent_are_read() {
    let content = std::fs::read("/proc/self/cmdline").unwrap();
    let (near, mut far) = pair();
    let mut output = Output::default();
    let file = File::open("/proc/self/cmdline").unwrap();
    output.push_records(Source::File(file.into(), 0), content.len() as u64, 1);
    assert!(drain(&mut output, &near, &mut far, 4_096)[8..] == content);
}

#[test]
fn small_pieces_are_kept_together() {
    let (near, mut far) = pair();
    let mut output = Output::default();
    let mut expected = Vec::new();
    for index in 0..30_000_u32 {
        let mut piece = index.to_le_bytes().to_vec();
        expected.extend_from_slice(&piece);
        output.send(&mut near.as_fd().into(), &mut piece).unwrap();
    }
    assert!(output.segments.len() <= 3, "{}", output.segments.len());
    assert!(drain(&mut output, &near, &mut far, 4_096) == expected);
}

#[test]
fn a_peer_that_has_gone_is_an_error() {
    let (near, far) = pair();
    drop(far);
    let mut output = Output::default();
    assert!(
        output
            .send(&mut near.as_fd().into(), &mut pattern(10))
            .is_err()
    );
    let held = Box::new(Bytes(pattern(10)));
    let sent = output.send_held(&mut near.as_fd().into(), &mut Vec::new(), held, b"");
    assert!(sent.is_err());
    assert!(output.is_empty());
}

#[test]
fn a_flush_ends_after_a_slice() {
    // Another file takes everything at once, as a fast client does.
    let target = tempfile::tempfile().unwrap();
    let mut output = Output::default();
    output.push_file(file_of(&pattern(1_000_000)), 0, 1_000_000);
    let mut turns = 1;
    while output.flush(&mut target.as_fd().into()).unwrap() == Flushed::Slice {
        turns += 1;
    }
    assert_eq!(turns, 1_000_000_u64.div_ceil(SLICE));
}

#[test]
fn a_file_that_has_become_shorter_is_an_error() {
    let (near, mut far) = pair();
    let mut output = Output::default();
    output.push_file(file_of(&pattern(100)), 0, 200);
    assert!(output.flush(&mut near.as_fd().into()).is_err());
    let mut received = [0; 300];
    assert_eq!(far.read(&mut received).unwrap(), 100);
}

#[test]
fn a_file_that_cannot_be_sent_is_read() {
    // What proc_pid_cmdline(5) makes up has to be read(2).
    let path = "/proc/self/cmdline";
    let expected = std::fs::read(path).unwrap();
    let (near, mut far) = pair();
    let mut output = Output::default();
    let length = expected.len() as u64 - 1;
    output.push_file(File::open(path).unwrap().into(), 1, length);
    assert!(drain(&mut output, &near, &mut far, 4_096) == expected[1..]);
}
