//! The corpus in `tests/wire/` over a real socket: each client gets the answers that are written beside it.

use std::{fs, path::Path};

use crate::support::{
    answer::Answer,
    client::Client,
    root,
    site::{Running, Site},
};

/// What must come of one request of a case.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    request: String,
    body: Vec<u8>,
    interim: bool,
    close: bool,
    refused: Option<u16>,
}

#[derive(Clone, Copy)]
enum Pieces {
    Whole,
    Bytes,
}

#[test]
fn valid_requests() {
    check_all("valid", Pieces::Whole);
}

#[test]
fn invalid_requests() {
    check_all("invalid", Pieces::Whole);
}

#[test]
fn valid_requests_byte_by_byte() {
    check_all("valid", Pieces::Bytes);
}

#[test]
fn invalid_requests_byte_by_byte() {
    check_all("invalid", Pieces::Bytes);
}

fn check_all(kind: &str, pieces: Pieces) {
    let site = Site::app("wire")
        .setting("http", "buffer-size = \"4K\"\nmax-body = \"1K\"")
        .start();
    let mut cases = 0;
    for entry in fs::read_dir(root().join("tests/wire").join(kind)).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "http")
        {
            check(&site, &path, pieces);
            cases += 1;
        }
    }
    assert!(cases > 50, "only {cases} cases were found");
}

fn check(site: &Running, path: &Path, pieces: Pieces) {
    let name = path.file_stem().unwrap().to_string_lossy();
    let mut client = site.address().connect();
    let bytes = fs::read(path).unwrap();
    match pieces {
        Pieces::Whole => client.send(&bytes),
        Pieces::Bytes => bytes.iter().for_each(|byte| client.send(&[*byte])),
    }
    let expected = parse(&fs::read_to_string(path.with_extension("expected")).unwrap());
    let mut open = true;
    for (number, expected) in expected.iter().enumerate() {
        assert!(open, "{name}: request {number} comes after a close");
        check_one(&format!("{name}, request {number}"), &mut client, expected);
        open = !expected.close && expected.refused.is_none();
    }
    if open {
        client.finish_sending();
    }
    let rest = client.rest();
    assert!(
        rest.is_empty(),
        "{name}: {:?} comes after the last answer",
        String::from_utf8_lossy(&rest)
    );
}

fn check_one(name: &str, client: &mut Client, expected: &Expected) {
    let method = expected.request.split(' ').next().unwrap();
    let answer = client.answer_to(method);
    if let Some(status) = expected.refused {
        assert_eq!(
            (answer.status, answer.header("Connection")),
            (status, Some("close")),
            "{name}"
        );
        return;
    }
    assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    assert_eq!(
        closes(&answer),
        expected.close,
        "{name}: {:?}",
        answer.headers
    );
    if method != "HEAD" {
        let seen = answer.json();
        let body: Vec<u8> = seen["body"]
            .as_str()
            .unwrap()
            .chars()
            .map(|byte| byte as u8)
            .collect();
        assert_eq!(
            (seen["request"].as_str().unwrap(), body),
            (expected.request.as_str(), expected.body.clone()),
            "{name}"
        );
    }
}

fn closes(answer: &Answer) -> bool {
    answer.headers("Connection").any(|value| value == "close")
}

fn parse(text: &str) -> Vec<Expected> {
    text.split("\n\n")
        .filter(|block| !block.trim().is_empty())
        .map(parse_one)
        .collect()
}

fn parse_one(block: &str) -> Expected {
    let mut expected = Expected::default();
    for line in block.lines() {
        let (word, value) = line
            .split_once(": ")
            .unwrap_or_else(|| panic!("{line:?} is no line of a block"));
        match word {
            "request" => expected.request = String::from_utf8(unescape(value)).unwrap(),
            "body" => expected.body = unescape(value),
            "expect" => expected.interim = true,
            "connection" => expected.close = value == "close",
            "refused" => expected.refused = Some(value[..3].parse().unwrap()),
            // Fields are compared where they are parsed; here they would only be seen through the environ.
            "field" => {}
            _ => panic!("{line:?} is no line of a block"),
        }
    }
    expected
}

/// Undoes Rust's escapes.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next().unwrap() {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'0' => 0,
            b'x' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => other,
        });
    }
    bytes
}
