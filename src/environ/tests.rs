//! Whole requests and the variables that come of them.

use super::{Peer, Variable, header_key, scheme, visit};
use crate::protocol::{
    Head, Parsed, Request,
    http::head::{self, Limits},
    uwsgi,
};

const PEER: Peer<'_> = Peer {
    server_name: "machine",
    server_port: "8000",
    remote_addr: "192.0.2.7",
    remote_port: "40000",
    tls: false,
    trusted: false,
};

const FROM_CONNECTION: &str =
    "SERVER_NAME=machine SERVER_PORT=8000 REMOTE_ADDR=192.0.2.7 REMOTE_PORT=40000";

fn http(text: &str) -> (Vec<u8>, Head) {
    let buffer = text.replace('\n', "\r\n").into_bytes();
    let mut head = Head::default();
    let parsed = head::parse(
        &buffer,
        &mut 0,
        &Limits {
            head: 4096,
            body: 0,
        },
        &mut head,
    );
    assert_eq!(parsed, Ok(Parsed::Complete), "{text}");
    (buffer, head)
}

/// `A=b C=d` as a packet.
fn packet(modifier1: u8, text: &str) -> (Vec<u8>, Head) {
    let pairs: Vec<_> = text
        .split_whitespace()
        .map(|pair| pair.split_once('=').unwrap())
        .collect();
    let buffer = uwsgi::tests::packet(modifier1, &pairs);
    let mut head = Head::default();
    assert_eq!(
        uwsgi::parse(&buffer, 4096, 0, &mut head),
        Ok(Parsed::Complete),
        "{text}"
    );
    (buffer, head)
}

fn environ(request: &(Vec<u8>, Head), peer: &Peer<'_>) -> String {
    environ_below(request, peer, "")
}

fn environ_below((buffer, head): &(Vec<u8>, Head), peer: &Peer<'_>, mount: &str) -> String {
    let mut pairs = Vec::new();
    visit(
        &Request { head, buffer },
        peer,
        mount.as_bytes(),
        &mut Vec::new(),
        |variable, value| {
            let mut name = Vec::new();
            match variable {
                Variable::Header(wire) => header_key(wire, &mut name),
                Variable::Raw(raw) => name.extend_from_slice(raw),
                Variable::Standard(standard) => name.extend_from_slice(standard.name().as_bytes()),
            }
            pairs.push([&name, &b"="[..], value].concat());
        },
    );
    String::from_utf8(pairs.join(&b' ')).unwrap()
}

/// `expected` leaves out what the connection says.
fn check_http(text: &str, expected: &str) {
    let environ = environ(&http(text), &PEER).replace(FROM_CONNECTION, "..");
    assert_eq!(environ, expected, "{text}");
}

fn check_packet(modifier1: u8, text: &str, expected: &str) {
    assert_eq!(environ(&packet(modifier1, text), &PEER), expected, "{text}");
}

fn check_scheme(head: &(Vec<u8>, Head), peer: &Peer<'_>, expected: &str) {
    let (buffer, head) = head;
    assert_eq!(
        scheme(&Request { head, buffer }, peer),
        expected,
        "{}",
        String::from_utf8_lossy(buffer)
    );
}

fn check_scheme_of_header(header: &str, trusted: bool, expected: &str) {
    let request = http(&format!("GET / HTTP/1.1\nHost: a\n{header}\n\n"));
    check_scheme(&request, &Peer { trusted, ..PEER }, expected);
}

fn check_scheme_of_packet(variables: &str, trusted: bool, expected: &str) {
    let request = packet(0, &format!("REQUEST_METHOD=GET {variables}"));
    check_scheme(&request, &Peer { trusted, ..PEER }, expected);
}

#[test]
fn a_request_in_uwsgi_order() {
    check_http(
        "GET /a%20b/../c?d=%20 HTTP/1.1\nHost: h\nX-A-b: 1\n\n",
        "REQUEST_METHOD=GET REQUEST_URI=/a%20b/../c?d=%20 PATH_INFO=/c QUERY_STRING=d=%20 SERVER_PROTOCOL=HTTP/1.1 \
         SCRIPT_NAME= .. HTTP_HOST=h HTTP_X_A_B=1",
    );
}

