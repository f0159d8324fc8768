//! wsgi.input is a stream of bytes that equals `io.BytesIO`, whatever the framing, the size and the order of calls.
//!
//! The application makes the calls on both and answers the differences (`tests/apps/input`).

use crate::support::{
    client::Client,
    site::{Running, Site},
};

/// How the body is brought.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Length,
    Chunked,
    /// Chunked, a chunk at a time with the request's head apart.
    Dripped,
}

const WAYS: [Way; 3] = [Way::Length, Way::Chunked, Way::Dripped];

/// Lines of every length, blank ones and one without an end among them.
const UNIT: &[u8] = b"one\ntwo words\n\n\n\x00\xff binary \r\nand a rather long line, so that sizes fall into it\nend";

fn site() -> Running {
    Site::app("input").start()
}

fn check(calls: &str, count: usize) {
    let site = site();
    for way in WAYS {
        check_on(&site, calls, count, way);
    }
}

fn check_on(site: &Running, calls: &str, count: usize, way: Way) {
    let mut client = site.address().connect();
    send(&mut client, calls, count, way);
    let answer = client.answer().json();
    assert_eq!(
        answer["differences"].to_string(),
        "[]",
        "{way:?} of {} bytes: {calls}",
        UNIT.len() * count
    );
    assert_ne!(answer["calls"], 0);
}

fn send(client: &mut Client, calls: &str, count: usize, way: Way) {
    let body = UNIT.repeat(count);
    let unit: String = UNIT.iter().map(|byte| format!("{byte:02x}")).collect();
    let framing = match way {
        Way::Length => format!("Content-Length: {}", body.len()),
        Way::Chunked | Way::Dripped => "Transfer-Encoding: chunked".into(),
    };
    let query: String = calls.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let head = format!(
        "POST /?{query} HTTP/1.1\r\nHost: localhost\r\nX-Unit: {unit}\r\nX-Count: {count}\r\n{framing}\r\n\r\n"
    );
    let mut bytes = head.into_bytes();
    match way {
        Way::Length => bytes.extend_from_slice(&body),
        Way::Chunked => bytes.extend_from_slice(&chunked(&body, 1000)),
        Way::Dripped => {
            client.send(&bytes);
            for chunk in body.chunks(body.len().div_ceil(7).max(1)) {
                client.send(format!("{:x};extension=\"v\"\r\n", chunk.len()).as_bytes());
                client.send(chunk);
                client.send(b"\r\n");
            }
            bytes = b"0\r\nTrailer: ignored\r\n\r\n".to_vec();
        }
    }
    client.send(&bytes);
}

/// The chunked coding of a body (RFC 9112 section 7.1).
fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend_from_slice(format!("{:X}\r\n", chunk.len()).as_bytes());
        bytes.extend_from_slice(chunk);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"0\r\n\r\n");
    bytes
}

