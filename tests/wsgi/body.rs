//! Iterables of every shape, how their end is told to the client, and when their parts leave.

use std::{fs, time::Duration};

use crate::support::{
    answer::Answer,
    site::{Running, Site},
};

fn site() -> Running {
    Site::app("bodies").start()
}

/// Asks twice on one connection: what is left over of the first answer would be seen in the second.
fn check(target: &str, expected: &str) -> Answer {
    let site = site();
    let mut client = site.address().connect();
    client.send_get(target);
    let first = client.answer();
    assert_eq!(
        (first.text().as_str(), first.whole),
        (expected, true),
        "{target}"
    );
    client.send_get(target);
    assert_eq!(client.answer().text(), expected, "{target} again");
    first
}

fn check_fails(target: &str, culprit: &str) {
    let site = site();
    assert_eq!(site.get(target).status, 500, "{target}");
    site.process.wait_for_text(culprit);
}

#[test]
fn one_item_gets_its_length() {
    assert_eq!(check("/list", "list").header("Content-Length"), Some("4"));
    assert_eq!(check("/tuple", "tuple").header("Content-Length"), Some("5"));
    assert_eq!(
        check("/large", &"large".repeat(100_000)).header("Content-Length"),
        Some("500000")
    );
}

#[test]
fn several_items() {
    check("/lists", "two items");
    check("/blanks", "blanks");
    check("/chain", "chain");
    check("/iterator", "owniterator");
    check("/sequence", "byindex");
}

#[test]
fn a_generator_is_chunked() {
    assert_eq!(
        check("/generator", "generator").header("Transfer-Encoding"),
        Some("chunked")
    );
    check("/late", "late");
    check("/huge", &"huge".repeat(1_000_000));
}

#[test]
fn a_generator_with_a_length_is_not() {
    assert_eq!(
        check("/generator?200,9", "generator").header("Transfer-Encoding"),
        None
    );
}

#[test]
fn bytes_are_an_iterable_too() {
    // uWSGI sends them as they are; iterating them would give numbers.
    check("/bytes", "bytes");
}

#[test]
fn empty_bodies() {
    for shape in ["nothing", "blank", "no-items"] {
        check(&format!("/{shape}"), "");
    }
}

#[test]
fn things_that_are_no_body() {
    check_fails("/none", "TypeError");
    check_fails("/number", "TypeError");
    check_fails("/text", "TypeError");
}

fn check_bodiless(status: u16) {
    let site = site();
    let mut client = site.address().connect();
    client.send_get(&format!("/list?{status}"));
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.header("Transfer-Encoding")),
        (status, None)
    );
    client.send_get("/tuple");
    assert_eq!(
        client.answer().text(),
        "tuple",
        "nothing may follow the head of a {status}"
    );
}

#[test]
fn statuses_that_have_no_body() {
    check_bodiless(204);
    check_bodiless(304);
}

#[test]
fn a_204_has_no_length() {
    // RFC 9110 section 8.6: a server MUST NOT send Content-Length in a response with status 204.
    assert_eq!(site().get("/list?204").header("Content-Length"), None);
}

