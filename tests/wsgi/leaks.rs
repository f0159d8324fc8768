//! Nothing stays behind after a request, whichever way it was served: the worker's own counts, before and after.

use serde_json::Value;

use crate::support::{
    client::request,
    site::{Running, Site},
};

/// Enough that one object a request stands out from what an interpreter does now and then.
const REQUESTS: usize = 300;

fn ask(site: &Running, path: &str, times: usize) {
    for _ in 0..times {
        let mut client = site.address().connect();
        let headers = [("X-Some-Name", "value"), ("Connection", "close")];
        client.send(&request("POST", path, &headers, b"one\ntwo\n"));
        assert!(!client.rest().is_empty());
    }
}

fn count(site: &Running) -> Value {
    site.get("/count").json()
}

/// Caches of the interpreter fill in bursts, those for tracebacks above all, and come to an end. What leaks does not:
/// it shows in every window.
fn check(path: &str) {
    const WINDOWS: usize = 6;
    let site = Site::app("leaks").start();
    ask(&site, path, REQUESTS);
    count(&site);
    let mut before = count(&site);
    let mut grown = Vec::new();
    for _ in 0..WINDOWS {
        ask(&site, path, REQUESTS);
        let after = count(&site);
        grown = changes(&before, &after);
        if grown.is_empty() {
            return;
        }
        before = after;
    }
    panic!("{path}: {grown:?} in each {REQUESTS} requests");
}

/// The counts that have changed by as much as the requests would explain.
fn changes(before: &Value, after: &Value) -> Vec<(String, i64)> {
    let change = |name: &str| after[name].as_i64().unwrap() - before[name].as_i64().unwrap();
    let all = before.as_object().unwrap().keys();
    all.map(|name| (name.clone(), change(name)))
        .filter(|(_, change)| change.unsigned_abs() >= REQUESTS as u64 / 3)
        .collect()
}

#[test]
fn of_whole_answers() {
    check("/one");
    check("/several");
    check("/large");
}

#[test]
fn of_streams() {
    check("/generator");
    check("/write");
    check("/file");
}

#[test]
fn of_request_bodies() {
    check("/read");
    check("/lines");
}

#[test]
fn of_an_environ_that_holds_itself() {
    check("/kept");
}

#[test]
fn of_errors() {
    check("/replaced");
    check("/refused");
    check("/raises");
    check("/breaks");
}
