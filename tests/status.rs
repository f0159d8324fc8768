//! What a running site tells of its past and of its threads: `hostler status` and `hostler worker stack`.

use std::process::Output;

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    process::Held,
    support::{
        process::Watched,
        site::{Running, Site},
    },
};

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    text(&output.stdout)
}

/// The command fails with one line that contains this.
#[track_caller]
fn check_error(output: &Output, expected: &str) {
    let said = text(&output.stderr);
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1));
    assert!(said.contains(expected), "{said}");
}

fn status(site: &Running) -> Value {
    serde_json::from_str(&done(&site.control(&["status", "--json"]))).unwrap()
}

fn worker(site: &Running) -> u64 {
    status(site)["workers"][0]["pid"].as_u64().unwrap()
}

#[test]
fn the_stacks_of_a_worker_are_told() {
    let site = Site::app("process").workers(1, 2).start();
    let held = Held::begin_nth(&site, 1);
    let stacks = done(&site.control(&["worker", "stack", "0"]));
    assert!(stacks.contains("app.py\", line "), "{stacks}");
    assert!(stacks.contains(" in answer"), "{stacks}");
    held.end();
    // Who asks has them; the log is for those whom nobody asked for.
    assert!(
        !site
            .process
            .output()
            .contains("stacks of a worker's threads")
    );
    check_error(
        &site.control(&["worker", "stack", "77"]),
        "there is no worker 77",
    );
}

#[test]
fn a_worker_that_does_not_run_tells_nothing_and_costs_nothing() {
    let site = Site::app("process").workers(1, 1).start();
    let stopped = Watched::new(worker(&site));
    stopped.signal(Signal::STOP);
    site.process
        .wait_for_text("a worker was stopped by a signal");
    for _ in 0..2 {
        check_error(
            &site.control(&["worker", "stack", "0"]),
            "worker 0 does not write the stacks",
        );
    }
    stopped.signal(Signal::CONT);
    site.process
        .wait_for_text("a worker that was stopped goes on");
    let stacks = done(&site.control(&["worker", "stack", "0"]));
    assert!(stacks.contains("File "), "{stacks}");
    assert_eq!(site.get("/pid").status, 200);
}

/// The same stacks are for the log and for whoever asks, and asking afterwards finds a worker that answers.
#[test]
fn a_slow_request_and_a_person_may_ask_for_the_same_stacks() {
    let site = Site::app("process").workers(1, 2);
    let site = site.setting("log", "slow = \"50ms\"").start();
    for nth in 1..=2 {
        let held = Held::begin_nth(&site, nth);
        let stacks = done(&site.control(&["worker", "stack", "0"]));
        assert!(stacks.contains(" in answer"), "{stacks}");
        held.end();
    }
}

#[test]
fn the_last_reload_is_told() {
    let site = Site::app("process").start();
    assert_eq!(status(&site)["history"]["reload"], Value::Null);
    done(&site.control(&["reload"]));
    let reload = status(&site)["history"]["reload"].clone();
    assert_eq!(reload["generation"], 2);
    assert!(reload["took_us"].as_u64() > Some(0), "{reload}");
    assert!(
        reload["at"]["unix"].as_u64() > Some(1_700_000_000),
        "{reload}"
    );
    site.rewrite(&Site::app("broken"));
    assert_eq!(site.control(&["reload"]).status.code(), Some(1));
    let table = done(&site.control(&["status"]));
    assert!(table.contains("ago: failed after "), "{table}");
    assert!(
        table.contains("\ntraceback of the last reload:\n"),
        "{table}"
    );
    assert!(table.contains("LookupError"), "{table}");
}

#[test]
fn the_last_crash_is_told_with_what_ran() {
    let site = Site::app("process").workers(1, 1).start();
    let pid = worker(&site);
    let held = Held::begin_nth(&site, 1);
    Watched::new(pid).signal(Signal::KILL);
    site.process.wait_for_text("a worker died, it is replaced");
    drop(held);
    let crash = status(&site)["history"]["crash"].clone();
    assert_eq!((&crash["pid"], &crash["worker"]), (&pid.into(), &0.into()));
    assert_eq!(crash["status"], "killed by SIGKILL");
    let table = done(&site.control(&["status"]));
    assert!(table.contains("\n  workers gone 1 by crash\n"), "{table}");
    assert!(table.contains(", killed by SIGKILL\n"), "{table}");
    assert!(table.contains("  GET /wait?"), "{table}");
}

#[test]
fn the_last_harakiri_is_told_with_its_stacks() {
    let limits = "harakiri = \"300ms\"\nharakiri-graceful = \"30s\"";
    let late = Site::app("late").bare().workers(1, 1);
    let site = late.setting("limits", limits).start();
    assert_eq!(site.get("/loop").status, 504);
    site.process
        .wait_for_text("harakiri: the request came to an end");
    let harakiri = status(&site)["history"]["harakiri"].clone();
    assert_eq!(harakiri["requests"][0]["request"], "GET /loop");
    assert!(harakiri["requests"][0]["age_us"].as_u64() >= Some(300_000));
    assert_eq!(harakiri["ended"], "exit code 0");
    let table = done(&site.control(&["status"]));
    assert!(table.contains("\nstacks of the last harakiri"), "{table}");
    assert!(table.contains("app.py\", line "), "{table}");
    let facts = ["  application", "  settings"];
    let lines = table.lines();
    let lines = lines.filter(|line| !facts.iter().any(|fact| line.starts_with(fact)));
    let widest = lines.map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{table}");
}
