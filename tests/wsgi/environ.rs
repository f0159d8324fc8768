//! The environ: CGI variables from the request, and what PEP 3333 adds.

use serde_json::Value;

use crate::support::site::{Running, Site};

fn site() -> Running {
    Site::app("environ").start()
}

/// The environ of a GET for `target` with `headers`.
fn environ(site: &Running, target: &str, headers: &[(&str, &str)]) -> Value {
    site.request("GET", target, headers, b"").json()
}

fn check(target: &str, headers: &[(&str, &str)], expected: &[(&str, &str)]) {
    let seen = environ(&site(), target, headers);
    for (name, value) in expected {
        assert_eq!(seen[name], *value, "{name} for {target} in {seen:#}");
    }
}

fn check_absent(headers: &[(&str, &str)], names: &[&str]) {
    let seen = environ(&site(), "/", headers);
    for name in names {
        assert!(seen.get(name).is_none(), "{name} in {seen:#}");
    }
}

#[test]
fn request_line() {
    check(
        "/a/b?c=d&e",
        &[],
        &[
            ("REQUEST_METHOD", "GET"),
            ("SCRIPT_NAME", ""),
            ("PATH_INFO", "/a/b"),
            ("QUERY_STRING", "c=d&e"),
            ("REQUEST_URI", "/a/b?c=d&e"),
            ("SERVER_PROTOCOL", "HTTP/1.1"),
        ],
    );
}

#[test]
fn path_is_decoded_to_latin_1() {
    check(
        "/caf%C3%A9%20au%2Flait?q=%20",
        &[],
        &[
            ("PATH_INFO", "/caf\u{c3}\u{a9} au/lait"),
            ("QUERY_STRING", "q=%20"),
        ],
    );
}

#[test]
fn an_escape_that_is_none_stays() {
    check("/100%/%zz", &[], &[("PATH_INFO", "/100%/%zz")]);
}

#[test]
fn dot_segments_are_resolved() {
    check(
        "/a/./b/../c",
        &[],
        &[("PATH_INFO", "/a/c"), ("REQUEST_URI", "/a/./b/../c")],
    );
}

#[test]
fn nothing_climbs_over_the_root() {
    check(
        "/../../%2e%2e/etc/passwd",
        &[],
        &[("PATH_INFO", "/etc/passwd")],
    );
}

#[test]
fn an_empty_query_is_an_empty_string() {
    check("/", &[], &[("QUERY_STRING", "")]);
    check("/?", &[], &[("QUERY_STRING", ""), ("REQUEST_URI", "/?")]);
}

#[test]
fn a_target_in_absolute_form_names_the_host() {
    check(
        "http://other.example/p?q",
        &[("Host", "localhost")],
        &[("PATH_INFO", "/p"), ("HTTP_HOST", "other.example")],
    );
}

#[test]
fn headers_become_variables() {
    check(
        "/",
        &[
            ("X-Some-Name", "value"),
            ("content-type", "text/plain"),
            ("USER-AGENT", "test"),
        ],
        &[
            ("HTTP_X_SOME_NAME", "value"),
            ("CONTENT_TYPE", "text/plain"),
            ("HTTP_USER_AGENT", "test"),
        ],
    );
}

#[test]
fn content_headers_have_no_prefix() {
    check_absent(
        &[("Content-Type", "text/plain"), ("Content-Length", "0")],
        &["HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"],
    );
}

#[test]
fn repeated_headers_are_joined() {
    check(
        "/",
        &[("X-A", "1"), ("X-B", "2"), ("X-A", "3")],
        &[("HTTP_X_A", "1, 3"), ("HTTP_X_B", "2")],
    );
}

#[test]
fn cookies_are_joined_as_cookies() {
    check(
        "/",
        &[("Cookie", "a=1"), ("Cookie", "b=2")],
        &[("HTTP_COOKIE", "a=1; b=2")],
    );
}

#[test]
fn names_with_underscores_would_spoof_and_are_dropped() {
    check(
        "/",
        &[("X-Real", "good"), ("X_Real", "evil")],
        &[("HTTP_X_REAL", "good")],
    );
    check_absent(&[("X_Forwarded_For", "evil")], &["HTTP_X_FORWARDED_FOR"]);
}

