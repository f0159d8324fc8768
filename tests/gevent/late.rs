//! Greenlets whose request is past its deadline: each is ended for itself, and what keeps the hub is noticed.

use super::{begin, site};
use crate::support::{process::Watched, site::Running};

const TOO_LATE: &str = "a request was ended because it took too long";
const LEFT: &str = "harakiri: the request came to an end, the worker has left";

fn late(graceful: &str) -> Running {
    site(8)
        .setting(
            "limits",
            &format!("harakiri = \"400ms\"\nharakiri-graceful = \"{graceful}\""),
        )
        .start()
}

fn pid(site: &Running) -> u64 {
    site.get("/pid").json().as_u64().unwrap()
}

#[test]
fn one_that_waits_is_interrupted_and_the_others_finish() {
    let site = site(8)
        .setting("limits", "harakiri-graceful = \"30s\"")
        .start();
    let worker = Watched::new(pid(&site));
    let gate = site.directory.path().join("gate");
    let mut held = begin(&site, &format!("/wait?{}", gate.display()));
    site.process.wait_for_text("waiting");
    let mut late = begin(&site, "/late");
    assert_eq!(late.answer().status, 504);
    site.process.wait_for_text("cleaned up");
    site.process.wait_for_text("hostler.HarakiriError");
    // Where it was, as the greenlet's stack and as the exception's.
    let stacks = site.process.output().matches("in late").count();
    assert_eq!(stacks, 2, "{}", site.process.output());
    std::fs::write(&gate, "").unwrap();
    assert_eq!(held.answer().status, 200);
    site.process.wait_for_text(LEFT);
    worker.wait();
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn all_that_are_late_are_told() {
    let site = late("30s");
    let worker = Watched::new(pid(&site));
    let mut clients: Vec<_> = (0..5).map(|_| begin(&site, "/sleep")).collect();
    for client in &mut clients {
        assert_eq!(client.answer().status, 504);
        assert!(client.is_closed());
    }
    site.process
        .wait_for_nth("that each has cleaned up", 5, |line| {
            line.contains("cleaned up").then_some(())
        });
    site.process.wait_for_text(LEFT);
    worker.wait();
}

#[test]
fn one_that_never_lets_the_hub_run_is_noticed_and_interrupted() {
    let site = late("30s");
    let worker = Watched::new(pid(&site));
    assert_eq!(begin(&site, "/loop").answer().status, 504);
    site.process.wait_for_text("stacks of a worker's threads");
    site.process.wait_for_text(TOO_LATE);
    site.process.wait_for_text(LEFT);
    worker.wait();
    assert_eq!(site.process.output().matches("in loop").count(), 2);
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn one_that_swallows_the_exception_goes_with_its_worker() {
    let site = late("3s");
    let worker = Watched::new(pid(&site));
    assert_eq!(begin(&site, "/swallow").answer().status, 504);
    site.process
        .wait_for_nth("that it was swallowed", 2, |line| {
            line.contains("swallowed HarakiriError").then_some(())
        });
    site.process
        .wait_for_text("harakiri: the worker was killed");
    worker.wait();
}

#[test]
fn waiting_for_a_client_is_interrupted() {
    let site = site(8)
        .setting("request", "post-buffering = \"0\"")
        .setting(
            "limits",
            "harakiri = \"400ms\"\nharakiri-graceful = \"30s\"",
        )
        .start();
    let mut client = site.address().connect();
    client.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbo");
    assert_eq!(client.answer().status, 504);
    site.process.wait_for_text(LEFT);
}
