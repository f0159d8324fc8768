//! Which application answers which request.

use super::*;
use crate::protocol::{Head, Parsed, http, uwsgi};

/// A site with `[app]`, and mounts of these hosts and paths.
fn mounts(has_default: bool, places: &[(&str, &str)]) -> Mounts {
    let mut settings = Settings::default();
    settings.app.module = has_default.then(|| "a".into());
    settings.dynamic_apps.enabled = true;
    settings.mount = places
        .iter()
        .map(|(host, path)| Mount {
            path: (*path).into(),
            host: (!host.is_empty()).then(|| (*host).into()),
            module: Some("m".into()),
            ..Mount::default()
        })
        .collect();
    Mounts::new(&settings).unwrap()
}

const PLACES: [(&str, &str); 5] = [
    ("", "/a"),
    ("", "/a/b/"),
    ("Example.com", ""),
    ("example.com", "/a"),
    ("", "/ä"),
];

/// `application` and the path that moves to SCRIPT_NAME, for a request over HTTP.
#[track_caller]
fn check_http(host: &str, path: &str, expected: Option<(u32, &str)>) {
    let buffer = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes();
    let (mut head, mut scanned) = (Head::default(), 0);
    let limits = http::head::Limits {
        head: 1000,
        body: 0,
    };
    let parsed = http::head::parse(&buffer, &mut scanned, &limits, &mut head);
    assert_eq!(parsed, Ok(Parsed::Complete));
    check(&head, &buffer, expected);
}

/// The same for a packet with these variables.
#[track_caller]
fn check_packet(modifier1: u8, text: &str, expected: Option<(u32, &str)>) {
    let pairs: Vec<_> = text
        .split_whitespace()
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let pairs = [&[("REQUEST_METHOD", "GET")], &pairs[..]].concat();
    let buffer = uwsgi::tests::packet(modifier1, &pairs);
    let mut head = Head::default();
    assert_eq!(
        uwsgi::parse(&buffer, 4096, 0, &mut head),
        Ok(Parsed::Complete)
    );
    check(&head, &buffer, expected);
}

#[track_caller]
fn check(head: &Head, buffer: &[u8], expected: Option<(u32, &str)>) {
    let mounts = mounts(false, &PLACES);
    let place = mounts.place(&Request { head, buffer }, None, &mut Vec::new());
    let found = place.map(|place| (place.application, mounts.path(place)));
    let expected = expected.map(|(number, path)| (number, path.as_bytes()));
    assert_eq!(found, expected);
}

#[test]
fn the_longest_path_wins_at_a_slash() {
    check_http("x", "/a", Some((1, "/a")));
    check_http("x", "/a/", Some((1, "/a")));
    check_http("x", "/a/b", Some((2, "/a/b")));
    check_http("x", "/a/b/c", Some((2, "/a/b")));
    check_http("x", "/a/bc", Some((1, "/a")));
    check_http("x", "/%61/c", Some((1, "/a")));
    check_http("x", "/%C3%A4/c", Some((5, "/ä")));
    check_http("x", "/ab", None);
    check_http("x", "/", None);
    check_http("x", "/c/../a", Some((1, "/a")));
}

#[test]
fn a_host_wins_over_a_path() {
    check_http("example.com", "/", Some((3, "")));
    check_http("EXAMPLE.com.:8000", "/a/b", Some((4, "/a")));
    check_http("www.example.com", "/a/b", Some((2, "/a/b")));
}

#[test]
fn a_front_server_may_say_where_the_application_lies() {
    check_packet(0, "SCRIPT_NAME=/a PATH_INFO=/x", Some((1, "")));
    check_packet(30, "SCRIPT_NAME=/a PATH_INFO=/a/b", Some((1, "")));
    check_packet(0, "UWSGI_APPID=/a/b PATH_INFO=/x", Some((2, "")));
    check_packet(0, "SCRIPT_NAME=/outer PATH_INFO=/a/x", Some((1, "/a")));
    check_packet(30, "SCRIPT_NAME=/o PATH_INFO=/o/a/x", Some((1, "/a")));
    check_packet(0, "HTTP_HOST=example.com PATH_INFO=/", Some((3, "")));
    check_packet(0, "SERVER_NAME=example.com PATH_INFO=/", Some((3, "")));
    check_packet(0, "PATH_INFO=/x", None);
}

#[test]
fn a_request_may_name_its_application_in_a_packet_alone() {
    check_packet(0, "UWSGI_MODULE=shop PATH_INFO=/x", Some((0, "")));
    check_packet(0, "UWSGI_CALLABLE=app PATH_INFO=/x", None);
}

#[test]
fn what_fits_nowhere_is_the_business_of_app() {
    let with_default = mounts(true, &PLACES);
    let (head, buffer) = (Head::default(), b"");
    let request = Request {
        head: &head,
        buffer,
    };
    assert_eq!(
        with_default.place(&request, None, &mut Vec::new()),
        Some(ONLY)
    );
    assert_eq!(
        with_default.to_string(),
        "/, example.com/a, example.com/, /a/b, /\\xc3\\xa4, /a"
    );
}

#[test]
fn there_is_nothing_to_choose_from_at_most_sites() {
    let mut settings = Settings::default();
    assert!(Mounts::new(&settings).is_some());
    settings.app.module = Some("a".into());
    assert!(Mounts::new(&settings).is_none());
}
