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

fn check(path: &str) {
    let site = Site::app("leaks").start();
    // As many beforehand: caches of the interpreter fill slowly, those for tracebacks above all.
    ask(&site, path, REQUESTS);
    count(&site);
    let before = count(&site);
    ask(&site, path, REQUESTS);
    let after = count(&site);
    for (name, count) in before.as_object().unwrap() {
        let grown = after[name].as_i64().unwrap() - count.as_i64().unwrap();
        assert!(
            grown.unsigned_abs() < REQUESTS as u64 / 3,
            "{path}: {name} changed by {grown} in {REQUESTS} requests"
        );
    }
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
