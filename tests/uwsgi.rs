//! The uwsgi protocol on the wire, as nginx's `uwsgi_pass` and simple clients speak it.

use serde_json::Value;

use crate::support::{
    answer::{self, Answer},
    site::{Running, Site},
    uwsgi::{packet, raw_packet, request, variables},
};

fn site(app: &str) -> Running {
    Site::app(app).listen("uwsgi", "./uwsgi.sock").start()
}

fn environ(further: &[(&str, &str)]) -> Value {
    site("environ")
        .address()
        .uwsgi("GET", "/a/b?c=d", further, b"")
        .json()
}

/// What a server answers to bytes that are no good request; `None` when it just closes.
fn answer_to(bytes: &[u8]) -> Option<Answer> {
    let site = site("echo");
    let mut client = site.address().connect();
    client.send(bytes);
    client.finish_sending();
    let answer = client.rest();
    assert_eq!(
        site.address().uwsgi("POST", "/all", &[], b"body").text(),
        "body",
        "the worker serves on"
    );
    (!answer.is_empty()).then(|| answer::parse(&answer))
}

fn check_refused(bytes: &[u8], status: u16) {
    assert_eq!(answer_to(bytes).map(|answer| answer.status), Some(status));
}

#[test]
fn the_variables_become_the_environ() {
    let seen = environ(&[]);
    for (name, value) in variables("GET", "/a/b?c=d") {
        assert_eq!(seen[&name], *value, "{name} in {seen:#}");
    }
}

#[test]
fn pep_3333_gets_what_nginx_does_not_send() {
    let seen = environ(&[]);
    assert_eq!(
        (&seen["SCRIPT_NAME"], &seen["wsgi.url_scheme"]),
        (&"".into(), &"http".into())
    );
}

#[test]
fn the_front_server_names_the_scheme() {
    assert_eq!(environ(&[("HTTPS", "on")])["wsgi.url_scheme"], "https");
    assert_eq!(
        environ(&[("UWSGI_SCHEME", "https")])["wsgi.url_scheme"],
        "https"
    );
}

#[test]
fn script_name_is_the_front_servers() {
    let seen = environ(&[("SCRIPT_NAME", "/a"), ("PATH_INFO", "/b")]);
    assert_eq!(
        (&seen["SCRIPT_NAME"], &seen["PATH_INFO"]),
        (&"/a".into(), &"/b".into())
    );
}

#[test]
fn modifier_30_cuts_script_name_off_path_info() {
    let site = site("environ");
    let mut client = site.address().connect();
    let mut variables = variables("GET", "/a/b");
    variables.push(("SCRIPT_NAME".into(), "/a".into()));
    client.send(&packet(30, 0, &variables));
    assert_eq!(client.answer().json()["PATH_INFO"], "/b");
}

#[test]
fn variables_that_load_code_are_data() {
    let seen = environ(&[
        ("UWSGI_FILE", "/etc/passwd"),
        ("UWSGI_SCRIPT", "antigravity"),
        ("UWSGI_MODULE", "antigravity"),
        ("UWSGI_CALLABLE", "evil"),
        ("UWSGI_CHDIR", "/"),
        ("UWSGI_PYHOME", "/nowhere"),
        ("UWSGI_SETENV", "EVIL=yes"),
        ("UWSGI_POSTFILE", "/etc/passwd"),
        ("UWSGI_APPID", "evil"),
    ]);
    assert_eq!(
        (&seen["PATH_INFO"], &seen["QUERY_STRING"]),
        (&"/a/b".into(), &"c=d".into())
    );
}

#[test]
fn bodies() {
    let site = site("echo");
    for length in [1, 1000, 65535, 65536, 65537, 3_000_000] {
        let body: Vec<u8> = (0..length).map(|number| number as u8).collect();
        assert!(
            site.address().uwsgi("POST", "/all", &[], &body).body == body,
            "{length} bytes"
        );
    }
}

