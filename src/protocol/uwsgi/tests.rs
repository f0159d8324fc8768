//! Packets that nginx sends, and packets that nobody should.

use super::{PING, WSGI, parse};
use crate::protocol::{
    Framing, Head, Kind, Parsed, Refusal, Request, Version, variables::MAX_VARIABLES,
};

pub(crate) fn packet(modifier1: u8, variables: &[(&str, &str)]) -> Vec<u8> {
    let mut packet = vec![modifier1, 0, 0, 0];
    for text in variables.iter().flat_map(|(name, value)| [name, value]) {
        packet.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
        packet.extend_from_slice(text.as_bytes());
    }
    let size = u16::try_from(packet.len() - 4).unwrap().to_le_bytes();
    packet[1..3].copy_from_slice(&size);
    packet
}

fn parsed(packet: &[u8]) -> Result<Head, Refusal> {
    let mut head = Head::default();
    assert_eq!(parse(packet, 4096, 100, &mut head)?, Parsed::Complete);
    Ok(head)
}

fn check_refused(packet: &[u8], expected: u16) {
    assert_eq!(
        parsed(packet).map_err(|refusal| refusal.status),
        Err(expected),
        "{}",
        packet.escape_ascii()
    );
}

/// A packet with these variables and a method.
fn check_head(variables: &[(&str, &str)], check: impl FnOnce(&Head)) {
    check(
        &parsed(&packet(
            WSGI,
            &[&[("REQUEST_METHOD", "GET")], variables].concat(),
        ))
        .unwrap(),
    );
}

#[test]
fn a_request_as_nginx_sends_it() {
    let variables = [
        ("QUERY_STRING", "q=1"),
        ("REQUEST_METHOD", "POST"),
        ("CONTENT_LENGTH", "7"),
        ("REQUEST_URI", "/%41?q=1"),
        ("PATH_INFO", "/A"),
        ("SERVER_PROTOCOL", "HTTP/2.0"),
        ("HTTP_HOST", "a"),
    ];
    let mut buffer = packet(WSGI, &variables);
    let len = buffer.len();
    buffer.extend_from_slice(b"the body");
    let head = parsed(&buffer).unwrap();
    let request = Request {
        head: &head,
        buffer: &buffer,
    };
    assert_eq!(
        (request.method(), request.target()),
        (&b"POST"[..], &b"/%41?q=1"[..])
    );
    assert_eq!(
        (head.path.of(&buffer), head.query.of(&buffer)),
        (&b"/A"[..], &b"q=1"[..])
    );
    assert_eq!(
        (head.len, head.kind),
        (
            len,
            Kind::Uwsgi {
                modifier1: 0,
                modifier2: 0
            }
        )
    );
    assert_eq!(
        (head.framing, head.version),
        (Framing::Length(7), Version::Http11)
    );
    assert!(
        request
            .fields()
            .eq(variables.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
    );
}

#[test]
fn an_empty_length_is_no_body() {
    check_head(&[("CONTENT_LENGTH", "")], |head| {
        assert_eq!(head.framing, Framing::None)
    });
}

#[test]
fn without_a_protocol_it_is_http10() {
    check_head(&[], |head| assert_eq!(head.version, Version::Http10));
}

#[test]
fn repeated_variables_are_noticed() {
    check_head(&[("A", "1"), ("B", "1")], |head| assert!(!head.repeats));
    check_head(&[("A", "1"), ("A", "2")], |head| assert!(head.repeats));
}

#[test]
fn a_ping_has_no_variables() {
    assert_eq!(
        parsed(&[PING, 0, 0, 0]).unwrap().kind,
        Kind::Uwsgi {
            modifier1: PING,
            modifier2: 0
        }
    );
}

#[test]
fn a_wsgi_request_has_a_method() {
    check_refused(&packet(0, &[]), 400);
    check_refused(&packet(30, &[("REQUEST_METHOD", "")]), 400);
}

#[test]
fn lengths_beyond_the_packet() {
    check_refused(b"\0\x01\0\0\x01", 400);
    check_refused(b"\0\x02\0\0\x01\0", 400);
    check_refused(b"\0\x03\0\0\x01\0A", 400);
    check_refused(b"\0\x06\0\0\x01\0A\x02\0B", 400);
    check_refused(b"\0\x05\0\0\x01\0A\xff\xff", 400);
}

#[test]
fn a_name_may_not_be_empty() {
    check_refused(&packet(0, &[("REQUEST_METHOD", "GET"), ("", "value")]), 400);
}

#[test]
fn content_length() {
    for (value, status) in [
        ("x", 400),
        ("-1", 400),
        ("1 ", 400),
        ("99999999999999999999", 400),
        ("101", 413),
    ] {
        check_refused(
            &packet(0, &[("REQUEST_METHOD", "GET"), ("CONTENT_LENGTH", value)]),
            status,
        );
    }
    let twice = [
        ("REQUEST_METHOD", "GET"),
        ("CONTENT_LENGTH", "1"),
        ("CONTENT_LENGTH", "2"),
    ];
    check_refused(&packet(0, &twice), 400);
}

#[test]
fn limits() {
    check_refused(b"\0\x01\x10\0", 431);
    check_refused(&packet(0, &[("A", ""); MAX_VARIABLES + 1]), 431);
    assert_eq!(
        parse(b"\0\x00\x10\0", 4096, 0, &mut Head::default()),
        Ok(Parsed::Incomplete)
    );
}

#[test]
fn http_is_answered_at_once() {
    check_refused(b"GET / HTTP/1.1\r\n", 400);
    check_refused(b"POST", 400);
}