#[test]
fn read() {
    check(r#"[["read"], ["read"], ["read", 5]]"#, 3);
    check(r#"[["read", -1], ["read", -1]]"#, 3);
    check(r#"[["read", null], ["read"]]"#, 3);
}

#[test]
fn read_with_sizes() {
    check(
        r#"[["read", 0], ["read", 1], ["read", 10], ["read", 1000000], ["read", 1], ["read", 0]]"#,
        3,
    );
}

#[test]
fn readline() {
    check(
        r#"[["readline"], ["readline"], ["readline"], ["readline"], ["readline"], ["readline"], ["readline"]]"#,
        1,
    );
}

#[test]
fn readline_with_sizes() {
    check(
        r#"[["readline", 2], ["readline", 2], ["readline", 100], ["readline", 0], ["readline", -1], ["read"]]"#,
        2,
    );
    check(
        r#"[["readline", null], ["readline", 4], ["readline", 3], ["read"], ["readline", 3]]"#,
        2,
    );
}

#[test]
fn readlines() {
    check(r#"[["readlines"], ["readlines"]]"#, 4);
    check(
        r#"[["readlines", 10], ["readlines", 1], ["readlines", 0], ["readlines"]]"#,
        4,
    );
    check(r#"[["readlines", 20], ["readlines", -1]]"#, 4);
    check(r#"[["readlines", null], ["read"]]"#, 4);
}

#[test]
fn iteration() {
    check(r#"[["next"], ["next"], ["iterate"], ["next"]]"#, 3);
}

#[test]
fn any_mix() {
    check(
        r#"[["read", 3], ["readline"], ["next"], ["readlines", 5], ["read", 7], ["readline", 4], ["iterate"], ["read"]]"#,
        5,
    );
}

#[test]
fn nothing_to_read() {
    check(
        r#"[["read"], ["readline"], ["readlines"], ["iterate"], ["next"], ["read", 5]]"#,
        0,
    );
}

#[test]
fn wrong_arguments() {
    check(
        r#"[["read", "text"], ["readline", 1.5], ["read", 1, 2], ["read"]]"#,
        1,
    );
}

#[test]
fn always_bytes() {
    check(r#"[["types"]]"#, 1);
}

/// Far above `post-buffering`: the thread reads while the client still sends.
#[test]
fn streamed_bodies() {
    check(r#"[["read"]]"#, 20000);
    check(
        r#"[["readline"], ["read", 100000], ["readlines", 100000], ["next"], ["read", 65536], ["iterate"]]"#,
        20000,
    );
}

#[test]
fn every_size_around_post_buffering() {
    let site = Site::app("input")
        .setting(
            "request",
            &format!("post-buffering = \"{}\"", UNIT.len() * 10),
        )
        .start();
    for count in [9, 10, 11] {
        for way in WAYS {
            check_on(
                &site,
                r#"[["read", 10], ["readline"], ["read"]]"#,
                count,
                way,
            );
        }
    }
}

#[test]
fn bodies_in_a_temporary_file() {
    let site = Site::app("input")
        .setting("request", "post-buffering = \"1G\"\nspool-above = \"10K\"")
        .start();
    for way in WAYS {
        check_on(
            &site,
            r#"[["read", 10], ["readline"], ["readlines", 100000], ["read"]]"#,
            20000,
            way,
        );
    }
}

/// What the application leaves unread is not the next request.
#[test]
fn an_unread_body_is_skipped() {
    let site = Site::app("echo").start();
    for way in WAYS {
        let mut client = site.address().connect();
        let body = b"GET /evil HTTP/1.1\r\n\r\n";
        match way {
            Way::Length => {
                client.send(&crate::support::client::request("POST", "/none", &[], body))
            }
            _ => {
                client
                    .send(b"POST /none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
                client.send(&chunked(body, 5));
            }
        }
        assert_eq!(client.answer().text(), "the body was not read");
        client.send_get("/all");
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn an_unread_body_that_is_long_is_no_request_either() {
    let site = Site::app("echo").start();
    let mut client = site.address().connect();
    client.send(b"POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\npart");
    assert_eq!(client.answer().text(), "the body was not read");
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.finish_sending();
    assert!(client.is_closed());
}

#[test]
fn a_client_that_leaves_ends_the_read_with_an_error() {
    let site = Site::app("echo")
        .setting("request", "post-buffering = \"0\"")
        .start();
    let mut client = site.address().connect();
    client.send(b"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart");
    drop(client);
    assert_eq!(site.get("/all").status, 200);
    site.process.wait_for_text("Error");
}

/// A client that goes on like this when the application reads, and what it gets; one line in the log tells of it.
#[track_caller]
fn check_spoilt(framing: &str, rest: &str, status: u16, reason: &str) {
    let site = Site::app("echo")
        .setting("request", "post-buffering = \"0\"")
        .setting("timeouts", "socket = \"300ms\"")
        .start();
    let mut client = site.address().connect();
    let head = format!("POST /told HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n4\r\npart\r\n");
    client.send(head.as_bytes());
    site.process.wait_for_text("the body is read now");
    client.send(rest.as_bytes());
    assert_eq!(client.answer().status, status);
    let line = site
        .process
        .wait_for_text("the client has spoilt its request");
    assert!(line.contains(" WARN ") && line.contains(reason), "{line}");
    let output = site.process.output();
    assert!(!output.contains("Traceback"), "{output}");
}

#[test]
fn a_client_that_spoils_its_request_is_told_so() {
    let silent = "TimeoutError: cannot read the request body: the client was silent";
    check_spoilt("Content-Length: 100", "", 408, silent);
    let chunked = "Transfer-Encoding: chunked";
    check_spoilt(chunked, "nonsense\r\n", 400, "status=400");
}
