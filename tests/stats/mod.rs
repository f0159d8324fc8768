//! `[stats]`: the document over TCP and Unix sockets, raw and over HTTP; counters, reloads, and clients of every kind.
//!
//! `original`: the same fields as uWSGI's own stats server; `readers`: programs made for uWSGI; `reload`: what becomes of
//! the address.

mod original;
mod readers;
mod reload;

use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::Signal,
};
use serde_json::Value;

use crate::{
    process::Held,
    support::{
        address::Address,
        process::{Process, Watched},
        root,
        site::{Running, Site},
    },
};

/// A site with that line in `[stats]`, bare so that nothing is added to what it answers.
fn site(app: &str, stats: &str) -> Site {
    Site::app(app).bare().setting("stats", stats)
}

const FREE: &str = "address = \"127.0.0.1:0\"";

/// The `nth` address that the log tells, counted from 1.
fn nth_stats_address(process: &Process, nth: usize) -> Address {
    process.wait_for_nth("where stats are given out", nth, |line| {
        let (_, fields) = line.split_once("stats are given out")?;
        let (_, address) = fields.split_once("address=")?;
        let address = address.split_whitespace().next()?;
        Some(Address(address.trim_matches('"').to_owned()))
    })
}

pub(crate) fn stats_address(site: &Running) -> Address {
    nth_stats_address(&site.process, 1)
}

/// Connects, says nothing, and reads to the end.
fn stats_at(address: &Address) -> Value {
    serde_json::from_slice(&address.connect().rest()).unwrap()
}

fn stats(site: &Running) -> Value {
    stats_at(&stats_address(site))
}

fn worker(site: &Running) -> Value {
    stats(site)["workers"][0].clone()
}

