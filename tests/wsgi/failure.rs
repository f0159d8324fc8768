//! What goes wrong inside the application, and clients that leave: nothing is lost but the one request.

use crate::support::site::{Running, Site};

/// Asks for a case of `tests/apps/raises` and for a good answer after it.
fn check(case: &str, status: u16, logged: &[&str]) {
    let site = Site::app("raises").start();
    assert_eq!(site.get(&format!("/{case}")).status, status, "{case}");
    for text in logged {
        site.process.wait_for_text(text);
    }
    assert_eq!(
        site.get("/good").text(),
        "good",
        "the worker serves on after {case}"
    );
}

#[test]
fn an_exception_is_answered_500_and_logged_with_its_traceback() {
    check(
        "early",
        500,
        &[
            "Traceback (most recent call last):",
            "in early",
            "RuntimeError: raised before start_response",
        ],
    );
    check(
        "called",
        500,
        &["RuntimeError: raised after start_response"],
    );
    check("first", 500, &["RuntimeError: raised by the iterator"]);
}

#[test]
fn the_answer_500_tells_nothing_of_the_application() {
    let answer = Site::app("raises").start().get("/early");
    assert!(!answer.text().contains("RuntimeError"), "{}", answer.text());
    assert!(answer.header("Content-Type").is_some());
}

#[test]
fn after_the_first_part_the_connection_is_cut() {
    let site = Site::app("raises").start();
    let answer = site.get("/later");
    assert_eq!(
        (answer.status, answer.text().as_str(), answer.whole),
        (200, "part", false)
    );
    site.process
        .wait_for_text("RuntimeError: raised by the iterator");
}

#[test]
fn sys_exit_does_not_end_the_worker() {
    check("exits", 500, &["SystemExit"]);
    check("interrupts", 500, &["KeyboardInterrupt"]);
}

fn closing() -> Running {
    Site::app("close").start()
}

/// The iterable is closed exactly once.
fn check_closed(site: &Running, case: &str) {
    site.process
        .wait_for_text(&format!("closed {case} 1 times"));
    assert_eq!(site.get("/whole").status, 200);
    site.process.wait_for_text("closed whole 1 times");
    assert!(
        !site
            .process
            .output()
            .contains(&format!("closed {case} 2 times"))
    );
}

#[test]
fn close_is_called_once() {
    for case in ["whole", "empty", "broken", "raising"] {
        let site = closing();
        site.get(&format!("/{case}"));
        check_closed(&site, case);
    }
}

#[test]
fn close_is_called_for_head() {
    let site = closing();
    site.request("HEAD", "/whole", &[], b"");
    site.process.wait_for_text("closed whole 1 times");
}

#[test]
fn close_is_called_when_the_client_leaves() {
    let site = closing();
    let mut client = site.address().connect();
    client.send_get("/endless");
    assert_eq!(client.head().status, 200);
    client.read(1_000_000);
    drop(client);
    check_closed(&site, "endless");
}

#[test]
fn close_that_raises_is_logged() {
    let site = closing();
    assert_eq!(site.get("/raising").text(), "whole");
    site.process.wait_for_text("RuntimeError: raised by close");
}
