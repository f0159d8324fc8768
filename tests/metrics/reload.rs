//! What becomes of the address and of what was counted: at the start, at reloads, when workers die.

use std::{net::TcpListener, path::Path};

use rustix::process::Signal;

use super::{FREE, metrics_address, nth_metrics_address, site, value, value_at};
use crate::support::{
    address::Address,
    process::Watched,
    site::{Running, Site},
};

fn at(address: &str) -> String {
    format!("address = \"{address}\"")
}

fn reload(site: &Running) {
    let output = site.control(&["reload"]);
    assert!(
        output.status.success(),
        "{output:?}\n{}",
        site.process.output()
    );
}

/// A site whose metrics stay at one address over reloads.
fn at_path(directory: &Path) -> (Address, Site) {
    let path = directory.join("metrics.sock");
    let address = Address(path.to_str().unwrap().to_owned());
    let site = site("metrics", &at(&address.0)).workers(1, 1);
    (address, site)
}

#[test]
fn counters_go_on_over_reloads_and_deaths() {
    let directory = tempfile::tempdir().unwrap();
    let (address, described) = at_path(directory.path());
    let site = described.start();
    let requests = "hostler_requests_total{mount=\"/\",class=\"2xx\"}";
    let count = |expected: f64| {
        site.get("/");
        site.wait_until("it is counted", || value_at(&address, requests) == expected);
    };
    count(1.0);
    reload(&site);
    count(2.0);
    let killed = Watched::new(site.child_named("hostler-worker"));
    killed.signal(Signal::KILL);
    killed.wait();
    count(3.0);
    let latency = "hostler_request_duration_seconds_count";
    assert_eq!(value_at(&address, latency), 3.0);
    assert_eq!(
        value_at(&address, "hostler_reloads_total{outcome=\"done\"}"),
        1.0
    );
    assert_eq!(value_at(&address, "hostler_generation"), 2.0);
}

#[test]
fn a_failed_reload_is_counted_and_the_address_stays() {
    let site = site("metrics", FREE).start();
    site.rewrite(&super::site("broken", &at("@hostler-test-metrics-broken")));
    assert!(!site.control(&["reload"]).status.success());
    assert_eq!(
        value(&site, "hostler_reloads_total{outcome=\"failed\"}"),
        1.0
    );
    assert_eq!(value(&site, "hostler_ready"), 1.0);
}

#[test]
fn the_old_address_closes_when_the_new_one_serves() {
    let site = site("metrics", FREE).start();
    let old = metrics_address(&site);
    site.rewrite(&super::site("metrics", &at("@hostler-test-metrics")));
    reload(&site);
    let new = nth_metrics_address(&site.process, 2);
    assert_eq!(new.get("/healthz").status, 200);
    assert!(old.try_connect().is_err());
}

#[test]
fn the_page_can_come_and_go() {
    let directory = tempfile::tempdir().unwrap();
    let (address, described) = at_path(directory.path());
    let site = described.start();
    assert_eq!(address.get("/").status, 404);
    site.rewrite(&super::site(
        "metrics",
        &format!("{}\npage = true", at(&address.0)),
    ));
    reload(&site);
    assert_eq!(address.get("/").status, 200);
}

#[test]
fn an_address_in_use_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (mut process, _directory) = site("metrics", &at(&address)).launch();
    assert!(!process.wait().success());
    let said = process.output();
    for text in ["[metrics]", "write another address", &address, "in use"] {
        assert!(said.contains(text), "{text:?} in {said}");
    }
}