#[test]
fn the_document_comes_to_whoever_connects() {
    let site = site("process", FREE).workers(2, 3).start();
    let stats = stats(&site);
    assert_eq!(stats["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(stats["pid"], site.process.pid());
    assert_eq!(stats["cwd"], root().join("tests/apps").to_str().unwrap());
    assert_eq!(stats["sockets"][0]["name"], site.address().0.as_str());
    assert_eq!(stats["sockets"][0]["proto"], "http");
    assert!(stats["sockets"][0]["max_queue"].as_u64() > Some(0));
    assert_eq!(stats["workers"].as_array().unwrap().len(), 2);
    assert_eq!(stats["workers"][1]["cores"].as_array().unwrap().len(), 3);
    let worker = &stats["workers"][0];
    assert_eq!(
        (&worker["status"], &worker["accepting"]),
        (&"idle".into(), &1.into())
    );
    assert!(
        worker["rss"].as_u64() > Some(1 << 20) && worker["vsz"].as_u64() > worker["rss"].as_u64()
    );
    assert!(worker["last_spawn"].as_u64() > Some(1_600_000_000));
}

#[test]
fn requests_bytes_and_exceptions_are_counted() {
    let site = site("raises", FREE).workers(1, 1).start();
    assert_eq!(site.get("/good").status, 200);
    assert_eq!(site.get("/early").status, 500);
    site.wait_until("both are counted", || worker(&site)["requests"] == 2);
    let worker = worker(&site);
    assert_eq!(
        (&worker["exceptions"], &worker["apps"][0]["requests"]),
        (&1.into(), &2.into())
    );
    assert!(worker["tx"].as_u64() > Some(100));
    let (running, average) = (worker["running_time"].as_u64(), worker["avg_rt"].as_u64());
    assert_eq!(running.map(|time| time / 2), average);
}

#[test]
fn over_http_it_is_an_answer() {
    let site = site("process", &format!("{FREE}\nhttp = true")).start();
    let mut client = stats_address(&site).connect();
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let text = String::from_utf8(client.rest()).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(
        head,
        "HTTP/1.0 200 OK\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\nContent-Type: application/json"
    );
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["pid"], site.process.pid());
}

#[test]
fn over_http_nothing_comes_to_who_asks_nothing() {
    let site = site("process", &format!("{FREE}\nhttp = true")).start();
    let address = stats_address(&site);
    let mut silent = address.connect();
    let mut endless = address.connect();
    endless.send(&[b'a'; 9 << 10]);
    assert!(endless.rest().is_empty());
    assert!(silent.rest().is_empty());
}

#[test]
fn the_running_request_is_shown() {
    let site = site("process", FREE).workers(1, 2).start();
    let held = Held::begin(&site);
    let shown = worker(&site);
    assert_eq!(shown["status"], "busy");
    let cores = shown["cores"].as_array().unwrap();
    let busy: Vec<&Value> = cores
        .iter()
        .filter(|core| core["in_request"] == 1)
        .collect();
    let [busy] = busy[..] else {
        panic!("{cores:?}")
    };
    let uri = format!("REQUEST_URI={}", held.target());
    let vars = busy["vars"].as_array().unwrap();
    assert!(
        vars.contains(&uri.into()) && vars.contains(&"REMOTE_ADDR=127.0.0.1".into()),
        "{vars:?}"
    );
    assert_eq!(
        (&vars[0], vars.last()),
        (&"REQUEST_METHOD=GET".into(), Some(&"".into()))
    );
    assert!(busy["req_info"]["request_start"].as_u64() >= shown["last_spawn"].as_u64());
    held.end();
    site.wait_until("it is idle", || worker(&site)["status"] == "idle");
}

#[test]
fn a_killed_worker_leaves_its_counters() {
    let site = site("process", FREE).workers(1, 1).start();
    site.get("/pid");
    site.wait_until("it is counted", || worker(&site)["requests"] == 1);
    let before = worker(&site);
    assert_eq!(before["respawn_count"], 1);
    let killed = Watched::new(before["pid"].as_u64().unwrap());
    killed.signal(Signal::KILL);
    killed.wait();
    let places = || stats(&site)["workers"].as_array().unwrap().clone();
    let sum = |key: &str| -> u64 { places().iter().map(|one| one[key].as_u64().unwrap()).sum() };
    site.wait_until("there is another", || {
        sum("respawn_count") == 2 && places().iter().any(|one| one["status"] == "idle")
    });
    site.get("/pid");
    site.wait_until("both are counted", || sum("requests") == 2);
}

#[test]
fn a_request_past_its_deadline_is_counted() {
    let site = site("process", FREE)
        .workers(1, 1)
        .setting("limits", "harakiri = \"1s\"")
        .start();
    let fifo = site.directory.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut client = site.address().connect();
    client.send_get(&format!("/wait?{}", fifo.display()));
    site.wait_until("it is counted", || worker(&site)["harakiri_count"] == 1);
    assert_eq!(client.answer().status, 504);
}

#[test]
fn files_are_counted_apart() {
    let served = root().join("tests/apps/process");
    let site = site("process", FREE)
        .workers(1, 1)
        .setting("static", &format!("map = {{ \"/files\" = {served:?} }}"))
        .start();
    assert_eq!(site.get("/files/app.py").status, 200);
    let files = || -> u64 {
        let worker = worker(&site);
        let cores = worker["cores"].as_array().unwrap().clone();
        cores
            .iter()
            .map(|core| core["static_requests"].as_u64().unwrap())
            .sum()
    };
    site.wait_until("it is counted", || files() == 1);
    site.wait_until("it is a request", || worker(&site)["requests"] == 1);
    assert_eq!(worker(&site)["apps"][0]["requests"], 0);
}

#[test]
fn clients_that_do_nothing_hold_nobody() {
    let site = site("process", FREE).workers(1, 1).start();
    let address = stats_address(&site);
    let idle: Vec<_> = (0..200).map(|_| address.connect()).collect();
    assert_eq!(stats_at(&address)["pid"], site.process.pid());
    assert_eq!(site.get("/pid").status, 200);
    for mut client in idle {
        let stats: Value = serde_json::from_slice(&client.rest()).unwrap();
        assert_eq!(stats["pid"], site.process.pid());
    }
}

#[test]
fn clients_that_ask_for_nothing_over_http_hold_others_for_a_while_only() {
    let site = site("process", &format!("{FREE}\nhttp = true")).start();
    let address = stats_address(&site);
    let silent: Vec<_> = (0..64).map(|_| address.connect()).collect();
    assert_eq!(address.get("/").json()["pid"], site.process.pid());
    drop(silent);
}

#[test]
fn without_the_section_there_is_nothing() {
    let site = Site::app("process").start();
    assert!(!site.process.output().contains("stats are"));
}
