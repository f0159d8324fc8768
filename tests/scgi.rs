//! SCGI on the wire, as nginx's `scgi_pass` and simple clients speak it.

use serde_json::Value;

use crate::support::{
    scgi::{netstring, request},
    site::{Running, Site},
    uwsgi::variables,
};

fn site(app: &str) -> Running {
    Site::app(app).listen("scgi", "./scgi.sock").start()
}

fn environ(further: &[(&str, &str)]) -> Value {
    site("environ")
        .address()
        .scgi("GET", "/a/b?c=d", further, b"")
        .json()
}

#[test]
fn the_variables_become_the_environ() {
    let seen = environ(&[("X_SITE", "mine")]);
    for (name, value) in variables("GET", "/a/b?c=d") {
        let value = if name == "CONTENT_LENGTH" {
            "0".to_owned()
        } else {
            value
        };
        assert_eq!(seen[&name], *value, "{name} in {seen:#}");
    }
    assert_eq!(
        (&seen["SCGI"], &seen["X_SITE"]),
        (&"1".into(), &"mine".into())
    );
}

#[test]
fn bodies() {
    let site = site("echo");
    for length in [0, 1, 1000, 65535, 65536, 3_000_000] {
        let body: Vec<u8> = (0..length).map(|number| number as u8).collect();
        let answer = site.address().scgi("POST", "/all", &[], &body);
        assert!(answer.body == body, "{length} bytes");
    }
    let unread = site.address().scgi("POST", "/none", &[], &[b'x'; 100_000]);
    assert_eq!(unread.text(), "the body was not read");
}

#[test]
fn answers_are_cgis() {
    let site = Site::app("bodies").listen("scgi", "127.0.0.1:0").start();
    let answer = |method, target| site.address().scgi(method, target, &[], b"");
    let generator = answer("GET", "/generator?201");
    assert_eq!(
        (generator.status, generator.reason.as_str()),
        (201, "As Asked")
    );
    assert_eq!(generator.text(), "generator");
    assert_eq!(generator.header("Transfer-Encoding"), None);
    assert_eq!(answer("GET", "/huge").body.len(), 4_000_000);
    assert_eq!(answer("HEAD", "/list").body, b"");
    assert_eq!(answer("GET", "/number").status, 500);
}

#[test]
fn requests_in_pieces() {
    let site = site("echo");
    let mut client = site.address().connect();
    for byte in request("POST", "/all", &[], b"body") {
        client.send(&[byte]);
    }
    assert!(client.rest().ends_with(b"\r\n\r\nbody"));
}

/// What the server says to these bytes and their end, while it serves on.
#[track_caller]
fn check_refused(bytes: &[u8], beginning: &str) {
    let site = site("echo");
    let mut client = site.address().connect();
    client.send(bytes);
    client.finish_sending();
    let answer = client.rest();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with(beginning), "{answer}");
    let next = site.address().scgi("POST", "/all", &[], b"body");
    assert_eq!(next.text(), "body");
}

#[test]
fn what_is_no_request_is_refused() {
    check_refused(b"x", "Status: 400 Bad Request\r\n");
    check_refused(b"99999:", "Status: 431 ");
    let none: [(String, &str); 0] = [];
    check_refused(&netstring(&none), "Status: 400 ");
    check_refused(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 400 ");
    check_refused(b"100:half", "");
}
