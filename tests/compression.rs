//! Answers of the application, compressed: which are, for whom, and that nothing is lost or held back.

use std::{fs, io::Read, process::Command};

use crate::support::{
    answer::Answer,
    client::{Client, request},
    site::{Running, Site},
};

fn site() -> Running {
    Site::app("packed")
        .bare()
        .setting(
            "response",
            "compress = [\"text/*\"]\ncompress-above = \"100\"",
        )
        .start()
}

fn text() -> Vec<u8> {
    b"All work and no play makes Jack a dull boy. ".repeat(500)
}

/// One GET on a connection of its own, with further headers of the answer as JSON.
fn get(site: &Running, shape: &str, headers: &str, codings: &str) -> Answer {
    let query = headers.replace('"', "%22").replace(' ', "%20");
    let target = format!("{shape}?{query}");
    site.request("GET", &target, &[("Accept-Encoding", codings)], b"")
}

fn unpacked(answer: &Answer) -> Vec<u8> {
    let mut plain = Vec::new();
    match answer.header("Content-Encoding") {
        None => plain.extend_from_slice(&answer.body),
        Some("gzip") => {
            _ = flate2::read::GzDecoder::new(&answer.body[..])
                .read_to_end(&mut plain)
                .unwrap()
        }
        Some("br") => {
            _ = brotli::Decompressor::new(&answer.body[..], 4096)
                .read_to_end(&mut plain)
                .unwrap()
        }
        Some(other) => panic!("nobody asked for {other}"),
    }
    plain
}

#[track_caller]
fn check(shape: &str, headers: &str, codings: &str, expected: Option<&str>) -> Answer {
    let answer = get(&site(), shape, headers, codings);
    assert_eq!(
        answer.header("Content-Encoding"),
        expected,
        "{shape} {headers} {codings}"
    );
    assert!(answer.whole);
    answer
}

#[test]
fn bodies_of_every_shape_come_back_as_they_were() {
    let site = site();
    for (codings, coding) in [("gzip", "gzip"), ("gzip;q=0.5, br, zstd", "br")] {
        for shape in ["/list", "/pieces"] {
            let answer = get(&site, shape, "", codings);
            assert_eq!(answer.header("Content-Encoding"), Some(coding), "{shape}");
            assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
            assert!(unpacked(&answer) == text() && answer.whole && answer.body.len() < 10_000);
        }
    }
}

#[test]
fn who_does_not_ask_gets_it_as_it_is() {
    let answer = check("/list", "", "deflate", None);
    assert!(answer.body == text());
    assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
}

#[test]
fn what_is_better_left_alone() {
    check("/short", "", "gzip", None);
    check("/empty", "", "gzip", None);
    check("/list", "{\"Content-Type\": \"image/png\"}", "gzip", None);
    check(
        "/list",
        "{\"Content-Encoding\": \"own\"}",
        "gzip",
        Some("own"),
    );
    check(
        "/list",
        "{\"Cache-Control\": \"public, no-transform\"}",
        "gzip",
        None,
    );
    check(
        "/list",
        "{\"status\": \"206 Partial Content\"}",
        "gzip",
        None,
    );
}

#[test]
fn heads_say_what_was_done() {
    let headers =
        "{\"ETag\": \"\\\\u0022x\\\\u0022\", \"Vary\": \"Cookie\", \"Content-Length\": \"22000\"}";
    let answer = check(
        "/list",
        &headers.replace("\\\\u0022", "\\u0022"),
        "gzip",
        Some("gzip"),
    );
    assert_eq!(answer.header("ETag"), Some("W/\"x\""));
    assert!(answer.header("Content-Length").is_none());
    assert_eq!(
        answer.headers("Vary").collect::<Vec<_>>(),
        ["Cookie", "Accept-Encoding"]
    );
    assert!(unpacked(&answer) == text());
}

#[test]
fn a_head_has_no_body_and_says_the_same() {
    let site = site();
    let mut client = site.address().connect();
    for _ in 0..2 {
        client.send(&request("HEAD", "/list", &[("Accept-Encoding", "br")], b""));
        assert_eq!(
            client.answer_to("HEAD").header("Content-Encoding"),
            Some("br")
        );
    }
}

/// What the application has promised counts, although nobody is told of it.
#[test]
fn a_body_that_is_too_short_does_not_come_to_a_good_end() {
    let site = site();
    let answer = get(&site, "/pieces", "{\"Content-Length\": \"22001\"}", "gzip");
    assert!(!answer.whole);
    site.process.wait_for_text("less than its Content-Length");
    let answer = get(&site, "/list", "{\"Content-Length\": \"21999\"}", "gzip");
    assert!(answer.whole && unpacked(&answer) == text()[..21_999]);
}

/// The next chunk of a body.
fn chunk(client: &mut Client) -> Vec<u8> {
    let mut size = String::new();
    while !size.ends_with("\r\n") {
        size.push(char::from(client.read(1)[0]));
    }
    let length = usize::from_str_radix(size.trim(), 16).unwrap();
    let mut chunk = client.read(length + 2);
    chunk.truncate(length);
    chunk
}

/// PEP 3333: no piece may wait for the next.
#[test]
fn each_piece_leaves_at_once() {
    let site = site();
    let fifo = site.directory.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let mut client = site.address().connect();
    let target = format!("/fifo?{{%22X-Fifo%22:%22{}%22}}", fifo.display());
    client.send(&request(
        "GET",
        &target,
        &[("Accept-Encoding", "gzip")],
        b"",
    ));
    assert_eq!(client.head().header("Content-Encoding"), Some("gzip"));
    let (mut packed, mut first) = (Vec::new(), [0; 5]);
    while flate2::read::GzDecoder::new(&packed[..])
        .read_exact(&mut first)
        .is_err()
    {
        packed.extend(chunk(&mut client));
    }
    assert_eq!(&first, b"first");
    fs::write(&fifo, "second").unwrap();
    client.finish_sending();
    assert!(client.rest().ends_with(b"0\r\n\r\n"));
}
