//! FastCGI on the wire, as nginx's `fastcgi_pass` and others speak it.

use std::fs;

use serde_json::Value;

use crate::support::{
    fastcgi::{
        ABORT_REQUEST, END_REQUEST, GET_VALUES, STDIN, STDOUT, begin, cgi_answer, params, record,
        request, stream,
    },
    root,
    site::{Running, Site},
    uwsgi::{variables, variables_with},
};

fn site(app: &str) -> Running {
    Site::app(app).listen("fastcgi", "./fastcgi.sock").start()
}

fn environ(further: &[(&str, &str)]) -> Value {
    site("environ")
        .address()
        .fastcgi("GET", "/a/b?c=d", further, b"")
        .json()
}

#[test]
fn the_variables_become_the_environ() {
    let long = "x".repeat(10_000);
    let seen = environ(&[("X_SITE", "mine"), ("X_LONG", &long)]);
    for (name, value) in variables("GET", "/a/b?c=d") {
        assert_eq!(seen[&name], *value, "{name} in {seen:#}");
    }
    assert_eq!(
        (&seen["X_SITE"], &seen["X_LONG"]),
        (&"mine".into(), &long.into())
    );
    assert_eq!(seen["SCRIPT_NAME"], "");
}

#[test]
fn the_front_server_names_the_scheme() {
    assert_eq!(environ(&[("HTTPS", "on")])["wsgi.url_scheme"], "https");
}

