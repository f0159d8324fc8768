//! The access log: which requests have an entry, and whose they are there; `gathered`: lines that are written together;
//! `originals`: lines as uWSGI and gunicorn write them.

mod gathered;
mod originals;

use crate::support::{journal::Journal, site::Site};

/// Which of these requests are logged with such further lines of `[log]`; the last one has to be.
#[track_caller]
fn check(log: &str, targets: &[&str], expected: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access");
    let to = format!(
        "access = true\naccess-to = [\"file:{}\"]\n{log}",
        path.display()
    );
    let site = Site::app("log").bare().setting("log", &to).start();
    for target in targets {
        site.get(target);
    }
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    let last = format!(" {} => ", targets.last().unwrap());
    site.wait_until("the last request is logged", || read().contains(&last));
    let text = read();
    assert_eq!(text.lines().count(), expected.len(), "{text}");
    for (line, expected) in text.lines().zip(expected) {
        assert!(line.contains(expected), "{expected}: {line}");
    }
}

/// Whose request this is in the log, when a proxy says so, and whether the proxy is believed.
#[track_caller]
fn check_client(log: &str, trusted: &str, expected: &str) {
    let journal = Journal::start();
    let site = journal
        .site(Site::app("log").bare(), &format!("access = true\n{log}"))
        .setting("http", &format!("trusted-proxies = [{trusted}]"))
        .start();
    let headers = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-For", "192.0.2.1, 10.1.1.1"),
    ];
    site.request("GET", "/printed", &headers, b"");
    let entry = journal.wait_for(&[("REQUEST_URI", "/printed")]);
    assert_eq!(entry["REMOTE_ADDR"], expected);
}

#[test]
fn paths_are_left_out() {
    let targets = ["/health?x", "/%68ealth", "/printed"];
    check(
        "access-skip = [\"/health\"]",
        &targets,
        &["GET /printed => 200 "],
    );
}

#[test]
fn only_what_is_asked_for_is_logged() {
    let targets = ["/printed", "/failed"];
    check(
        "access-only = [\"5xx\", \"404\"]",
        &targets,
        &["GET /failed => 500 "],
    );
}

#[test]
fn the_client_of_a_proxy_is_named_if_that_is_asked_for_and_the_proxy_is_trusted() {
    let trusted = "\"127.0.0.1\", \"10.0.0.0/8\"";
    check_client("x-forwarded-for = true", trusted, "192.0.2.1");
    check_client("x-forwarded-for = true", "\"10.0.0.0/8\"", "127.0.0.1");
    check_client("", trusted, "127.0.0.1");
}

/// The line of a request in a form of its own.
#[track_caller]
fn line(log: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("access");
    let to = format!(
        "access = true\naccess-to = [\"file:{}\"]\n{log}",
        path.display()
    );
    let site = Site::app("log").bare().setting("log", &to).start();
    let headers = [
        ("Referer", "https://a.example/"),
        ("User-Agent", "test \"1\""),
    ];
    site.request("GET", "/printed?x", &headers, b"");
    let read = || std::fs::read_to_string(&path).unwrap_or_default();
    site.wait_until("the request is logged", || read().ends_with('\n'));
    read()
}

#[test]
fn a_combined_line_has_nothing_in_front() {
    let line = line("access-format = \"combined\"\ntimestamp = \"%Y\"");
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    let rest = "] \"GET /printed?x HTTP/1.1\" 200 ";
    assert!(line.contains(rest), "{line}");
    let end = " \"https://a.example/\" \"test \\\"1\\\"\"\n";
    assert!(line.ends_with(end), "{line}");
}

#[test]
fn an_object_has_the_memory_of_the_worker_if_that_is_asked_for() {
    let line = line("access-format = \"json\"\nmemory-report = true");
    let object: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(object["uri"], "/printed?x");
    assert_eq!(object["user_agent"], "test \"1\"");
    assert_eq!(object["worker"], 0);
    let number = |name: &str| object[name].as_u64().unwrap();
    assert!(
        number("rss") > 1 << 20 && number("address_space") > number("rss"),
        "{line}"
    );
}

#[test]
fn the_memory_of_the_worker_is_in_our_own_line_too() {
    let line = line("memory-report = true");
    assert!(
        line.contains(", rss ") && line.contains(" bytes, address space "),
        "{line}"
    );
}
