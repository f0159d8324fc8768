//! Files as responses.

use std::{fs::File, io::Seek};

use super::*;

const TEXT: &[u8] = b"0123456789";

fn file() -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(TEXT).unwrap();
    file
}

/// `length` bytes of the file from 2 on, the length of the body being said or not.
fn send(exchange: &mut Exchange<'_>, said: Option<u64>, length: u64) {
    commit(exchange, said);
    exchange.write_file(file().into(), 2, length);
}

#[test]
fn sends_a_part_of_a_file() {
    let site = Site::new(|exchange| send(exchange, Some(5), 5));
    assert_eq!(
        site.say(&GET.repeat(2)),
        OK_HELLO.replace("hello", "23456").repeat(2)
    );
}

#[test]
fn sends_no_more_than_content_length() {
    let site = Site::new(|exchange| send(exchange, Some(5), 8));
    assert_eq!(
        site.say(&GET.repeat(2)),
        OK_HELLO.replace("hello", "23456").repeat(2)
    );
}

#[test]
fn a_file_is_a_chunk() {
    let site = Site::new(|exchange| send(exchange, None, 8));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n23456789\r\n0\r\n\r\n";
    assert_eq!(site.say(&GET.repeat(2)), chunked.repeat(2));
}

#[test]
fn a_file_is_not_sent_for_head() {
    let site = Site::new(|exchange| send(exchange, Some(5), 5));
    let answer = site.say(&(GET.replace("GET", "HEAD") + GET));
    assert_eq!(answer.matches("23456").count(), 1, "{answer}");
}

#[test]
fn a_file_that_has_become_shorter_ends_the_connection() {
    let site = Site::new(|exchange| send(exchange, Some(50), 50));
    let answer = site.say(&GET.repeat(2));
    assert!(answer.ends_with("\r\n\r\n23456789"), "{answer}");
}

/// Much more than sockets take: it arrives whole all the same, and the thread is free meanwhile.
#[test]
fn a_large_file_is_sent_by_the_engine() {
    const LARGE: u64 = 64 << 20;
    let site = Site::new(|exchange| {
        if exchange.request().target() != b"/large" {
            return hello(exchange);
        }
        let mut file = file();
        file.set_len(LARGE - 1).unwrap();
        file.seek(std::io::SeekFrom::End(0)).unwrap();
        file.write_all(b"!").unwrap();
        commit(exchange, Some(LARGE));
        exchange.write_file(file.into(), 0, LARGE);
    });
    let mut stream = site.connect();
    stream.write_all(b"GET /large HTTP/1.0\r\n\r\n").unwrap();
    until(&mut stream, "0123456789");
    assert_eq!(site.say(GET), OK_HELLO);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len() as u64, LARGE - 10);
    assert!(rest.ends_with(b"\0!"));
}