#[test]
fn the_proxy_header_sets_no_proxy() {
    // httpoxy (CVE-2016-5385): HTTP_PROXY is a variable that libraries obey.
    check_absent(&[("Proxy", "http://evil.example/")], &["HTTP_PROXY"]);
}

#[test]
fn header_bytes_are_latin_1() {
    let site = site();
    let mut client = site.address().connect();
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Name: caf\xe9\r\n\r\n");
    assert_eq!(client.answer().json()["HTTP_X_NAME"], "caf\u{e9}");
}

#[test]
fn names_of_the_server_and_the_client() {
    let site = site();
    let seen = environ(&site, "/", &[]);
    let port = site.address().0.rsplit(':').next().unwrap();
    assert_eq!(seen["SERVER_PORT"], port);
    assert_eq!(seen["REMOTE_ADDR"], "127.0.0.1");
    assert!(
        seen["REMOTE_PORT"]
            .as_str()
            .unwrap()
            .parse::<u16>()
            .is_ok_and(|port| port > 1023),
        "{seen:#}"
    );
    assert_ne!(seen["SERVER_NAME"], "");
}

#[test]
fn what_pep_3333_adds() {
    let seen = environ(&site(), "/", &[]);
    assert_eq!(seen["wsgi.version"], "(1, 0)");
    assert_eq!(seen["wsgi.url_scheme"], "http");
    assert_eq!(seen["wsgi.run_once"], "False");
    for name in [
        "wsgi.input",
        "wsgi.errors",
        "wsgi.file_wrapper",
        "uwsgi.version",
        "uwsgi.node",
    ] {
        assert!(seen.get(name).is_some(), "{name} in {seen:#}");
    }
    assert!(
        seen["uwsgi.version"].as_str().unwrap().starts_with("b'"),
        "uWSGI gives bytes: {seen:#}"
    );
}

fn check_workers(processes: u32, threads: u32, multiprocess: &str, multithread: &str) {
    let seen = environ(
        &Site::app("environ").workers(processes, threads).start(),
        "/",
        &[],
    );
    assert_eq!(
        (&seen["wsgi.multiprocess"], &seen["wsgi.multithread"]),
        (&multiprocess.into(), &multithread.into())
    );
}

#[test]
fn the_flags_tell_the_settings() {
    check_workers(1, 1, "False", "False");
    check_workers(2, 1, "True", "False");
    check_workers(1, 2, "False", "True");
    check_workers(2, 2, "True", "True");
}

#[test]
fn a_trusted_proxy_names_the_scheme() {
    check(
        "/",
        &[("X-Forwarded-Proto", "https")],
        &[("wsgi.url_scheme", "https")],
    );
}

#[test]
fn anybody_else_does_not() {
    let site = Site::app("environ")
        .setting("http", "trusted-proxies = []")
        .start();
    let seen = environ(
        &site,
        "/",
        &[("X-Forwarded-Proto", "https"), ("X-Forwarded-Ssl", "on")],
    );
    assert_eq!(seen["wsgi.url_scheme"], "http");
}

#[test]
fn each_request_has_an_environ_of_its_own() {
    let site = Site::app("environ").bare().start();
    let mut client = site.address().connect();
    client.send(b"GET /?first HTTP/1.1\r\nHost: a\r\nX-First: yes\r\n\r\n");
    assert_eq!(client.answer().json()["HTTP_X_FIRST"], "yes");
    client.send(b"GET / HTTP/1.1\r\nHost: b\r\n\r\n");
    let second = client.answer().json();
    assert_eq!(
        (&second["HTTP_HOST"], &second["QUERY_STRING"]),
        (&"b".into(), &"".into())
    );
    assert!(second.get("HTTP_X_FIRST").is_none(), "{second:#}");
}

#[test]
fn errors_and_output_reach_the_log() {
    let site = Site::app("errors").start();
    assert_eq!(site.get("/").text(), "told");
    for text in [
        "to wsgi.errors",
        "line one",
        "line two",
        "to stdout",
        "to stderr",
    ] {
        site.process.wait_for_text(text);
    }
}