fn check_head(target: &str) {
    let site = site();
    let mut client = site.address().connect();
    client.send(format!("HEAD {target} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
    let head = client.answer_to("HEAD");
    client.send_get(target);
    let get = client.answer();
    assert_eq!(head.status, get.status);
    // RFC 9110 section 9.3.2: the same header fields, or fewer; a length, if told, is that of the GET.
    if let Some(length) = head.header("Content-Length") {
        assert_eq!(length, get.body.len().to_string(), "{target}");
    }
}

#[test]
fn head_never_has_a_body() {
    for target in [
        "/list",
        "/generator",
        "/generator?200,9",
        "/huge",
        "/nothing",
        "/list?404",
    ] {
        check_head(target);
    }
}

#[test]
fn a_length_that_is_kept() {
    assert_eq!(
        check("/list?200,4", "list")
            .headers("Content-Length")
            .count(),
        1
    );
}

#[test]
fn a_body_longer_than_its_length_is_cut() {
    let site = site();
    let mut client = site.address().connect();
    for target in ["/list?200,2", "/generator?200,6"] {
        client.send_get(target);
        assert_eq!(
            client.answer().text(),
            if target.starts_with("/list") {
                "li"
            } else {
                "genera"
            }
        );
    }
    client.send_get("/list");
    assert_eq!(client.answer().text(), "list");
    site.process.wait_for_text("more than its Content-Length");
}

#[test]
fn a_body_shorter_than_its_length_closes() {
    let site = site();
    let mut client = site.address().connect();
    client.send_get("/generator?200,100");
    let answer = client.answer();
    assert_eq!((answer.text().as_str(), answer.whole), ("generator", false));
    site.process.wait_for_text("Content-Length");
}

#[test]
fn every_answer_has_a_date() {
    let answer = site().get("/list");
    assert!(
        answer
            .header("Date")
            .is_some_and(|date| date.ends_with(" GMT")),
        "{answer:?}"
    );
}

/// The second chunk does not exist before the client has seen the first.
#[test]
fn a_chunk_leaves_before_the_next_is_made() {
    let site = Site::app("chunks").workers(1, 2).start();
    let mut client = site.address().connect();
    client.send_get("/first");
    assert_eq!(client.head().status, 200);
    assert_eq!(client.chunk().unwrap(), b"one,");
    assert_eq!(site.get("/second").text(), "released");
    assert_eq!(client.chunk().unwrap(), b"two");
    assert_eq!(client.chunk().unwrap(), b"");
}

#[test]
fn http_1_0_gets_the_body_until_the_close() {
    let site = site();
    let mut client = site.address().connect();
    client.send(b"GET /generator HTTP/1.0\r\n\r\n");
    let answer = client.answer();
    assert_eq!(
        (answer.text().as_str(), answer.header("Transfer-Encoding")),
        ("generator", None)
    );
}

/// The bytes of a file of 300 kB, as the application of `tests/apps/file` gives them.
fn check_file(path: &str, expected: impl Fn(&[u8]) -> &[u8]) -> Answer {
    let content: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let site = Site::app("file").start();
    let file = site.directory.path().join("content");
    fs::write(&file, &content).unwrap();
    let mut client = site.address().connect();
    let mut last = None;
    for _ in 0..2 {
        client.send(&crate::support::client::request(
            "GET",
            path,
            &[("X-File", file.to_str().unwrap())],
            b"",
        ));
        let answer = client.answer();
        assert!(
            answer.body == expected(&content) && answer.whole,
            "{path}: {} bytes",
            answer.body.len()
        );
        last = Some(answer);
    }
    last.unwrap()
}

#[test]
fn a_file_goes_out_with_its_length() {
    assert_eq!(
        check_file("/whole", |content| content).header("Content-Length"),
        Some("1200000")
    );
}

#[test]
fn a_file_goes_out_from_its_position() {
    assert_eq!(
        check_file("/offset", |content| &content[10..]).header("Content-Length"),
        Some("1199990")
    );
}

#[test]
fn a_file_stops_at_the_length_that_was_told() {
    check_file("/cut", |content| &content[..5]);
}

#[test]
fn a_file_without_a_descriptor_is_read() {
    check_file("/stream", |content| content);
}

#[test]
fn a_file_wrapper_inside_another_iterable_is_iterated() {
    check_file("/wrapped", |content| content);
}

#[test]
fn a_file_shorter_than_its_length_closes() {
    let site = Site::app("file").start();
    let file = site.file();
    let answer = site.request("GET", "/long", &[("X-File", file.to_str().unwrap())], b"");
    assert_eq!(
        (answer.body == fs::read(&file).unwrap(), answer.whole),
        (true, false)
    );
}

#[test]
fn a_stream_is_closed() {
    let site = Site::app("file").start();
    let file = site.file();
    site.request("GET", "/stream", &[("X-File", file.to_str().unwrap())], b"");
    site.process.wait_for_text("closed the stream");
}

/// The thread of the first request is free again before its client has read the answer.
#[test]
fn a_response_that_fits_the_buffer_holds_no_thread() {
    let site = Site::app("bodies")
        .workers(1, 1)
        .setting("response", "buffering = \"8M\"")
        .start();
    let mut slow = site.address().connect();
    slow.send_get("/huge");
    assert_eq!(site.get("/list").text(), "list");
    slow.patience(Duration::from_secs(10));
    assert_eq!(slow.answer().body.len(), 4_000_000);
}
