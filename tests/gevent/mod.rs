//! Requests as greenlets: with gevent from PyPI, in an environment of its own.
//!
//! Most of these wait for each other in one worker, so that whatever keeps the hub from running makes them fail.

mod clients;
mod late;
mod life;
mod logs;

use std::path::PathBuf;

use crate::support::{
    answer::Answer,
    client::Client,
    root,
    site::{Running, Site},
};

/// The virtual environment with gevent, made by `make venvs`.
fn venv() -> PathBuf {
    let venv = root().join("target/venv/gevent");
    assert!(
        venv.join("done").exists(),
        "{} is missing or half made: run `make venvs` first",
        venv.display()
    );
    venv
}

fn bare_site() -> Site {
    Site::app("green")
        .bare()
        .env("TEST_STDLIB_ONLY", "yes")
        .virtualenv(Some(&venv()))
}

/// One worker, with so many requests at a time.
fn site(concurrency: u32) -> Site {
    sites(1, concurrency)
}

fn sites(processes: u32, concurrency: u32) -> Site {
    let lines = format!("processes = {processes}\nloop = \"gevent\"\nconcurrency = {concurrency}");
    bare_site().setting("workers", &lines)
}

/// Begins a request on a connection of its own.
fn begin(site: &Running, target: &str) -> Client {
    let mut client = site.address().connect();
    client.send_get(target);
    client
}

/// Begins so many, and gives all answers.
fn at_once(site: &Running, target: &str, count: usize) -> Vec<Answer> {
    let mut clients: Vec<Client> = (0..count).map(|_| begin(site, target)).collect();
    clients.iter_mut().map(Client::answer).collect()
}

/// So many, and those that are there already, are there at the same time.
#[track_caller]
fn check_meet(site: &Running, count: usize, already: usize) {
    let all = count + already;
    check_met(&at_once(site, &format!("/meet?{all}"), count), all);
}

#[track_caller]
fn check_met(answers: &[Answer], all: usize) {
    for answer in answers {
        assert_eq!((answer.status, answer.text()), (200, all.to_string()));
    }
}

#[test]
fn fifty_requests_wait_at_once_in_one_worker() {
    let site = site(50).start();
    check_meet(&site, 50, 0);
}

#[test]
fn no_more_than_allowed_run_at_once_and_the_others_wait() {
    let site = site(3).start();
    let gate = site.directory.path().join("gate");
    let target = format!("/wait?{}", gate.display());
    let mut held: Vec<Client> = (0..3).map(|_| begin(&site, &target)).collect();
    site.process.wait_for_nth("that they wait", 3, |line| {
        line.contains("waiting").then_some(())
    });
    let mut more: Vec<Client> = (0..5).map(|_| begin(&site, "/meet?3")).collect();
    std::fs::write(&gate, "").unwrap();
    for client in &mut held {
        assert_eq!(client.answer().json()[1], 3);
    }
    for client in &mut more {
        assert_eq!(client.answer().text(), "3");
    }
}

/// Beside a worker that has no lane left another one accepts.
#[test]
fn a_worker_that_is_full_leaves_connections_to_others() {
    let site = sites(2, 1).start();
    let gate = site.directory.path().join("gate");
    let mut held = begin(&site, &format!("/wait?{}", gate.display()));
    site.process.wait_for_text("waiting");
    for _ in 0..20 {
        assert_eq!(site.get("/pid").status, 200);
    }
    std::fs::write(&gate, "").unwrap();
    assert_eq!(held.answer().status, 200);
}

#[test]
fn what_is_asked_of_another_server_lets_others_run() {
    let other = site(50).start();
    let asked = site(50).start();
    for (path, count) in [("/fetch", 8), ("/fetch-by-requests", 16)] {
        let target = format!("{path}?http://{}/meet?{count}", other.address().0);
        check_met(&at_once(&asked, &target, count), count);
    }
}

#[test]
fn connections_are_kept_and_requests_come_in_heaps() {
    let site = site(4).start();
    let mut client = site.address().connect();
    for _ in 0..10 {
        client.send_get("/context");
        let answer = client.answer().json();
        assert_eq!(answer, serde_json::json!([0, 0, "Greenlet", true]));
    }
    (0..100).for_each(|_| client.send_get("/context"));
    for _ in 0..100 {
        assert_eq!(client.answer().json()[0], 0);
    }
}

#[test]
fn what_two_requests_say_is_not_mixed() {
    let site = site(4).start();
    let mut both = [begin(&site, "/speak?one"), begin(&site, "/speak?two")];
    let names = both.each_mut().map(|client| client.answer().text());
    assert_ne!(names[0], names[1]);
    site.process.wait_for_text("stdout: one one");
    site.process.wait_for_text("stdout: two two");
}

#[test]
fn answers_of_every_kind() {
    let site = site(4).start();
    let app = std::fs::read_to_string(root().join("tests/apps/green/app.py")).unwrap();
    assert_eq!(site.get("/written").text(), "0\n1\n2\n3\n4\n");
    assert!(site.get("/wrapped").text() == app);
    assert_eq!(site.get("/streamed").text().len(), 300_000);
    assert_eq!(site.get("/no-such-view").status, 500);
    assert_eq!(site.get("/resolve").status, 200);
}

#[test]
fn commands_are_run_beside_each_other() {
    let site = site(8).start();
    for answer in at_once(&site, "/command?8", 8) {
        assert_eq!(answer.text(), "\"done\\n\"");
    }
}

/// The children's end is noticed, and none of them takes what is their parent's.
#[test]
fn applications_may_fork() {
    let site = site(8).start();
    for answer in at_once(&site, "/fork", 4) {
        assert_eq!(answer.text(), "7");
    }
    check_meet(&site, 8, 0);
}