#[test]
fn bodies_that_nobody_reads() {
    assert_eq!(
        site("echo")
            .address()
            .uwsgi("POST", "/none", &[], &[b'x'; 100_000])
            .text(),
        "the body was not read"
    );
}

/// The front server frames for the client; the protocol itself has no chunks.
#[test]
fn answers_are_not_chunked() {
    let site = Site::app("bodies").listen("uwsgi", "127.0.0.1:0").start();
    let answer = site.address().uwsgi("GET", "/generator", &[], b"");
    assert_eq!(
        (answer.text().as_str(), answer.header("Transfer-Encoding")),
        ("generator", None)
    );
}

#[test]
fn the_status_line_repeats_the_version() {
    let site = site("echo");
    let version = |version| {
        site.address()
            .uwsgi("GET", "/all", &[("SERVER_PROTOCOL", version)], b"")
            .version
    };
    assert_eq!(
        (version("HTTP/1.0").as_str(), version("HTTP/1.1").as_str()),
        ("HTTP/1.0", "HTTP/1.1")
    );
}

#[test]
fn head_has_no_body() {
    assert_eq!(
        site("echo").address().uwsgi("HEAD", "/none", &[], b"").body,
        b""
    );
}

#[test]
fn packets_in_pieces() {
    let site = site("echo");
    let mut client = site.address().connect();
    for byte in request("POST", "/all", &[], b"body") {
        client.send(&[byte]);
    }
    assert_eq!(client.answer().text(), "body");
}

/// `buffer-size` is for the variables: the header of the packet does not count.
fn check_size(limit: &str, size: usize, status: u16) {
    let site = Site::app("echo")
        .listen("uwsgi", "./uwsgi.sock")
        .setting("uwsgi", &format!("buffer-size = {limit:?}"))
        .start();
    let empty = request("GET", "/none", &[("HTTP_X_FILL", "")], b"").len() - 4;
    let answer = site.address().uwsgi(
        "GET",
        "/none",
        &[("HTTP_X_FILL", &"x".repeat(size - empty))],
        b"",
    );
    assert_eq!(
        answer.status, status,
        "{size} bytes with a limit of {limit}"
    );
}

#[test]
fn packets_up_to_the_limit() {
    check_size("4K", 4096, 200);
    check_size("4K", 4097, 431);
    check_size("32K", 32768, 200);
    check_size("64K", 65535, 200);
}

#[test]
fn pings_are_answered() {
    let site = site("echo");
    let mut client = site.address().connect();
    client.send(&raw_packet(100, 0, b""));
    assert_eq!(client.read(4), [100, 0, 0, 1]);
}

#[test]
fn modifiers_of_other_plugins_are_refused() {
    for modifier1 in [5, 9, 17, 22, 111, 173] {
        let answer = answer_to(&packet(modifier1, 0, &variables("GET", "/")));
        assert!(
            answer.is_none_or(|answer| answer.status >= 400),
            "modifier1 {modifier1}"
        );
    }
}

#[test]
fn malformed_packets_are_refused() {
    check_refused(&raw_packet(0, 0, b"\x00\x00\x00\x00"), 400);
    check_refused(&raw_packet(0, 0, b"\x01\x00A\xff\xff"), 400);
    check_refused(&raw_packet(0, 0, b"\x01\x00A"), 400);
    check_refused(
        &packet(
            0,
            0,
            &[
                ("CONTENT_LENGTH".into(), "ten"),
                ("REQUEST_METHOD".into(), "GET"),
            ],
        ),
        400,
    );
    let none: [(String, &str); 0] = [];
    check_refused(&packet(0, 0, &none), 400);
}

#[test]
fn http_on_a_uwsgi_listener_is_told() {
    check_refused(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400);
}

#[test]
fn a_packet_that_does_not_end_is_dropped() {
    assert_eq!(answer_to(b"\x00\x10\x00\x00half"), None);
}
