//! What is no FastCGI, or too much of it: the corpus in `tests/wire/fastcgi` over sockets, and limits.

use std::fs;

use super::site;
use crate::support::{fastcgi::params, root, site::Site, uwsgi::variables_with};

#[test]
fn variables_up_to_the_limit() {
    let site = Site::app("echo")
        .listen("fastcgi", "./fastcgi.sock")
        .setting("uwsgi", "buffer-size = \"4K\"")
        .start();
    let empty = params(
        1,
        &variables_with("GET", "/none", &[("HTTP_X_FILL", "")], b""),
    );
    // Two headers and the padding of one are no variables; a longer value says its length in three bytes more.
    let empty = empty.len() - 2 * 8 - 5 + 3;
    let status = |size: usize| {
        let fill = "x".repeat(size - empty);
        let further = [("HTTP_X_FILL", fill.as_str())];
        site.address().fastcgi("GET", "/none", &further, b"").status
    };
    assert_eq!((status(4096), status(4097)), (200, 431));
}

#[test]
fn browsers_are_told() {
    let site = site("echo");
    let answer = site.get("/");
    assert_eq!((answer.version.as_str(), answer.status), ("HTTP/1.1", 400));
}

/// The corpus of broken records: whole and byte by byte the same is answered, and the worker serves on.
#[test]
fn broken_records_harm_nobody() {
    let site = Site::app("echo")
        .bare()
        .listen("fastcgi", "./fastcgi.sock")
        .setting("http", "max-body = \"1K\"")
        .setting("uwsgi", "buffer-size = \"4K\"")
        .start();
    let answer = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut client = site.address().connect();
        pieces.for_each(|piece| client.send(piece));
        client.finish_sending();
        client.rest()
    };
    let mut cases = 0;
    for entry in fs::read_dir(root().join("tests/wire/fastcgi")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "bytes")
        {
            continue;
        }
        let bytes = bytes(&fs::read_to_string(&path).unwrap());
        let whole = answer(&mut [&bytes[..]].into_iter());
        let pieces = answer(&mut bytes.chunks(1));
        assert_eq!(without_date(&whole), without_date(&pieces), "{path:?}");
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        let requests = expected.matches("body: ").count();
        let refused = expected
            .lines()
            .find_map(|line| line.strip_prefix("refused: "));
        check_answers(&whole, requests, refused, &format!("{path:?}"));
        cases += 1;
    }
    assert!(cases > 60, "only {cases} cases were found");
    let next = site.address().fastcgi("POST", "/all", &[], b"body");
    assert_eq!(next.text(), "body");
}

/// So many requests were answered, and what was refused was refused with this status.
fn check_answers(answer: &[u8], requests: usize, refused: Option<&str>, what: &str) {
    let text = String::from_utf8_lossy(answer);
    assert_eq!(
        text.matches("Status: 200 ").count(),
        requests,
        "{what}: {text}"
    );
    match refused.and_then(|refused| refused.split(' ').next()) {
        None | Some("0") => assert!(!text.contains("Status: 4"), "{what}: {text}"),
        Some(status) => assert_eq!(
            text.matches(&format!("Status: {status} ")).count()
                + text.matches(&format!("HTTP/1.1 {status} ")).count(),
            usize::from(!is_silent(what)),
            "{what}: {text}"
        ),
    }
}

/// Before a request has begun there is nobody to answer.
fn is_silent(what: &str) -> bool {
    ["/begin-", "/values-too-many", "/version-0"]
        .iter()
        .any(|name| what.contains(name))
}

/// A browser's answer has the time in it.
fn without_date(answer: &[u8]) -> String {
    let text = answer.escape_ascii().to_string();
    let lines = text
        .split("\\r\\n")
        .filter(|line| !line.starts_with("Date: "));
    lines.collect()
}

/// The notation of the corpus: hexadecimal digits, or text in quotes.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        for (number, part) in line.split('"').enumerate() {
            match number % 2 {
                1 => bytes.extend_from_slice(part.as_bytes()),
                _ => bytes.extend(
                    part.split_whitespace()
                        .map(|digits| u8::from_str_radix(digits, 16).unwrap()),
                ),
            }
        }
    }
    bytes
}
