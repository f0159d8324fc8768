//! `limits.limit-as`: what is too much is refused, the client gets an answer, and the worker a successor.

use crate::support::{
    client::request,
    site::{Running, Site},
};

fn site() -> Site {
    Site::app("memory")
        .bare()
        .setting("limits", "limit-as = \"1G\"")
}

fn pid(site: &Running) -> u64 {
    site.get("/pid").json().as_u64().unwrap()
}

/// The client gets 500 for `target`, and the worker is replaced.
fn check_replaced(target: &str) {
    check_replaced_after(&request("GET", target, &[], b""));
}

fn check_replaced_after(request: &[u8]) {
    let site = site().start();
    let first = pid(&site);
    let mut client = site.address().connect();
    client.send(request);
    assert_eq!(client.answer().status, 500);
    site.process
        .wait_for_text("memory has run out (limits.limit-as)");
    site.wait_until("another worker", || pid(&site) != first);
    assert!(
        !site.process.output().contains("SIGABRT"),
        "{}",
        site.process.output()
    );
}

#[test]
fn too_much_at_once() {
    check_replaced("/at-once");
}

#[test]
fn too_much_piece_by_piece() {
    check_replaced("/piece-by-piece");
}

#[test]
fn too_much_for_an_application_that_makes_its_own_answer() {
    check_replaced("/caught");
}

/// It is more than what the server itself may have beyond the limit, too.
#[test]
fn too_much_of_a_body() {
    check_replaced_after(&request("POST", "/body", &[], &vec![b'x'; 65 << 20]));
}

#[test]
fn the_traceback_is_in_the_log() {
    let site = site().start();
    assert_eq!(site.get("/at-once").status, 500);
    site.process.wait_for_text("in at_once");
    site.process.wait_for_text("MemoryError");
}

#[test]
fn the_limit_is_that_of_the_worker() {
    let site = site().start();
    assert_eq!(
        site.get("/limits").json()["as"],
        serde_json::json!([1 << 30, (1 << 30) + (64 << 20)])
    );
}
