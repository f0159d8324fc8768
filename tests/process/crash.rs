//! Workers that die are replaced at once; nobody notices but their own clients.

use rustix::process::Signal;

use crate::support::{load::Load, process::Watched};

use super::{Held, pid, site};

#[test]
fn a_killed_worker_is_replaced() {
    let site = site().start();
    let first = pid(&site);
    let worker = Watched::new(first);
    worker.signal(Signal::KILL);
    worker.wait();
    assert_ne!(pid(&site), first);
    site.process.wait_for("the signal", |line| {
        (line.contains("SIGKILL") || line.contains("signal 9")).then_some(())
    });
}

#[test]
fn also_again_and_again() {
    let site = site().workers(2, 2).start();
    for _ in 0..4 {
        let worker = Watched::new(pid(&site));
        worker.signal(Signal::KILL);
        worker.wait();
        assert_eq!(site.get("/pid").status, 200);
    }
}

/// Only what the dead worker had in hand may fail: at most one request of each client.
#[test]
fn under_load_only_its_own_requests_fail() {
    let site = site().workers(2, 2).start();
    let load = Load::start(site.address(), "/pid", 8);
    load.wait_for(200);
    Watched::new(pid(&site)).signal(Signal::KILL);
    load.wait_for(500);
    let (done, failures) = load.finish();
    assert!(
        failures.len() <= 8,
        "{} failures in {done} requests: {failures:#?}",
        failures.len()
    );
}

#[test]
fn a_worker_that_exits_by_itself_is_replaced() {
    let site = crate::support::site::Site::app("raises").bare().start();
    for _ in 0..3 {
        let mut client = site.address().connect();
        client.send_get("/leaves");
        assert!(client.is_closed());
    }
    assert_eq!(site.get("/good").text(), "good");
}

#[test]
fn a_worker_that_is_told_to_end_finishes_and_is_replaced() {
    let site = site().start();
    let first = site.child_named("hostler-worker");
    let worker = Watched::new(first);
    let held = Held::begin(&site);
    worker.signal(Signal::TERM);
    assert_eq!(held.end()["pid"], first);
    worker.wait();
    assert_ne!(pid(&site), first);
}

/// A terminal sends them to every process of a foreground job; only the supervisor decides what they mean.
#[test]
fn workers_and_zygote_ignore_what_is_for_the_supervisor() {
    let site = site().start();
    let worker = pid(&site);
    for signal in [Signal::INT, Signal::HUP] {
        Watched::new(worker).signal(signal);
        Watched::new(site.child_named("hostler-zygote")).signal(signal);
    }
    assert_eq!(pid(&site), worker);
    Watched::new(worker).signal(Signal::KILL);
    assert_ne!(
        pid(&site),
        worker,
        "the zygote is still there to fork another one"
    );
}

#[test]
fn a_killed_zygote_takes_nobody_along_and_is_replaced() {
    let site = site().start();
    let worker = pid(&site);
    let zygote = Watched::new(site.child_named("hostler-zygote"));
    zygote.signal(Signal::KILL);
    zygote.wait();
    assert_eq!(pid(&site), worker);
    Watched::new(worker).signal(Signal::KILL);
    assert_ne!(pid(&site), worker);
}