#[test]
fn the_path_is_found_in_what_nginx_sends() {
    let site = site("environ");
    let variables = [
        ("REQUEST_METHOD", "GET"),
        ("SCRIPT_NAME", "/a b"),
        ("DOCUMENT_URI", "/a b"),
        ("REQUEST_URI", "/a%20b"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut client = site.address().connect();
    client.send(
        &[
            begin(1, 1, false),
            params(1, &variables),
            record(STDIN, 1, b"", 0),
        ]
        .concat(),
    );
    let seen = client.fastcgi_answer(1).json();
    assert_eq!(
        (&seen["PATH_INFO"], &seen["SCRIPT_NAME"]),
        (&"/a b".into(), &"".into())
    );
}

/// Bodies of all sizes, buffered beforehand or not, with a length said or not.
#[track_caller]
fn check_bodies(buffering: &str) {
    let site = Site::app("echo")
        .listen("fastcgi", "./fastcgi.sock")
        .setting("request", buffering)
        .start();
    for length in [0, 1, 1000, 65535, 65536, 65537, 3_000_000] {
        let body: Vec<u8> = (0..length).map(|number| number as u8).collect();
        for further in [&[][..], &[("CONTENT_LENGTH", "")]] {
            let answer = site.address().fastcgi("POST", "/all", further, &body);
            assert!(answer.body == body, "{length} bytes, {further:?}");
        }
    }
    let unread = site
        .address()
        .fastcgi("POST", "/none", &[], &[b'x'; 100_000]);
    assert_eq!(unread.text(), "the body was not read");
}

#[test]
fn bodies() {
    check_bodies("");
}

#[test]
fn bodies_that_stream() {
    check_bodies("post-buffering = \"0\"");
}

#[test]
fn bodies_that_are_spooled() {
    check_bodies("post-buffering = \"10M\"\nspool-above = \"10K\"");
}

#[test]
fn answers_of_every_shape() {
    let site = Site::app("bodies").listen("fastcgi", "127.0.0.1:0").start();
    let answer = |method, target| site.address().fastcgi(method, target, &[], b"");
    let generator = answer("GET", "/generator?201");
    assert_eq!(
        (generator.status, generator.reason.as_str()),
        (201, "As Asked")
    );
    assert_eq!(generator.text(), "generator");
    assert_eq!(answer("GET", "/large").body, b"large".repeat(100_000));
    assert_eq!(answer("GET", "/huge").body, b"huge".repeat(1_000_000));
    assert_eq!(answer("GET", "/nothing").body, b"");
    assert_eq!(answer("HEAD", "/list").body, b"");
    assert_eq!(answer("GET", "/list?204").status, 204);
    assert_eq!(answer("GET", "/number").status, 500);
}

#[test]
fn files_go_out_in_records() {
    let site = Site::app("file")
        .bare()
        .listen("fastcgi", "127.0.0.1:0")
        .start();
    let path = site.directory.path().join("file");
    for length in [0, 1, 65_535, 65_536, 1_000_000] {
        let content: Vec<u8> = (0..length).map(|index| (index % 251) as u8).collect();
        fs::write(&path, &content).unwrap();
        let target = format!("/?{}", path.display());
        let answer = site.address().fastcgi("GET", &target, &[], b"");
        assert!(answer.body == content, "{length} bytes");
    }
}

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

/// Answers that need no application: a file, a redirection, a refusal.
#[test]
fn what_needs_no_application_is_answered_in_records() {
    let directory = tempfile::tempdir().unwrap();
    let content = b"0123456789".repeat(20_000);
    fs::write(directory.path().join("file"), &content).unwrap();
    let site = Site::app("echo")
        .listen("fastcgi", "127.0.0.1:0")
        .setting(
            "static",
            &format!("map = {{ \"/static\" = {:?} }}", directory.path()),
        )
        .setting("[route]", "path = \"^/old\"\nredirect = \"/new\"")
        .start();
    let mut client = site.address().connect();
    let mut ask = |method, target, further: &[(&str, &str)]| {
        client.send(&request(1, true, (method, target), further, b""));
        client.fastcgi_answer(1)
    };
    assert!(ask("GET", "/static/file", &[]).body == content);
    let part = ask("GET", "/static/file", &[("HTTP_RANGE", "bytes=3-5")]);
    assert_eq!((part.status, part.text().as_str()), (206, "345"));
    assert_eq!(ask("HEAD", "/static/file", &[]).body, b"");
    assert_eq!(ask("GET", "/old", &[]).header("Location"), Some("/new"));
    assert_eq!(ask("GET", "/none", &[]).text(), "the body was not read");
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
fn variables_up_to_the_limit() {
    let site = Site::app("echo")
        .listen("fastcgi", "./fastcgi.sock")
        .setting("uwsgi", "buffer-size = \"4K\"")
        .start();
    let empty = params(
        1,
        &variables_with("GET", "/none", &[("HTTP_X_FILL", "")], b""),
    );
    // Two headers and the padding of one are no variables; a longer value says its length in three bytes more.
    let empty = empty.len() - 2 * 8 - 5 + 3;
    let status = |size: usize| {
        let fill = "x".repeat(size - empty);
        let further = [("HTTP_X_FILL", fill.as_str())];
        site.address().fastcgi("GET", "/none", &further, b"").status
    };
    assert_eq!((status(4096), status(4097)), (200, 431));
}

#[test]
fn browsers_are_told() {
    let site = site("echo");
    let answer = site.get("/");
    assert_eq!((answer.version.as_str(), answer.status), ("HTTP/1.1", 400));
}

/// The corpus of broken records: whole and byte by byte the same is answered, and the worker serves on.
#[test]
fn broken_records_harm_nobody() {
    let site = Site::app("echo")
        .bare()
        .listen("fastcgi", "./fastcgi.sock")
        .setting("http", "max-body = \"1K\"")
        .setting("uwsgi", "buffer-size = \"4K\"")
        .start();
    let answer = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut client = site.address().connect();
        pieces.for_each(|piece| client.send(piece));
        client.finish_sending();
        client.rest()
    };
    let mut cases = 0;
    for entry in fs::read_dir(root().join("tests/wire/fastcgi")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "bytes")
        {
            continue;
        }
        let bytes = bytes(&fs::read_to_string(&path).unwrap());
        let whole = answer(&mut [&bytes[..]].into_iter());
        let pieces = answer(&mut bytes.chunks(1));
        assert_eq!(without_date(&whole), without_date(&pieces), "{path:?}");
        let expected = fs::read_to_string(path.with_extension("expected")).unwrap();
        let requests = expected.matches("body: ").count();
        let refused = expected
            .lines()
            .find_map(|line| line.strip_prefix("refused: "));
        check_answers(&whole, requests, refused, &format!("{path:?}"));
        cases += 1;
    }
    assert!(cases > 60, "only {cases} cases were found");
    let next = site.address().fastcgi("POST", "/all", &[], b"body");
    assert_eq!(next.text(), "body");
}

/// So many requests were answered, and what was refused was refused with this status.
fn check_answers(answer: &[u8], requests: usize, refused: Option<&str>, what: &str) {
    let text = String::from_utf8_lossy(answer);
    assert_eq!(
        text.matches("Status: 200 ").count(),
        requests,
        "{what}: {text}"
    );
    match refused.and_then(|refused| refused.split(' ').next()) {
        None | Some("0") => assert!(!text.contains("Status: 4"), "{what}: {text}"),
        Some(status) => assert_eq!(
            text.matches(&format!("Status: {status} ")).count()
                + text.matches(&format!("HTTP/1.1 {status} ")).count(),
            usize::from(!is_silent(what)),
            "{what}: {text}"
        ),
    }
}

/// Before a request has begun there is nobody to answer.
fn is_silent(what: &str) -> bool {
    ["/begin-", "/values-too-many", "/version-0"]
        .iter()
        .any(|name| what.contains(name))
}

/// A browser's answer has the time in it.
fn without_date(answer: &[u8]) -> String {
    let text = answer.escape_ascii().to_string();
    let lines = text
        .split("\\r\\n")
        .filter(|line| !line.starts_with("Date: "));
    lines.collect()
}

/// The notation of the corpus: hexadecimal digits, or text in quotes.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        for (number, part) in line.split('"').enumerate() {
            match number % 2 {
                1 => bytes.extend_from_slice(part.as_bytes()),
                _ => bytes.extend(
                    part.split_whitespace()
                        .map(|digits| u8::from_str_radix(digits, 16).unwrap()),
                ),
            }
        }
    }
    bytes
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
