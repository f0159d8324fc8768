//! What front servers do with connections: kept, shared, asked about the protocol, given up.

use super::site;
use crate::support::{
    fastcgi::{
        ABORT_REQUEST, END_REQUEST, GET_VALUES, STDIN, STDOUT, begin, cgi_answer, params, record,
        request, stream,
    },
    site::Site,
    uwsgi::variables_with,
};

#[test]
fn a_slow_reader_gets_everything() {
    let site = Site::app("bodies")
        .bare()
        .listen("fastcgi", "127.0.0.1:0")
        .start();
    let mut client = site.address().connect_with_small_buffer();
    client.send(&request(1, true, ("GET", "/huge"), &[], b""));
    client.send(&request(1, false, ("GET", "/large"), &[], b""));
    assert_eq!(client.fastcgi_answer(1).body, b"huge".repeat(1_000_000));
    assert_eq!(client.fastcgi_answer(1).body, b"large".repeat(100_000));
}

#[test]
fn connections_are_kept_when_that_is_asked_for() {
    let site = site("echo");
    let mut client = site.address().connect();
    for (id, path) in [(1, "/all"), (1, "/none"), (0xffff, "/all")] {
        client.send(&request(id, true, ("POST", path), &[], b"body"));
        assert_eq!(client.fastcgi_answer(id).status, 200);
    }
    client.send(&request(2, false, ("POST", "/all"), &[], b"body"));
    assert_eq!(client.fastcgi_answer(2).text(), "body");
    assert!(client.is_closed());
}

#[test]
fn a_connection_with_a_body_that_nobody_reads_ends() {
    let site = Site::app("echo")
        .listen("fastcgi", "./fastcgi.sock")
        .setting("request", "post-buffering = \"0\"")
        .start();
    let mut client = site.address().connect();
    let variables = variables_with("POST", "/none", &[], &[b'x'; 9]);
    client.send(
        &[
            begin(1, 1, true),
            params(1, &variables),
            stream(STDIN, 1, b"x"),
        ]
        .concat(),
    );
    let answer = client.fastcgi_answer(1);
    assert_eq!(answer.text(), "the body was not read");
    assert!(client.is_closed());
}

/// What is here already costs nobody a connection.
#[test]
fn a_connection_whose_body_came_whole_lives_on_unread() {
    let site = Site::app("echo")
        .listen("fastcgi", "./fastcgi.sock")
        .setting("request", "post-buffering = \"0\"")
        .start();
    let mut client = site.address().connect();
    for (id, path, answer) in [
        (1, "/none", "the body was not read"),
        (2, "/none", "the body was not read"),
        (3, "/all", "body"),
    ] {
        client.send(&request(id, true, ("POST", path), &[], b"body"));
        assert_eq!(client.fastcgi_answer(id).text(), answer);
    }
}

#[test]
fn requests_byte_by_byte() {
    let site = site("echo");
    let mut client = site.address().connect();
    for byte in request(1, true, ("POST", "/all"), &[], b"body") {
        client.send(&[byte]);
    }
    assert_eq!(client.fastcgi_answer(1).text(), "body");
}

#[test]
fn a_second_request_at_the_same_time_is_refused_and_costs_nothing() {
    let site = site("echo");
    let mut client = site.address().connect();
    let variables = variables_with("POST", "/all", &[], b"body");
    client.send(&[begin(1, 1, true), params(1, &variables), begin(2, 1, true)].concat());
    const CANT_MPX_CONN: u8 = 1;
    let refused = vec![0, 0, 0, 0, CANT_MPX_CONN, 0, 0, 0];
    assert_eq!(client.record(), (END_REQUEST, 2, refused));
    client.send(
        &[
            params(2, &variables),
            stream(STDIN, 1, b"body"),
            record(STDIN, 1, b"", 0),
        ]
        .concat(),
    );
    assert_eq!(client.fastcgi_answer(1).text(), "body");
}

#[test]
fn other_roles_are_refused() {
    let site = site("echo");
    let mut client = site.address().connect();
    const UNKNOWN_ROLE: u8 = 3;
    let refused = vec![0, 0, 0, 0, UNKNOWN_ROLE, 0, 0, 0];
    client.send(&begin(1, 2, true));
    assert_eq!(client.record(), (END_REQUEST, 1, refused.clone()));
    client.send(&request(1, true, ("POST", "/all"), &[], b"body"));
    assert_eq!(client.fastcgi_answer(1).text(), "body");
    client.send(&begin(9, 3, false));
    assert_eq!(client.record(), (END_REQUEST, 9, refused));
    assert!(client.is_closed());
}

#[test]
fn the_protocol_itself_is_told_of() {
    let site = site("echo");
    let mut client = site.address().connect();
    let asked = record(
        GET_VALUES,
        0,
        b"\x0f\0FCGI_MPXS_CONNS\x0e\0FCGI_MAX_CONNS",
        3,
    );
    const GET_VALUES_RESULT: u8 = 10;
    let told = (GET_VALUES_RESULT, 0, b"\x0f\x01FCGI_MPXS_CONNS0".to_vec());
    client.send(&asked);
    assert_eq!(client.record(), told);
    client.send(&record(77, 0, b"what", 0));
    const UNKNOWN_TYPE: u8 = 11;
    assert_eq!(
        client.record(),
        (UNKNOWN_TYPE, 0, vec![77, 0, 0, 0, 0, 0, 0, 0])
    );
    let variables = variables_with("POST", "/all", &[], b"body");
    client.send(&[begin(1, 1, true), params(1, &variables), asked].concat());
    assert_eq!(client.record(), told, "inside a request, too");
    client.send(&[stream(STDIN, 1, b"body"), record(STDIN, 1, b"", 0)].concat());
    assert_eq!(client.fastcgi_answer(1).text(), "body");
}

#[test]
fn an_aborted_request_ends() {
    let site = site("echo");
    let mut client = site.address().connect();
    client.send(&[begin(1, 1, true), record(ABORT_REQUEST, 1, b"", 0)].concat());
    assert_eq!(client.fastcgi_answer(1).status, 400);
    assert!(client.is_closed());
}

#[test]
fn an_answer_that_is_not_whole_has_no_end() {
    let site = Site::app("bodies")
        .bare()
        .listen("fastcgi", "127.0.0.1:0")
        .start();
    let mut client = site.address().connect();
    client.send(&request(1, true, ("GET", "/list?200,9"), &[], b""));
    let (kind, _, content) = client.record();
    assert_eq!(
        (kind, cgi_answer(&content).text().as_str()),
        (STDOUT, "list")
    );
    assert!(client.is_closed());
}

#[test]
fn a_request_that_takes_too_long_is_ended_in_records() {
    let site = Site::app("late")
        .bare()
        .listen("fastcgi", "./fastcgi.sock")
        .setting("limits", "harakiri = \"1s\"")
        .start();
    let mut client = site.address().connect();
    client.send(&request(5, true, ("GET", "/sleep"), &[], b""));
    assert_eq!(client.fastcgi_answer(5).status, 504);
}
