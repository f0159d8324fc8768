//! Slow requests: told once when they cross the line, with their stack, and once when they end.

use crate::{
    process::Held,
    support::{journal::Journal, site::Running, site::Site},
};

const CROSSED: &str = "a request is slow ";
const ENDED: &str = "a slow request has ended: ";

/// A worker with so many threads, where a request is slow after a tenth of a second.
fn site(journal: &Journal, threads: u32) -> Running {
    journal
        .site(Site::app("process").bare(), "slow = \"100ms\"")
        .workers(1, threads)
        .start()
}

/// How many lines of the log have this in them.
fn count(site: &Running, text: &str) -> usize {
    site.process.output().matches(text).count()
}

#[test]
fn a_slow_request_is_told_with_its_stack_and_again_when_it_ends() {
    let journal = Journal::start();
    let site = site(&journal, 1);
    let held = Held::begin_nth(&site, 1);
    let target = format!("/wait?{}", site.directory.path().join("fifo-1").display());
    let crossed = journal.wait_for(&[("REQUEST_URI", &target), ("HOSTLER_ROLE", "supervisor")]);
    assert!(crossed["MESSAGE"].starts_with(CROSSED), "{crossed:?}");
    let stack = &crossed["HOSTLER_TRACEBACK"];
    assert!(
        stack.contains("in read_text") && stack.contains("app.py"),
        "{stack}"
    );
    assert_eq!(
        [
            &crossed["HTTP_METHOD"],
            &crossed["HOSTLER_WORKER"],
            &crossed["PRIORITY"]
        ],
        ["GET", "0", "4"]
    );
    held.end();
    let name = crossed["HOSTLER_REQUEST_ID"].as_str();
    let ended = journal.wait_for(&[("HOSTLER_REQUEST_ID", name), ("HTTP_STATUS", "200")]);
    assert!(ended["MESSAGE"].starts_with(ENDED), "{ended:?}");
    assert_eq!(
        [
            &ended["HTTP_STATUS"],
            &ended["REQUEST_URI"],
            &ended["HOSTLER_WORKER"]
        ],
        ["200", target.as_str(), "0"]
    );
    let took: u64 = ended["DURATION_USEC"].parse().unwrap();
    assert!(took >= 100_000, "{took}");
}

#[test]
fn each_of_several_is_told_once_with_the_stack_of_its_own_thread() {
    let journal = Journal::start();
    let site = site(&journal, 3);
    let first = Held::begin_nth(&site, 1);
    site.process
        .wait_for_nth("the first", 1, |line| line.contains(CROSSED).then_some(()));
    let second = Held::begin_nth(&site, 2);
    site.process
        .wait_for_nth("the second", 2, |line| line.contains(CROSSED).then_some(()));
    assert_eq!(site.get("/pid").status, 200);
    for name in ["fifo-1", "fifo-2"] {
        let target = format!("/wait?{}", site.directory.path().join(name).display());
        let entry = journal.wait_for(&[("REQUEST_URI", &target)]);
        let stack = &entry["HOSTLER_TRACEBACK"];
        assert_eq!(stack.matches("hread 0x").count(), 1, "{stack}");
        assert!(stack.contains("in read_text"), "{stack}");
    }
    first.end();
    second.end();
    site.process
        .wait_for_nth("both ends", 2, |line| line.contains(ENDED).then_some(()));
    // With the end of the service everything has been said.
    let process = site.process;
    process.signal(rustix::process::Signal::TERM);
    process.wait_for_text("stopped, every request was finished");
    let output = process.output();
    assert_eq!(
        [
            output.matches(CROSSED).count(),
            output.matches(ENDED).count()
        ],
        [2, 2],
        "{output}"
    );
}

#[test]
fn what_is_fast_is_told_of_by_nobody() {
    let journal = Journal::start();
    let site = journal
        .site(Site::app("process").bare(), "slow = \"1h\"")
        .start();
    for _ in 0..50 {
        site.get("/pid");
    }
    assert_eq!(count(&site, CROSSED) + count(&site, ENDED), 0);
}
