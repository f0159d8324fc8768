//! FastCGI on the wire, as nginx's `fastcgi_pass` and others speak it.
//!
//! Here is what a single request is to the application and what it gets back; `connections`: requests after and beside
//! each other; `broken`: what is no FastCGI, or too much of it.

mod broken;
mod connections;

use std::fs;

use serde_json::Value;

use crate::support::{
    fastcgi::{STDIN, begin, params, record, request},
    site::{Running, Site},
    uwsgi::variables,
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