#[test]
fn the_body_has_its_own_names() {
    check_http(
        "POST / HTTP/1.0\ncontent-type: a/b\nContent-Length: 3\n\n",
        "REQUEST_METHOD=POST REQUEST_URI=/ PATH_INFO=/ QUERY_STRING= SERVER_PROTOCOL=HTTP/1.0 SCRIPT_NAME= .. \
         CONTENT_TYPE=a/b CONTENT_LENGTH=3",
    );
}

#[test]
fn repeated_headers_are_joined_where_the_first_stood() {
    check_http(
        "GET / HTTP/1.0\nAccept: a\nCookie: x=1\naccept: b\nCOOKIE: y=2\nAccept: c\nCount: 1\n\n",
        "REQUEST_METHOD=GET REQUEST_URI=/ PATH_INFO=/ QUERY_STRING= SERVER_PROTOCOL=HTTP/1.0 SCRIPT_NAME= .. \
         HTTP_ACCEPT=a, b, c HTTP_COOKIE=x=1; y=2 HTTP_COUNT=1",
    );
}

#[test]
fn proxy_and_underscores_are_left_out() {
    check_http(
        "GET / HTTP/1.0\nProxy: evil\nX_A: spoofed\nX-A: true\n\n",
        "REQUEST_METHOD=GET REQUEST_URI=/ PATH_INFO=/ QUERY_STRING= SERVER_PROTOCOL=HTTP/1.0 SCRIPT_NAME= .. \
         HTTP_X_A=true",
    );
}

#[test]
fn absolute_form_names_the_host() {
    check_http(
        "GET http://h:1/p?q HTTP/1.1\nA: 1\nHost: other\n\n",
        "REQUEST_METHOD=GET REQUEST_URI=http://h:1/p?q PATH_INFO=/p QUERY_STRING=q SERVER_PROTOCOL=HTTP/1.1 \
         SCRIPT_NAME= .. HTTP_A=1 HTTP_HOST=h:1",
    );
    check_http(
        "GET HTTP://h?q HTTP/1.0\n\n",
        "REQUEST_METHOD=GET REQUEST_URI=HTTP://h?q PATH_INFO=/ QUERY_STRING=q SERVER_PROTOCOL=HTTP/1.0 \
         SCRIPT_NAME= .. HTTP_HOST=h",
    );
}

#[test]
fn options_of_the_server_itself() {
    let expected = |uri: &str, host: &str| {
        format!(
            "REQUEST_METHOD=OPTIONS REQUEST_URI={uri} PATH_INFO=* QUERY_STRING= SERVER_PROTOCOL=HTTP/1.1 \
             SCRIPT_NAME= .. HTTP_HOST={host}"
        )
    };
    check_http("OPTIONS * HTTP/1.1\nHost: h\n\n", &expected("*", "h"));
    check_http(
        "OPTIONS http://i HTTP/1.1\nHost: h\n\n",
        &expected("http://i", "i"),
    );
}

#[test]
fn a_unix_socket_has_no_port() {
    let peer = Peer {
        remote_addr: "",
        remote_port: "",
        tls: true,
        ..PEER
    };
    assert_eq!(
        environ(&http("GET / HTTP/1.0\n\n"), &peer),
        "REQUEST_METHOD=GET REQUEST_URI=/ PATH_INFO=/ QUERY_STRING= SERVER_PROTOCOL=HTTP/1.0 SCRIPT_NAME= \
         SERVER_NAME=machine SERVER_PORT=8000 REMOTE_ADDR= HTTPS=on"
    );
}

#[test]
fn a_packet_passes_as_it_came() {
    let variables = "REQUEST_METHOD=GET PATH_INFO=/%41/.. UWSGI_FILE=/x CONTENT_LENGTH= HTTP_X=1 SERVER_NAME=n \
                     SERVER_PORT=80 SERVER_PROTOCOL=HTTP/2.0";
    check_packet(0, variables, variables);
}

