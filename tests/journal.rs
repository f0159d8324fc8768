//! What is in the journal: the application's words, the requests, and what happens when the journal is not well.

use rustix::process::Signal;

use crate::support::{
    journal::{Journal, parse, receive},
    load::Load,
    process::Watched,
    site::{Running, Site},
};

fn site() -> Site {
    Site::app("log").bare()
}

fn start(journal: &Journal, log: &str) -> Running {
    journal.site(site(), log).start()
}

/// The entry with this message; it was said by a worker, during a request or not.
#[track_caller]
fn check(target: &str, message: &str, fields: &[(&str, &str)], in_request: bool) {
    let journal = Journal::start();
    let site = start(&journal, "");
    let answer = site.get(target).text();
    let id = answer.split(' ').nth(1).unwrap();
    let entry = journal.wait_for(&[("MESSAGE", message)]);
    let common = [
        ("HOSTLER_SITE", "site"),
        ("HOSTLER_WORKER", "0"),
        ("SYSLOG_IDENTIFIER", "hostler"),
    ];
    for (name, value) in common.iter().chain(fields) {
        assert_eq!(
            entry.get(*name).map(String::as_str),
            Some(*value),
            "{name} in {entry:#?}"
        );
    }
    let found = entry.get("HOSTLER_REQUEST_ID").map(String::as_str);
    assert_eq!(found, in_request.then_some(id), "{entry:#?}");
}

#[test]
fn what_is_printed_is_an_entry_of_its_request() {
    check(
        "/printed",
        "printed 1 2",
        &[("HOSTLER_STREAM", "stdout"), ("PRIORITY", "6")],
        true,
    );
    check(
        "/printed",
        "to stderr",
        &[("HOSTLER_STREAM", "stderr")],
        true,
    );
    check(
        "/printed",
        "as bytes",
        &[("HOSTLER_STREAM", "stdout")],
        true,
    );
    check(
        "/printed",
        "without an end",
        &[("HOSTLER_STREAM", "stdout")],
        true,
    );
    check(
        "/threaded",
        "from a thread",
        &[("HOSTLER_STREAM", "stdout")],
        false,
    );
}

#[test]
fn a_traceback_is_one_entry() {
    let app = crate::support::root().join("tests/apps/log/app.py");
    let source = std::fs::read_to_string(&app).unwrap();
    let line = source
        .lines()
        .position(|line| line.contains("raise KeyError"))
        .unwrap()
        + 1;
    let (file, code) = (app.display(), "raise KeyError(\"x\")");
    let traceback = format!(
        "Traceback (most recent call last):\n  File \"{file}\", line {line}, in raised\n    {code}\nKeyError: 'x'"
    );
    check("/raised", &traceback, &[("PRIORITY", "3")], true);
}

#[test]
fn a_record_of_logging_has_its_level_its_logger_and_its_place() {
    let fields = [
        ("PRIORITY", "4"),
        ("HOSTLER_LOGGER", "shop.views"),
        ("CODE_FUNC", "logged"),
    ];
    check("/logged", "logged value", &fields, true);
}

#[test]
fn what_c_code_and_other_programs_write_is_heard_too() {
    check("/native", "from C", &[("HOSTLER_STREAM", "output")], false);
    check(
        "/native",
        "from a program",
        &[("HOSTLER_STREAM", "output")],
        false,
    );
}

#[test]
fn what_is_printed_at_import_is_the_zygotes() {
    let journal = Journal::start();
    let _site = start(&journal, "");
    journal.wait_for(&[("MESSAGE", "imported"), ("HOSTLER_ROLE", "zygote")]);
}

#[test]
fn the_last_words_of_a_worker_are_heard() {
    let journal = Journal::start();
    let site = start(&journal, "");
    let mut client = site.address().connect();
    client.send_get("/crash");
    assert!(client.is_closed());
    let words = journal.wait_for(&[("HOSTLER_STREAM", "output"), ("PRIORITY", "2")]);
    let message = &words["MESSAGE"];
    assert!(
        message.starts_with("Fatal Python error: Segmentation fault\n"),
        "{message}"
    );
    assert!(message.contains(" in crash"), "{message}");
    journal.wait_for(&[("HOSTLER_STATUS", "killed by SIGSEGV")]);
}

