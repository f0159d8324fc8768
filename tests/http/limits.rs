//! Sizes and times: what exceeds them is answered and closed, what just fits is served.

use std::time::Duration;

use crate::support::{
    client::{Client, request},
    site::{Running, Site},
};

fn limited(section: &str, line: &str) -> Running {
    Site::app("echo").setting(section, line).start()
}

fn check_refused(mut client: Client, status: u16) {
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.header("Connection")),
        (status, Some("close")),
        "{}",
        answer.text()
    );
    assert!(client.is_closed());
}

fn check_size(site: &Running, request: &[u8], status: u16) {
    let mut client = site.address().connect();
    client.send(request);
    match status {
        200 => assert_eq!(client.answer().status, 200),
        _ => check_refused(client, status),
    }
}

/// A request whose head has exactly `length` bytes.
fn head_of(length: usize) -> Vec<u8> {
    let empty = request("GET", "/none", &[("X-Fill", "")], b"").len();
    request(
        "GET",
        "/none",
        &[("X-Fill", &"x".repeat(length - empty))],
        b"",
    )
}

#[test]
fn heads_up_to_the_limit() {
    let site = limited("http", "buffer-size = \"4K\"");
    check_size(&site, &head_of(4096), 200);
    check_size(&site, &head_of(4097), 431);
    check_size(&site, &head_of(100_000), 431);
    check_size(
        &site,
        &request("GET", &format!("/{}", "x".repeat(5000)), &[], b""),
        414,
    );
}

#[test]
fn bodies_up_to_the_limit() {
    let site = limited("http", "max-body = \"1K\"");
    check_size(&site, &request("POST", "/all", &[], &[b'x'; 1024]), 200);
    check_size(&site, &request("POST", "/all", &[], &[b'x'; 1025]), 413);
}

#[test]
fn chunked_bodies_up_to_the_limit() {
    let chunked = |length: usize| {
        let body = "x".repeat(length);
        format!("POST /all HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n").into_bytes()
    };
    let site = limited("http", "max-body = \"1K\"");
    check_size(&site, &chunked(1024), 200);
    check_size(&site, &chunked(1025), 413);
}

#[test]
fn bodies_have_no_limit_by_default() {
    let body = vec![b'x'; 20_000_000];
    let site = Site::app("echo").start();
    assert!(site.request("POST", "/all", &[], &body).body == body);
}

#[test]
fn a_head_that_does_not_end_times_out() {
    let site = limited("http", "header-timeout = \"300ms\"");
    let mut client = site.address().connect();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    check_refused(client, 408);
}

/// The limit counts from the first byte: a byte now and then does not extend it.
#[test]
fn a_head_that_drips_times_out() {
    let site = limited("http", "header-timeout = \"500ms\"");
    let mut client = site.address().connect();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    let mut drips = 0;
    while client.stays_quiet(Duration::from_millis(50)) {
        client.send(b"x");
        drips += 1;
        assert!(drips < 200, "{drips} drips in ten seconds and no answer");
    }
    check_refused(client, 408);
}

#[test]
fn a_body_that_stops_times_out() {
    let site = limited("http", "body-timeout = \"300ms\"");
    let mut client = site.address().connect();
    client.send(b"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf ");
    check_refused(client, 408);
}

/// `body-timeout` is about silence: a slow body is fine as long as it moves.
#[test]
fn a_body_that_drips_is_served() {
    let site = limited("http", "body-timeout = \"500ms\"");
    let mut client = site.address().connect();
    client.send(b"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n");
    for byte in b"0123456789" {
        assert!(client.stays_quiet(Duration::from_millis(100)));
        client.send(&[*byte]);
    }
    assert_eq!(client.answer().text(), "0123456789");
}

/// A thread that waits for a streamed body waits no longer than `timeouts.socket`.
#[test]
fn a_streamed_body_that_stops_times_out() {
    let site = Site::app("echo")
        .setting("request", "post-buffering = \"0\"")
        .setting("timeouts", "socket = \"300ms\"")
        .start();
    let mut client = site.address().connect();
    client.send(b"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf ");
    client.rest();
    assert_eq!(site.get("/all").status, 200);
}

/// A client that takes nothing of a finished response loses its connection, not the server's memory. What the kernel
/// holds back hides the end from the client; the worker's own table shows it.
#[test]
fn a_client_that_does_not_read_is_dropped() {
    let site = Site::app("bodies")
        .setting("http", "send-timeout = \"300ms\"")
        .setting("response", "buffering = \"8M\"")
        .start();
    let idle = site.open_sockets();
    let mut client = site.address().connect();
    // 20 responses of 4 MB are more than the sockets hold.
    client.send(&request("GET", "/huge", &[], b"").repeat(20));
    assert_eq!(client.head().status, 200);
    site.wait_until("the connection is dropped", || {
        assert_eq!(site.get("/list").text(), "list");
        site.open_sockets() <= idle
    });
}
