//! `hostler compare`: the real program asks two real servers.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    peer::Uwsgi,
    site::{Running, Site, program},
};

const EQUAL: i32 = 0;
const DIFFERENT: i32 = 1;
const USAGE: i32 = 64;

/// A site over HTTP (TCP, Unix socket) and the uwsgi protocol (Unix socket, TCP), in this order.
fn site(app: &str) -> Running {
    Site::app(app)
        .bare()
        .listen("http", "127.0.0.1:0")
        .listen("http", "./http.sock")
        .listen("uwsgi", "./uwsgi.sock")
        .listen("uwsgi", "127.0.0.1:0")
        .start()
}

/// The URL of a site's listener.
fn url(site: &Running, listener: usize) -> String {
    let address = &site.addresses[listener].0;
    match listener {
        0 => format!("http://{address}"),
        1 => format!("unix:{address}"),
        2 => format!("uwsgi:{address}"),
        _ => format!("uwsgi://{address}"),
    }
}

/// A list of requests, and the bodies that it names.
fn list(text: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("urls.txt"), text).unwrap();
    fs::write(directory.path().join("body"), b"a\0\xff\n").unwrap();
    directory
}

fn run(old: &str, new: &str, list: &Path, options: &[&str]) -> Output {
    let mut command = program();
    command
        .args(["compare", "--old", old, "--new", new])
        .args(options);
    let file = list.join("urls.txt");
    command.arg(file).stdin(Stdio::null()).output().unwrap()
}

/// The requests give this exit code; gives what was said.
#[track_caller]
fn check(old: &str, new: &str, text: &str, options: &[&str], code: i32) -> String {
    let list = list(text);
    let output = run(old, new, list.path(), options);
    let said = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}{errors}");
    said.replace(list.path().to_str().unwrap(), ".") + &errors
}

#[test]
fn a_server_equals_itself_whatever_it_speaks() {
    let site = site("echo");
    let requests = "/\nHEAD /lines\nPOST /all\n  X-A: b\n  @body\nPUT /none @body\n";
    for (old, new) in [(0, 0), (0, 1), (1, 2), (2, 3), (3, 0)] {
        let said = check(&url(&site, old), &url(&site, new), requests, &[], EQUAL);
        assert_eq!(said, "4 equal, 0 different\n");
    }
}

#[test]
fn uwsgis_answers_are_ours() {
    let theirs = Uwsgi::start("echo");
    let ours = site("echo");
    let (http, socket) = (
        format!("http://{}", theirs.http.0),
        format!("uwsgi://{}", theirs.uwsgi.0),
    );
    let requests = "/a?b=c\nHEAD /lines\nPOST /all @body\nPOST /none @body\n";
    for (old, new) in [
        (&http, url(&ours, 0)),
        (&socket, url(&ours, 2)),
        (&socket, url(&ours, 1)),
    ] {
        let said = check(old, &new, requests, &["--timeout", "20s"], EQUAL);
        assert_eq!(said, "4 equal, 0 different\n");
    }
}

/// An application that answers by the path, and differs from the other one of this name.
fn answers(body: &str) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let code = format!(
        "def application(environ, start_response):\n    \
             host = environ['HTTP_HOST'] if environ['PATH_INFO'] != '/self' else \
             '127.0.0.1:' + environ['SERVER_PORT']\n    \
             scheme = environ['wsgi.url_scheme']\n    \
             status, headers, body = {{\n        \
                 '/same': ('200 OK', [], 'same'),\n        \
                 '/host': ('302 Found', [('Location', f'{{scheme}}://{{host}}/')], ''),\n        \
                 '/self': ('302 Found', [('Location', f'{{scheme}}://{{host}}/')], ''),\n        \
                 {body}\n    \
             }}[environ['PATH_INFO']]\n    \
             start_response(status, headers)\n    \
             return [body.encode('latin-1')]\n"
    );
    fs::write(directory.path().join("answers.py"), code).unwrap();
    let site = Site::new(&format!(
        "module = \"answers\"\nchdir = {:?}",
        directory.path()
    ));
    // The module is imported before `start` returns.
    site.start()
}

fn both() -> (Running, Running) {
    let old = answers(
        "'/page': ('200 OK', [('Server', 'old'), ('Set-Cookie', 'token=1; Path=/')], 'a\\nb key=1 c')",
    );
    let new = answers(
        "'/page': ('404 Not Found', [('Server', 'new'), ('Set-Cookie', 'token=2; Path=/')], 'a\\nb key=23 c')",
    );
    (old, new)
}

