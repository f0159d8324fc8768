//! A site that has nothing to do takes no time, and is awake when it has.

use std::{fs, time::Duration};

use crate::support::{
    PATIENCE,
    client::{Client, request},
    site::{Running, Site},
};

/// Connections that are kept. More than all threads together have, and fewer than the usual limit of descriptors, since
/// both ends of them are ours.
const KEPT: usize = 300;

fn site() -> Site {
    Site::app("process")
        .bare()
        .workers(2, 4)
        .setting("http", "keep-alive = \"1h\"")
}

/// How often the threads of all processes of the site have begun or ended to run.
fn switches(site: &Running) -> u64 {
    let supervisor = u64::from(site.process.pid());
    let processes = site.children().into_iter().chain([supervisor]);
    let threads = processes.flat_map(|pid| {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap())
    });
    threads.map(|status| switches_of(&status)).sum()
}

fn switches_of(status: &str) -> u64 {
    let lines = status.lines();
    let counts = lines.filter_map(|line| line.split_once("_switches:"));
    counts
        .map(|(_, count)| count.trim().parse::<u64>().unwrap())
        .sum()
}

/// A connection on which one request was answered.
fn kept(site: &Running) -> Client {
    let mut client = site.address().connect();
    client.send_get("/");
    assert_eq!(client.answer().status, 200);
    client
}

/// Waits until no process of the site has run for some seconds, longer than anything that it does again and again.
fn wait_for_rest(site: &Running, client: &mut Client) {
    const LONG: Duration = Duration::from_secs(3);
    let most = PATIENCE.as_secs() / LONG.as_secs();
    let rested = (0..most).any(|_| {
        let before = switches(site);
        assert!(client.stays_quiet(LONG));
        switches(site) == before
    });
    assert!(rested, "it never rests");
}

/// With many connections that ask for nothing the site rests, and answers when they do.
fn check_rests(site: &Site) {
    let site = site.start();
    let mut clients: Vec<_> = (0..KEPT).map(|_| kept(&site)).collect();
    wait_for_rest(&site, &mut clients[0]);
    for client in &mut clients {
        client.send_get("/");
        assert_eq!(client.answer().status, 200);
    }
    wait_for_rest(&site, &mut clients[0]);
}

#[test]
fn nobody_runs_while_there_is_nothing_to_do() {
    check_rests(&site());
}

#[test]
fn nor_because_somebody_may_want_to_know_that() {
    let address = "address = \"127.0.0.1:0\"";
    check_rests(
        &site()
            .setting("metrics", address)
            .setting("stats", address)
            .setting("limits", "harakiri = \"30s\""),
    );
}

/// Pieces that come quickly are kept for moments, by a thread that has nothing to do afterwards.
#[test]
fn nor_after_answers_that_came_in_pieces() {
    let site = Site::app("chunks")
        .bare()
        .workers(1, 1)
        .setting("http", "keep-alive = \"1h\"")
        .start();
    let mut client = site.address().connect();
    for _ in 0..50 {
        client.send(&request("POST", "/quick", &[], b"ok"));
        assert_eq!(client.answer().text(), "0,1,2,3,4,5,6,7,8,9,ok");
    }
    wait_for_rest(&site, &mut client);
}

#[test]
fn a_request_past_its_deadline_is_found_after_a_rest() {
    let site = Site::app("late")
        .bare()
        .workers(1, 1)
        .setting("limits", "harakiri = \"300ms\"")
        .start();
    let mut client = kept_late(&site);
    wait_for_rest(&site, &mut client);
    client.send_get("/sleep");
    assert_eq!(client.answer().status, 504);
}

fn kept_late(site: &Running) -> Client {
    let mut client = site.address().connect();
    client.send_get("/pid");
    assert_eq!(client.answer().status, 200);
    client
}
