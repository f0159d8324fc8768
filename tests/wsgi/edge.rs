//! Applications that keep what is not theirs, say things in the wrong order, fork, or are slow to let go: the client
//! gets what is right, the log tells the rest, and the worker serves on.

use rustix::process::Signal;

use crate::support::{
    client::{Client, request},
    process::Watched,
    site::{Running, Site},
};

fn site(threads: u32) -> Running {
    Site::app("edge").workers(1, threads).start()
}

/// Asks for `path`, with one thread and with two; afterwards the same worker serves on.
fn check(path: &str, expected: &str) {
    for threads in [1, 2] {
        let site = site(threads);
        let worker = site.get("/pid").text();
        assert_eq!(site.get(path).text(), expected, "{path}, {threads} threads");
        assert_eq!(site.get("/pid").text(), worker, "after {path}");
    }
}

fn check_fails(path: &str, logged: &str) {
    let site = site(1);
    assert_eq!(site.get(path).status, 500, "{path}");
    site.process.wait_for_text(logged);
    assert_eq!(site.get("/pid").status, 200, "after {path}");
}

#[test]
fn what_was_kept_reaches_no_other_request() {
    let site = site(1);
    let body = request("POST", "/keep", &[], b"its body");
    let mut client = site.address().connect();
    client.send(&body);
    assert_eq!(client.answer().text(), "kept");
    client.send_get("/use-kept");
    assert_eq!(
        client.answer().text(),
        "write OSError, read OSError, start AssertionError"
    );
    client.send_get("/pid");
    assert_eq!(client.answer().status, 200);
}

fn begin_upload(site: &Running, sent: &[u8]) -> Client {
    let mut client = site.address().connect();
    client.send(b"POST /read-elsewhere HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    client.send(sent);
    client
}

#[test]
fn a_thread_that_reads_the_body_may_outlive_the_request() {
    let site = site(2);
    let mut client = begin_upload(&site, &[b'x'; 100_000]);
    client.send(&[b'x'; 100_000]);
    let answer = client.answer();
    assert_eq!(answer.text(), "answered");
    // Which of the two was faster is theirs to know; in both cases the connection is in order.
    let read = site.get("/was-read").text();
    assert!(["200000", "OSError"].contains(&read.as_str()), "{read}");
    if answer.header("Connection").is_none() {
        client.send_get("/pid");
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn what_had_come_before_a_read_failed_can_be_read() {
    let site = Site::app("edge")
        .setting("timeouts", "socket = \"300ms\"")
        .start();
    let mut client = site.address().connect();
    client.send(b"POST /read-again HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    client.send(&[b'x'; 150_000]);
    assert_eq!(client.answer().text(), "failed, 150000");
}

#[test]
fn a_client_that_leaves_frees_the_thread_that_reads_its_body() {
    let site = site(2);
    drop(begin_upload(&site, b"some of it"));
    let read = site.get("/was-read").text();
    assert!(
        ["ConnectionResetError", "OSError"].contains(&read.as_str()),
        "{read}"
    );
}

#[test]
fn write_needs_a_head() {
    check_fails("/write-after-a-bad-head", "start_response");
}

#[test]
fn the_fault_of_an_iterable_is_told() {
    check_fails("/own-iter-fault", "the fault of its own __iter__");
}

#[test]
fn a_response_has_one_framing() {
    check_fails(
        "/both-framings",
        "both Content-Length and Transfer-Encoding",
    );
}

#[test]
fn a_204_is_sent_without_the_length_that_it_was_given() {
    let answer = site(1).get("/no-content");
    assert_eq!(
        (answer.status, answer.header("Content-Length")),
        (204, None)
    );
}

#[test]
fn a_response_is_complete_before_it_is_closed() {
    let site = site(2);
    let mut client = site.address().connect();
    client.send_get("/slow-to-close");
    let answer = client.answer();
    assert_eq!((answer.text().as_str(), answer.whole), ("onetwo", true));
    assert!(!site.process.output().contains("closed at last"));
    site.get("/release");
    site.process.wait_for_text("closed at last");
}

#[test]
fn large_responses_take_little_memory() {
    let site = site(1);
    for path in ["/many-pieces", "/large-writes"] {
        let before: u64 = site.get("/peak").text().parse().unwrap();
        assert_eq!(site.get(path).body.len(), 200_000_000);
        let after: u64 = site.get("/peak").text().parse().unwrap();
        assert!(
            after < before + 20_000,
            "{path}: from {before} to {after} KiB"
        );
    }
}

#[test]
fn pieces_may_have_finalizers() {
    check("/subclasses", &("x".repeat(100_000) + "y"));
}

#[test]
fn a_writer_learns_that_its_client_has_gone() {
    for threads in [1, 2] {
        let site = site(threads);
        let mut client = site.address().connect();
        client.send_get("/write-for-ever");
        client.read(1_000_000);
        drop(client);
        site.process.wait_for_text("the writer gave up");
        assert_eq!(site.get("/pid").status, 200);
        site.process.wait_for_text("the client left");
        // It is nobody's fault.
        assert!(!site.process.output().contains("raised an exception"));
    }
}

#[test]
fn generator_exit_is_an_exception_like_others() {
    let site = site(1);
    let answer = site.get("/swallow");
    assert_eq!((answer.text().as_str(), answer.whole), ("first", false));
    site.process.wait_for_text("the generator ended");
    site.process
        .wait_for_text("GeneratorExit: raised by the application");
}

#[test]
fn a_forked_child_answers_nobody() {
    check("/fork-returns", "0");
    check("/fork-exits", "7");
    check("/fork-in-generator", "before parent");
}

#[test]
fn a_child_keeps_no_connection_open() {
    let site = site(1);
    let mut client = site.address().connect();
    client.send(b"GET /fork-stays HTTP/1.0\r\n\r\n");
    assert!(client.rest().ends_with(b"\r\n\r\nof the parent"));
    assert_eq!(site.get("/end-child").text(), "ended");
}

#[test]
fn a_child_does_not_keep_the_address() {
    let site = site(1);
    let mut client = site.address().connect();
    client.send(b"GET /fork-stays HTTP/1.0\r\n\r\n");
    client.rest();
    let child = Watched::new(site.get("/child").text().parse().unwrap());
    let supervisor = Watched::new(site.process.pid().into());
    supervisor.signal(Signal::TERM);
    supervisor.wait();
    assert!(site.address().try_connect().is_err());
    child.signal(Signal::TERM);
}

#[test]
fn a_child_can_be_terminated_without_its_worker() {
    check("/terminate", "-15");
}

/// Waits until the main thread of a process does.
fn await_sleep(pid: u64) {
    let is_asleep = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(')')
            .is_some_and(|(_, rest)| rest.starts_with(" S"))
    };
    while !is_asleep() {
        std::thread::yield_now();
    }
}

#[test]
fn a_signal_is_handled_while_nothing_else_happens() {
    for threads in [1, 2] {
        let site = site(threads);
        let worker = site.get("/pid").text().parse().unwrap();
        await_sleep(worker);
        Watched::new(worker).signal(Signal::USR1);
        site.process.wait_for_text("handled by Python");
    }
}
