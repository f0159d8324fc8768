//! What is sent for which answer to which client.

use super::{
    BodyFraming, Facts, canned, chunk_header, enclose, finish_head, is_name, is_value, plan,
    reason_phrase, status_line,
};
use crate::protocol::{Head, Kind, Version, fastcgi};

const HTTP11: Head = client(Version::Http11, true);
const HTTP11_CLOSE: Head = client(Version::Http11, false);
const HTTP10: Head = client(Version::Http10, false);
const HTTP10_KEEP: Head = client(Version::Http10, true);

const OK: Facts = Facts {
    status: 200,
    content_length: None,
    body_length: None,
    close: false,
    date: false,
    transfer_encoding: false,
};

const fn client(version: Version, keep_alive: bool) -> Head {
    const EMPTY: crate::protocol::Span = crate::protocol::Span { start: 0, end: 0 };
    Head {
        len: 0,
        kind: Kind::Http,
        method: EMPTY,
        target: EMPTY,
        path: EMPTY,
        script: EMPTY,
        query: EMPTY,
        authority: EMPTY,
        version,
        fields: Vec::new(),
        framing: crate::protocol::Framing::None,
        keep_alive,
        expect_continue: false,
        repeats: false,
        is_get: false,
    }
}

fn finished(request: &Head, is_head: bool, facts: &Facts) -> (BodyFraming, bool, String) {
    let (framing, keep_alive) = plan(request, is_head, facts);
    let mut out = Vec::new();
    finish_head(&mut out, request, facts, framing, keep_alive, b"now");
    (
        framing,
        keep_alive,
        String::from_utf8(out).unwrap().replace("\r\n", "|"),
    )
}

/// The answer to GET; `lines` are what is added to the application's headers, `Date` first.
fn check(request: &Head, facts: Facts, framing: BodyFraming, keep_alive: bool, lines: &str) {
    let expected = format!("Date: now|{lines}|");
    assert_eq!(
        finished(request, false, &facts),
        (framing, keep_alive, expected),
        "{request:?} {facts:?}"
    );
}

fn check_head(facts: Facts, lines: &str) {
    let expected = format!("Date: now|{lines}|");
    assert_eq!(
        finished(&HTTP11, true, &facts),
        (BodyFraming::None, true, expected),
        "{facts:?}"
    );
}

#[test]
fn of_unknown_length() {
    check(
        &HTTP11,
        OK,
        BodyFraming::Chunked,
        true,
        "Transfer-Encoding: chunked|",
    );
    check(
        &HTTP11_CLOSE,
        OK,
        BodyFraming::Chunked,
        false,
        "Transfer-Encoding: chunked|Connection: close|",
    );
    check(
        &HTTP10,
        OK,
        BodyFraming::UntilClose,
        false,
        "Connection: close|",
    );
    check(
        &HTTP10_KEEP,
        OK,
        BodyFraming::UntilClose,
        false,
        "Connection: close|",
    );
}

#[test]
fn of_a_length_that_the_server_knows() {
    let facts = Facts {
        body_length: Some(5),
        ..OK
    };
    check(
        &HTTP11,
        facts,
        BodyFraming::Length(5),
        true,
        "Content-Length: 5|",
    );
    check(
        &HTTP10,
        facts,
        BodyFraming::Length(5),
        false,
        "Content-Length: 5|Connection: close|",
    );
    check(
        &HTTP10_KEEP,
        facts,
        BodyFraming::Length(5),
        true,
        "Content-Length: 5|Connection: keep-alive|",
    );
    let largest = Facts {
        body_length: Some(u64::MAX),
        ..OK
    };
    check(
        &HTTP11,
        largest,
        BodyFraming::Length(u64::MAX),
        true,
        "Content-Length: 18446744073709551615|",
    );
    check(
        &HTTP11,
        Facts {
            body_length: Some(0),
            ..OK
        },
        BodyFraming::Length(0),
        true,
        "Content-Length: 0|",
    );
}

#[test]
fn of_a_length_that_the_application_sent() {
    let facts = Facts {
        content_length: Some(5),
        body_length: Some(7),
        ..OK
    };
    check(&HTTP11, facts, BodyFraming::Length(5), true, "");
    check(
        &HTTP10_KEEP,
        facts,
        BodyFraming::Length(5),
        true,
        "Connection: keep-alive|",
    );
}

