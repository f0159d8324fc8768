//! The end: which signals, what is finished before, with which exit code.

use rustix::process::Signal;

use crate::support::process::Watched;

use super::{Held, pid, site};

fn check_stops(signal: Signal) {
    let mut site = site().workers(2, 2).start();
    let worker = Watched::new(pid(&site));
    site.process.signal(signal);
    assert_eq!(
        site.process.wait().code(),
        Some(0),
        "{}",
        site.process.output()
    );
    worker.wait();
    assert!(site.address().try_connect().is_err());
}

#[test]
fn sigterm_and_sigint_stop_with_code_0() {
    check_stops(Signal::TERM);
    check_stops(Signal::INT);
}

#[test]
fn running_requests_are_finished() {
    let mut site = site().start();
    let held = Held::begin(&site);
    site.process.signal(Signal::TERM);
    site.process.wait_for_text("stop");
    assert_eq!(held.end()["read"], "done");
    assert_eq!(site.process.wait().code(), Some(0));
}

#[test]
fn requests_that_do_not_end_are_killed_after_reload_mercy() {
    let mut site = site()
        .setting("timeouts", "reload-mercy = \"300ms\"")
        .start();
    let held = Held::begin(&site);
    site.process.signal(Signal::TERM);
    assert_eq!(site.process.wait().code(), Some(0));
    assert_eq!(held.killed().status, 0);
}

#[test]
fn a_second_ctrl_c_does_not_wait() {
    let mut site = site().start();
    let held = Held::begin(&site);
    site.process.signal(Signal::INT);
    site.process.wait_for_text("stopping");
    site.process.signal(Signal::INT);
    assert_eq!(site.process.wait().code(), Some(0));
    assert_eq!(held.killed().status, 0);
}

#[test]
fn an_idle_connection_does_not_delay_the_end() {
    let mut site = site().start();
    let mut client = site.address().connect();
    client.send_get("/pid");
    client.answer();
    site.process.signal(Signal::TERM);
    assert!(client.is_closed());
    assert_eq!(site.process.wait().code(), Some(0));
}

#[test]
fn unix_sockets_are_removed() {
    let mut site = site().listen("http", "./http.sock").start();
    let path = site.address().0.clone();
    site.process.stop();
    assert!(!std::path::Path::new(&path).exists());
}

#[test]
fn workers_do_not_outlive_a_killed_supervisor() {
    let mut site = site().workers(2, 2).start();
    let worker = Watched::new(pid(&site));
    site.process.signal(Signal::KILL);
    site.process.wait();
    worker.wait();
}

/// Nobody is left who could end a request that hangs, and nothing of the site may keep its address.
#[test]
fn a_worker_that_hangs_does_not_outlive_a_killed_supervisor_for_long() {
    let hurried = site()
        .workers(1, 1)
        .setting("timeouts", "reload-mercy = \"500ms\"");
    let mut site = hurried.start();
    let all: Vec<Watched> = site.children().into_iter().map(Watched::new).collect();
    let held = Held::begin(&site);
    site.process.signal(Signal::KILL);
    site.process.wait();
    all.iter().for_each(Watched::wait);
    assert_eq!(held.killed().status, 0);
    assert!(site.address().try_connect().is_err());
}

#[test]
fn a_request_may_be_finished_after_the_supervisor_was_killed() {
    let mut site = site().workers(1, 1).start();
    let worker = Watched::new(pid(&site));
    let held = Held::begin(&site);
    site.process.signal(Signal::KILL);
    site.process.wait_alone();
    assert_eq!(held.end()["read"], "done");
    worker.wait();
}

/// Neither the zygote nor a worker that imports for itself outlives it, although neither of them listens to anybody.
#[test]
fn an_import_that_hangs_does_not_outlive_a_killed_supervisor() {
    let directory = tempfile::tempdir().unwrap();
    let source = "import os, sys, threading\nprint('importing', os.getpid(), file=sys.stderr, flush=True)\nthreading.Event().wait(600)\n";
    std::fs::write(directory.path().join("slow.py"), source).unwrap();
    for lazy in [false, true] {
        let app = format!(
            "module = \"slow\"\nchdir = {:?}\nlazy-apps = {lazy}",
            directory.path()
        );
        let hurried = crate::support::site::Site::new(&app);
        let hurried = hurried.setting("timeouts", "reload-mercy = \"500ms\"");
        let (mut process, _directory) = hurried.launch();
        let imports = process.wait_for("the import", |line| {
            line.split_once("importing ")?.1.trim().parse().ok()
        });
        let imports = Watched::new(imports);
        process.signal(Signal::KILL);
        imports.wait();
        process.wait();
    }
}

#[test]
fn a_stop_during_the_import_is_not_lost() {
    let directory = tempfile::tempdir().unwrap();
    let source = "import sys, threading\nprint('importing', file=sys.stderr, flush=True)\nthreading.Event().wait(600)\n";
    std::fs::write(directory.path().join("slow.py"), source).unwrap();
    let app = format!("module = \"slow\"\nchdir = {:?}", directory.path());
    let (mut process, _directory) = crate::support::site::Site::new(&app).launch();
    process.wait_for_text("importing");
    assert_eq!(process.stop().code(), Some(0));
}