#[test]
fn a_packet_gets_what_pep_3333_requires() {
    check_packet(
        0,
        "REQUEST_METHOD=GET SERVER_NAME=",
        "REQUEST_METHOD=GET SERVER_PROTOCOL=HTTP/1.0 SERVER_NAME=machine SERVER_PORT=8000",
    );
}

#[test]
fn the_last_of_equal_variables_counts() {
    check_packet(
        0,
        "REQUEST_METHOD=GET A=1 SERVER_NAME=n SERVER_PORT=1 SERVER_PROTOCOL=HTTP/1.1 A=2 a=3",
        "REQUEST_METHOD=GET SERVER_NAME=n SERVER_PORT=1 SERVER_PROTOCOL=HTTP/1.1 A=2 a=3",
    );
}

#[test]
fn headers_that_no_packet_may_bring() {
    check_packet(
        0,
        "REQUEST_METHOD=GET HTTP_PROXY=evil HTTP_CONTENT_TYPE=a HTTP_CONTENT_LENGTH=1 SERVER_NAME=n SERVER_PORT=1 \
         SERVER_PROTOCOL=HTTP/1.1",
        "REQUEST_METHOD=GET SERVER_NAME=n SERVER_PORT=1 SERVER_PROTOCOL=HTTP/1.1",
    );
}

#[test]
fn modifier_30_cuts_script_name() {
    let rest = "SERVER_NAME=n SERVER_PORT=1 SERVER_PROTOCOL=HTTP/1.1";
    check_packet(
        30,
        &format!("REQUEST_METHOD=GET PATH_INFO=/app/x SCRIPT_NAME=/app {rest}"),
        &format!("REQUEST_METHOD=GET PATH_INFO=/x SCRIPT_NAME=/app {rest}"),
    );
    check_packet(
        0,
        &format!("REQUEST_METHOD=GET PATH_INFO=/app/x SCRIPT_NAME=/app {rest}"),
        &format!("REQUEST_METHOD=GET PATH_INFO=/app/x SCRIPT_NAME=/app {rest}"),
    );
}

#[test]
fn scheme_of_the_connection() {
    check_scheme_of_header("A: b", false, "http");
    check_scheme(
        &http("GET / HTTP/1.0\n\n"),
        &Peer { tls: true, ..PEER },
        "https",
    );
}

#[test]
fn only_a_trusted_peer_says_the_scheme() {
    for header in [
        "X-Forwarded-Proto: https",
        "X-Forwarded-Ssl: on",
        "Forwarded: for=1;Proto=\"HTTPS\"",
    ] {
        check_scheme_of_header(header, false, "http");
        check_scheme_of_header(header, true, "https");
    }
}

#[test]
fn the_nearest_proxy_has_the_last_word() {
    check_scheme_of_header("X-Forwarded-Proto: https, http", true, "http");
    check_scheme_of_header(
        "X-Forwarded-Proto: http\nX-Forwarded-Proto: https",
        true,
        "https",
    );
    check_scheme_of_header(
        "X-Forwarded-Proto: http\nForwarded: proto=https",
        true,
        "http",
    );
    check_scheme_of_header("Forwarded: proto=https, for=1;proto=http", true, "http");
}

#[test]
fn what_is_no_scheme_says_nothing() {
    check_scheme_of_header("X-Forwarded-Proto: gopher", true, "http");
    check_scheme_of_header("X-Forwarded-Proto: \nX-Forwarded-Ssl: on", true, "https");
    check_scheme_of_header("Forwarded: proto", true, "http");
}

#[test]
fn scheme_of_a_packet() {
    check_scheme_of_packet("HTTPS=on", false, "https");
    check_scheme_of_packet("HTTPS=1", false, "https");
    check_scheme_of_packet("HTTPS=off", false, "http");
    check_scheme_of_packet("UWSGI_SCHEME=https", false, "https");
    check_scheme_of_packet("HTTP_X_FORWARDED_PROTO=https", false, "http");
    check_scheme_of_packet("HTTP_X_FORWARDED_PROTO=https", true, "https");
    check_scheme_of_packet("HTTPS=on HTTP_X_FORWARDED_PROTO=http", true, "http");
}
