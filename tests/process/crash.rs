//! Workers that die are replaced at once; nobody notices but their own clients.

use rustix::process::Signal;

use crate::support::{load::Load, process::Watched};

use super::{pid, site};

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