#[test]
fn a_request_is_an_entry() {
    let journal = Journal::start();
    let site = start(&journal, "access = true");
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let headers = [("X-Request-ID", "from-the-proxy"), ("traceparent", trace)];
    let answer = site.request("GET", "/x?a=1", &headers, b"").text();
    assert!(
        answer.starts_with("from-the-proxy from-the-proxy "),
        "{answer}"
    );
    let entry = journal.wait_for(&[("HOSTLER_REQUEST_ID", "from-the-proxy")]);
    let length = answer.len().to_string();
    for (name, value) in [
        ("HTTP_METHOD", "GET"),
        ("HTTP_STATUS", "200"),
        ("REQUEST_URI", "/x?a=1"),
        ("RESPONSE_BYTES", &length),
        ("PRIORITY", "6"),
        ("HTTP_TRACEPARENT", trace),
    ] {
        assert_eq!(entry[name], value, "{entry:#?}");
    }
    assert!(entry["DURATION_USEC"].parse::<u64>().unwrap() > 0);
    assert_eq!(entry["HTTP_HOST"], "localhost");
}

#[test]
fn what_is_no_request_is_an_entry_too() {
    let journal = Journal::start();
    let site = start(&journal, "access = true");
    let mut client = site.address().connect();
    client.send(b"nonsense\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    journal.wait_for(&[("HTTP_STATUS", "400"), ("PRIORITY", "5")]);
}

#[test]
fn only_trusted_proxies_name_requests() {
    let site = site()
        .setting(
            "http",
            "trusted-proxies = []\nrequest-id-header = \"X-Request-ID\"",
        )
        .start();
    let answer = site.request("GET", "/", &[("X-Request-ID", "mine")], b"");
    let id = answer.header("X-Request-ID").unwrap().to_owned();
    assert_eq!(id.len(), 32);
    assert!(answer.text().starts_with(&format!("{id} {id} ")));
    let other = site.get("/");
    assert_ne!(other.header("X-Request-ID").unwrap(), id);
}

#[test]
fn without_a_wish_requests_have_no_name_but_for_those_who_ask() {
    let site = site().start();
    let answer = site.get("/");
    assert_eq!(answer.header("X-Request-ID"), None);
    let text = answer.text();
    let [environ, asked, _pid] = text.split(' ').collect::<Vec<_>>()[..] else {
        panic!("{text}");
    };
    assert_eq!((environ, asked.len()), ("", 32));
}

#[test]
fn an_answer_of_ours_has_the_name_too() {
    let site = Site::app("raises")
        .bare()
        .setting("http", "request-id-header = \"X-Trace\"")
        .start();
    let answer = site.request("GET", "/", &[("X-Trace", "abc")], b"");
    assert_eq!(
        (answer.status, answer.header("X-Trace")),
        (500, Some("abc"))
    );
}

/// Nobody reads what is sent: the socket's queue is full after some entries, and all requests are answered nevertheless.
#[test]
fn a_journal_that_does_not_read_keeps_no_request() {
    let (journal, socket) = Journal::silent();
    let site = journal.site(site(), "access = true").start();
    let load = Load::start(site.address(), "/many", 2);
    load.wait_for(20);
    let (_, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:#?}");
    // From here on somebody reads, and hears how much was lost.
    let entries = std::iter::from_fn(|| {
        site.get("/");
        Some([receive(&socket)?, receive(&socket)?])
    });
    let entries = entries.take(1_000).flatten();
    let told = entries
        .map(|bytes| parse(&bytes))
        .find(|entry| entry.contains_key("HOSTLER_LOST"));
    let lost: u64 = told.unwrap()["HOSTLER_LOST"].parse().unwrap();
    assert!(lost > 0);
}

#[test]
fn a_journal_that_has_gone_keeps_no_request() {
    let (journal, socket) = Journal::silent();
    let site = journal.site(site(), "access = true").start();
    drop(socket);
    assert_eq!(site.get("/printed").status, 200);
    assert_eq!(site.get("/logged").status, 200);
}

#[test]
fn lines_on_standard_error_say_whose_they_are() {
    let site = site().start();
    site.get("/printed");
    site.process.wait_for_text("worker 0 stdout: printed 1 2");
    site.get("/logged");
    let line = site
        .process
        .wait_for_text("worker 0 shop.views: logged value");
    assert!(line.contains(" WARN "), "{line}");
}

/// A pipe that is full and not read: the terminal of somebody who has pressed Ctrl-S, a pager.
#[test]
fn a_worker_that_writes_without_end_is_still_supervised() {
    let site = Site::app("log").bare().start();
    let pid = site
        .get("/")
        .text()
        .split(' ')
        .nth(2)
        .unwrap()
        .parse()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(site.get("/many").status, 200);
    }
    let worker = Watched::new(pid);
    worker.signal(Signal::KILL);
    worker.wait();
    site.process.wait_for_text("SIGKILL");
    assert_eq!(site.get("/").status, 200);
}