#[test]
fn a_changed_application_is_shown() {
    let (old, new) = both();
    let (old, new) = (url(&old, 0), url(&new, 0));
    let said = check(&old, &new, "/same\n/page\n", &["--show-body"], DIFFERENT);
    let expected = "GET /page (./urls.txt:2)\n  \
                      status: 200 | 404\n  \
                      Server: old | new\n  \
                      Set-Cookie: token=1; Path=/ | token=2; Path=/\n  \
                      body: 11 bytes | 12 bytes, from line 2 on\n    \
                        old: b key=1 c\n    \
                        new: b key=23 c\n\
                    1 equal, 1 different\n";
    assert_eq!(said, expected);
}

#[test]
fn what_is_to_be_left_aside_is() {
    let (old, new) = both();
    let (old, new) = (url(&old, 0), url(&new, 0));
    let options = [
        "--ignore-header",
        "server",
        "--ignore-cookie",
        "token",
        "--ignore-body",
        "key=[0-9]+",
    ];
    let said = check(&old, &new, "/page\n", &options, DIFFERENT);
    assert_eq!(
        said,
        "GET /page (./urls.txt:1)\n  status: 200 | 404\n0 equal, 1 different\n"
    );
}

#[test]
fn each_server_may_name_itself_in_a_redirect() {
    let (old, new) = both();
    let (old, new) = (url(&old, 0), url(&new, 0));
    let options = ["--header", "Host: shop.example", "--https"];
    check(&old, &new, "/host\n/self\n", &options, EQUAL);
    check(&old, &new, "/host\n/self\n  Host: a.example\n", &[], EQUAL);
}

#[test]
fn a_field_that_differs_everywhere_comes_with_advice() {
    let (old, new) = both();
    let said = check(
        &url(&old, 0),
        &url(&new, 0),
        "/page\n/page\n",
        &[],
        DIFFERENT,
    );
    assert!(
        said.contains("\nServer differs in every answer; --ignore-header Server leaves it aside\n"),
        "{said}"
    );
}

#[test]
fn a_report_is_json() {
    let (old, new) = both();
    let (old, new) = (url(&old, 0), url(&new, 0));
    let said = check(
        &old,
        &new,
        "/same\n/page\n",
        &["--report", "json"],
        DIFFERENT,
    );
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&report["equal"], &report["different"]),
        (&1.into(), &1.into())
    );
    let page = &report["requests"][1];
    assert_eq!(
        (&page["line"], &page["old"]["body-bytes"]),
        (&2.into(), &11.into())
    );
    assert_eq!(
        page["differences"][3],
        serde_json::json!({
            "what": "body", "old-bytes": 11, "new-bytes": 12, "offset": 8, "line": 2,
            "old": "b key=1 c", "new": "b key=23 c",
        })
    );
}

#[test]
fn a_server_that_is_not_there_is_a_difference() {
    let site = site("echo");
    let said = check(&url(&site, 0), "unix:/nowhere.sock", "/\n", &[], DIFFERENT);
    assert!(
        said.contains("\n  answer: 200 | no answer: cannot connect: No such file"),
        "{said}"
    );
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for() {
    let site = site("echo");
    let directory = tempfile::tempdir().unwrap();
    let silent = directory.path().join("silent.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
    let silent = format!("unix:{}", silent.display());
    let said = check(
        &url(&site, 0),
        &silent,
        "/\n",
        &["--timeout", "100ms"],
        DIFFERENT,
    );
    assert!(said.contains("no answer: the time was over"), "{said}");
}

#[test]
fn requests_may_come_from_standard_input() {
    let site = site("echo");
    let server = url(&site, 0);
    let mut command = program();
    command.args(["compare", "--old", &server, "--new", &server, "-"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"/\n/b\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.stdout, b"2 equal, 0 different\n");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let server = "http://127.0.0.1:1";
    let said = check(server, server, "account\n", &[], USAGE);
    assert!(
        said.ends_with("/urls.txt:1: `account` is no path; it begins with a slash\n"),
        "{said}"
    );
    for (options, text) in [
        (["--ignore-body", "("], "unclosed group"),
        (["--timeout", "0"], "no answer takes no time"),
        (["--header", "Host"], "write `Name: value`"),
        (["--report", "xml"], "xml"),
    ] {
        let said = check(server, server, "/\n", &options, USAGE);
        assert!(said.contains(text), "{text:?} in {said}");
    }
    let said = check("https://a", server, "/\n", &[], USAGE);
    assert!(said.contains("TLS is not spoken here"), "{said}");
}
