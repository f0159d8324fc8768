//! Whole answers, to the letter.

use super::*;

const NOW: u64 = 784_990_000;

fn entity() -> Entity {
    Entity {
        content_type: "text/css".to_owned(),
        size: 100,
        ..Entity::default()
    }
}

fn validators() -> Validators {
    Validators::new((784_903_526, 0), 100, "", NOW)
}

const VALIDATORS: &str = "ETag: \"2ec8ad66.0-64\"\r\n";
const DESCRIPTION: &str = "Last-Modified: Tue, 15 Nov 1994 12:45:26 GMT\r\nAccept-Ranges: bytes\r\nContent-Type: text/css\r\n";

fn answer(range: &'static [u8], entity: &Entity, is_head: bool) -> (u16, String, Vec<Piece>) {
    let conditions = Conditions {
        range,
        ..Conditions::default()
    };
    let reply = reply(&conditions, entity, &validators(), is_head, NOW);
    (
        reply.status,
        String::from_utf8(reply.lines).unwrap(),
        reply.body,
    )
}

fn part(offset: u64, length: u64) -> Piece {
    Piece::File(Range { offset, length })
}

#[test]
fn all_of_it() {
    let expected = format!("{VALIDATORS}{DESCRIPTION}");
    assert_eq!(
        answer(b"", &entity(), false),
        (200, expected, vec![part(0, 100)])
    );
}

#[test]
fn a_part_of_it() {
    let expected = format!("{VALIDATORS}{DESCRIPTION}Content-Range: bytes 10-19/100\r\n");
    let (status, lines, body) = answer(b"bytes=10-19", &entity(), false);
    assert_eq!((status, lines, body), (206, expected, vec![part(10, 10)]));
}

#[test]
fn head_has_no_ranges() {
    assert_eq!(answer(b"bytes=10-19", &entity(), true).0, 200);
}

#[test]
fn nothing_of_it() {
    let (status, lines, body) = answer(b"bytes=100-", &entity(), false);
    assert_eq!(
        (status, lines.as_str()),
        (416, "Content-Range: bytes */100\r\n")
    );
    assert!(body.is_empty());
}

#[test]
fn several_parts() {
    let (status, lines, body) = answer(b"bytes=0-1,-1", &entity(), false);
    let boundary = lines.split_once("boundary=").unwrap().1.trim_end();
    let bytes = |text: String| Piece::Bytes(text.into_bytes());
    let first =
        format!("--{boundary}\r\nContent-Type: text/css\r\nContent-Range: bytes 0-1/100\r\n\r\n");
    let second = format!(
        "\r\n--{boundary}\r\nContent-Type: text/css\r\nContent-Range: bytes 99-99/100\r\n\r\n"
    );
    let last = format!("\r\n--{boundary}--\r\n");
    let expected = [
        bytes(first),
        part(0, 2),
        bytes(second),
        part(99, 1),
        bytes(last),
    ];
    assert_eq!((status, body), (206, Vec::from(expected)));
}

#[test]
fn what_clients_may_keep() {
    let entity = Entity {
        lifetime: Some(3600),
        coding: "br",
        varies: true,
        ..entity()
    };
    let (_, lines, _) = answer(b"", &entity, false);
    let expected = "Vary: Accept-Encoding\r\nCache-Control: max-age=3600\r\nExpires: Wed, 16 Nov 1994 13:46:40 GMT\r\n";
    assert!(lines.contains(expected), "{lines}");
    assert!(lines.ends_with("Content-Encoding: br\r\n"), "{lines}");
    date(u64::MAX);
}

#[test]
fn what_the_client_has() {
    let conditions = Conditions {
        if_none_match: b"*",
        ..Conditions::default()
    };
    let reply = reply(&conditions, &entity(), &validators(), false, NOW);
    assert_eq!(
        (reply.status, reply.lines.as_slice()),
        (304, VALIDATORS.as_bytes())
    );
    assert!(reply.body.is_empty());
}