#[test]
fn an_end_of_the_connection_that_somebody_asked_for() {
    let facts = Facts {
        content_length: Some(5),
        close: true,
        ..OK
    };
    let lines = "Connection: close|";
    check(&HTTP11, facts, BodyFraming::Length(5), false, lines);
    check(&HTTP10_KEEP, facts, BodyFraming::Length(5), false, lines);
}

#[test]
fn a_coded_body_passes_until_close() {
    let facts = Facts {
        transfer_encoding: true,
        body_length: Some(9),
        ..OK
    };
    check(
        &HTTP11,
        facts,
        BodyFraming::UntilClose,
        false,
        "Connection: close|",
    );
}

#[test]
fn a_status_without_body() {
    for status in [204, 304] {
        let facts = Facts {
            status,
            body_length: Some(3),
            ..OK
        };
        check(&HTTP11, facts, BodyFraming::None, true, "");
    }
    check(
        &HTTP11,
        Facts { status: 101, ..OK },
        BodyFraming::None,
        false,
        "Connection: close|",
    );
}

#[test]
fn an_answer_to_head() {
    check_head(OK, "");
    check_head(
        Facts {
            body_length: Some(5),
            ..OK
        },
        "Content-Length: 5|",
    );
    check_head(
        Facts {
            body_length: Some(0),
            ..OK
        },
        "",
    );
    check_head(
        Facts {
            content_length: Some(5),
            ..OK
        },
        "",
    );
    check_head(
        Facts {
            status: 304,
            body_length: Some(5),
            ..OK
        },
        "",
    );
}

#[test]
fn the_date_of_the_application_stays() {
    let facts = Facts {
        date: true,
        content_length: Some(1),
        ..OK
    };
    assert_eq!(finished(&HTTP11, false, &facts).2, "|");
}

#[test]
fn nothing_is_added_for_the_uwsgi_protocol() {
    let request = Head {
        kind: Kind::Uwsgi {
            modifier1: 0,
            modifier2: 0,
        },
        ..HTTP11
    };
    assert_eq!(
        finished(&request, false, &OK),
        (BodyFraming::UntilClose, false, "|".into())
    );
    let known = Facts {
        body_length: Some(5),
        ..OK
    };
    assert_eq!(
        finished(&request, false, &known),
        (BodyFraming::Length(5), false, "|".into())
    );
    assert_eq!(
        finished(&request, true, &OK),
        (BodyFraming::None, false, "|".into())
    );
}

#[test]
fn the_status_line() {
    for (version, expected) in [
        (Version::Http10, "HTTP/1.0 200 OK\r\n"),
        (Version::Http11, "HTTP/1.1 200 OK\r\n"),
    ] {
        let mut out = Vec::new();
        status_line(&mut out, version, b"200 OK");
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}

#[test]
fn chunk_sizes_are_hexadecimal() {
    for (len, expected) in [(1, "1\r\n"), (255, "ff\r\n"), (65536, "10000\r\n")] {
        let mut out = Vec::new();
        chunk_header(&mut out, len);
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}

const NOT_FOUND: (&str, &[u8]) = ("text/plain", b"Not Found");

#[test]
fn canned_answers() {
    let expected =
        "HTTP/1.1 404 Not Found\r\nDate: now\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n";
    assert_eq!(
        canned(Kind::Http, 404, NOT_FOUND, false, "now"),
        format!("{expected}Connection: close\r\n\r\nNot Found").into_bytes()
    );
    assert_eq!(
        canned(Kind::Http, 404, NOT_FOUND, true, "now"),
        format!("{expected}Connection: close\r\n\r\n").into_bytes()
    );
    let expected =
        b"Status: 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nNot Found";
    assert_eq!(canned(Kind::Scgi, 404, NOT_FOUND, false, "now"), expected);
    let enclosed = enclose(Kind::Fastcgi { id: 3 }, expected.to_vec());
    assert_eq!(enclosed, fastcgi::complete(3, expected));
}

#[test]
fn every_status_of_a_refusal_has_its_phrase() {
    for status in [400, 408, 413, 414, 417, 431, 500, 501, 503, 505] {
        assert_ne!(reason_phrase(status), reason_phrase(999), "{status}");
    }
}

#[test]
fn names_and_values_that_an_application_may_send() {
    assert!(
        is_name(b"X-Name_1!")
            && !is_name(b"")
            && !is_name(b"a b")
            && !is_name(b"a:")
            && !is_name(b"\xe4")
    );
    assert!(
        is_value(b"")
            && is_value(b"a\tb \xe4")
            && !is_value(b"a\r\nb")
            && !is_value(b"\0")
            && !is_value(b"\x7f")
    );
}
