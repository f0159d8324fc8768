//! The life of workers with greenlets: start, reload, recycling, stop, and starts that fail.

use rustix::process::Signal;

use super::{bare_site, begin, check_meet, site, sites};
use crate::support::{load::Load, root, site::Site};

const GEVENT: &str = "loop = \"gevent\"";

#[test]
fn without_gevent_the_start_says_what_to_install() {
    let (mut process, _directory) = Site::app("echo").setting("workers", GEVENT).launch();
    let python = root().join("target/venv/test/bin/python");
    process.wait_for_text(&format!("{} -m pip install gevent", python.display()));
    assert_eq!(process.wait().code(), Some(1));
}

#[test]
fn a_reload_loses_nothing() {
    let site = sites(2, 10).start();
    let load = Load::start(site.address(), "/meet?1", 8);
    for _ in 0..3 {
        load.wait_for(50);
        let output = site.control(&["reload"]);
        assert!(output.status.success(), "{output:?}");
    }
    load.wait_for(50);
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "of {done}: {failures:#?}");
}

#[test]
fn a_stop_lets_requests_finish() {
    let mut site = site(10).start();
    let gate = site.directory.path().join("gate");
    let target = format!("/wait?{}", gate.display());
    let mut held: Vec<_> = (0..5).map(|_| begin(&site, &target)).collect();
    site.process.wait_for_nth("that they wait", 5, |line| {
        line.contains("waiting").then_some(())
    });
    site.process.signal(Signal::TERM);
    site.process.wait_for_text("stopping");
    std::fs::write(&gate, "").unwrap();
    for client in &mut held {
        assert_eq!(client.answer().status, 200);
    }
    assert_eq!(site.process.wait().code(), Some(0));
}

#[test]
fn workers_are_recycled() {
    let lines = format!("processes = 2\n{GEVENT}\nconcurrency = 20\nmax-requests = 50");
    let site = bare_site().setting("workers", &lines).start();
    let load = Load::start(site.address(), "/meet?1", 6);
    let reason = "it has reached workers.max-requests";
    site.process
        .wait_for_nth(reason, 4, |line| line.contains(reason).then_some(()));
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "of {done}: {failures:#?}");
}

#[test]
fn each_worker_may_import_for_itself() {
    let site = site(8).app_setting("lazy-apps = true").start();
    check_meet(&site, 8, 0);
}

/// A name that is looked up while the application is imported starts a thread of gevent's, which no fork would copy.
#[test]
fn gevent_may_have_been_used_before_the_fork() {
    let site = site(8)
        .env("TEST_RESOLVE", "yes")
        .env("TEST_EARLY", "yes")
        .start();
    site.process.wait_for_text("begun before the fork");
    assert_eq!(site.get("/resolve").status, 200);
    check_meet(&site, 8, 0);
}

#[test]
fn a_greenlet_that_ends_the_program_ends_its_worker_in_order() {
    let site = site(8).start();
    let before = site.get("/pid").text();
    assert_eq!(site.get("/end").text(), "\"answered\"");
    site.process
        .wait_for_text("a greenlet of the application ended the program");
    site.wait_until("that another worker answers", || {
        let mut client = site.address().connect();
        client.send_get("/pid");
        client
            .try_answer()
            .is_ok_and(|answer| answer.text() != before)
    });
}

#[test]
fn a_supervisor_that_is_killed_leaves_no_worker() {
    let mut site = site(8).start();
    let worker = site.get("/pid").json().as_u64().unwrap();
    let worker = crate::support::process::Watched::new(worker);
    site.process.signal(Signal::KILL);
    worker.wait();
    site.process.wait();
}
