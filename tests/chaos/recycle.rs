//! Workers that are replaced while they are well: not one request is lost, no fewer serve, one changes at a time.

use std::time::Duration;

use serde_json::json;

use crate::support::{client::request, process::Watched};

use super::{
    Chaos, RATE,
    control::{Census, ask, reload, serving, status},
    traffic::Traffic,
};

const PROCESSES: usize = 3;

/// Workers are replaced for `reason`, so many times, while `traffic` goes on.
fn check(chaos: &Chaos, traffic: Traffic, reason: &str, times: usize) {
    let census = Census::start(chaos.directory());
    chaos.wait_for_nth(reason, times);
    traffic.wait_for(50);
    let counts = census.finish();
    assert!(counts.fewest_serving >= PROCESSES, "{counts:?}");
    // One that goes and its successor; never a second one.
    assert!(counts.most <= PROCESSES + 1, "{counts:?}");
    let account = traffic.finish();
    account.check_spotless(&chaos.ledger);
    assert!(
        account.by_worker().len() >= times,
        "workers that served nobody were replaced"
    );
}

#[test]
fn fifty_requests_each_for_ten_thousand() {
    let chaos = Chaos::start(|site| {
        site.setting(
            "workers",
            "processes = 4\nthreads = 1\nmax-requests = 50\nmax-requests-delta = 10",
        )
    });
    let (traffic, census) = (
        Traffic::start(chaos.site.address(), 2000),
        Census::start(chaos.directory()),
    );
    traffic.wait_for(10_000);
    let counts = census.finish();
    assert!(counts.fewest_serving >= 4 && counts.most <= 5, "{counts:?}");
    let account = traffic.finish();
    account.check_spotless(&chaos.ledger);
    let by_worker = account.by_worker();
    let early = by_worker.values().filter(|&&count| count < 50).count();
    // Those that serve now, and one that is on its way.
    assert!(early <= 5, "replaced before their time: {by_worker:?}");
    assert!(by_worker.len() > 20, "{by_worker:?}");
}

#[test]
fn a_second_each() {
    let chaos = Chaos::start(|site| {
        site.setting(
            "workers",
            "processes = 3\nthreads = 2\nmax-worker-lifetime = \"1s\"\nmax-worker-lifetime-delta = \"500ms\"",
        )
    });
    let traffic = chaos.traffic();
    check(&chaos, traffic, "workers.max-worker-lifetime", 6);
}

#[test]
fn a_view_that_leaks() {
    let chaos = Chaos::start(|site| site.workers(3, 2));
    let weight = |worker: &serde_json::Value| worker["rss"].as_u64().unwrap();
    let heaviest = status(chaos.directory())["workers"]
        .as_array()
        .unwrap()
        .iter()
        .map(weight)
        .max();
    let limit = heaviest.unwrap() + (24 << 20);
    chaos.site.rewrite(&chaos.ledger.site().setting(
        "workers",
        &format!("processes = 3\nthreads = 2\nreload-on-rss = {limit}"),
    ));
    assert!(reload(chaos.directory())["reloaded"].is_object());
    let traffic = Traffic::to(chaos.site.address(), RATE, &["/echo", "/leak"]);
    check(&chaos, traffic, "workers.reload-on-rss", 4);
}

#[test]
fn as_asked_again_and_again() {
    let chaos = Chaos::start(|site| site.workers(3, 2));
    let traffic = chaos.traffic();
    for nth in 0..9 {
        let worker = status(chaos.directory())["workers"][nth % 3]["worker"].clone();
        assert_eq!(
            ask(chaos.directory(), &json!({"recycle": {"worker": worker}})),
            "accepted"
        );
        traffic.wait_for(20);
    }
    check(&chaos, traffic, "a worker is replaced as asked", 6);
}

/// The next answer of a retiring worker tells that it is the last one.
#[test]
fn a_kept_connection_is_told_of_the_end() {
    let chaos = Chaos::start(|site| site.workers(1, 2));
    let traffic = chaos.traffic();
    for round in 0..5 {
        let old = Watched::new(u64::from(serving(chaos.directory())[0]));
        let held = chaos.hold(&traffic, &format!("fifo-{round}"));
        let mut kept = chaos.site.address().connect();
        let number = |nth: u64| format!("/echo?{}", (1 << 40) + round * 10 + nth);
        kept.send(&request("GET", &number(1), &[], b""));
        assert_eq!(kept.answer().header("Connection"), None);
        ask(
            chaos.directory(),
            &json!({"recycle": {"worker": status(chaos.directory())["workers"][0]["worker"]}}),
        );
        chaos.wait_for_nth("a worker is replaced as asked", round as usize + 1);
        // The worker drains now, or will before it has answered this.
        chaos.site.wait_until("that it drains", || {
            !serving(chaos.directory()).contains(&held.worker)
        });
        kept.send(&request("GET", &number(2), &[], b""));
        let answer = kept.answer();
        assert_eq!(
            (answer.status, answer.header("Connection")),
            (200, Some("close"))
        );
        assert!(kept.is_closed());
        held.release();
        old.wait();
    }
    traffic.finish().check_spotless(&chaos.ledger);
}

/// A client that asks nothing is left alone for a moment, in which it may still ask.
#[test]
fn a_quiet_connection_may_still_bring_its_request() {
    let chaos = Chaos::start(|site| site.workers(1, 1));
    let mut kept = chaos.site.address().connect();
    kept.send_get("/echo?1");
    assert_eq!(kept.answer().status, 200);
    ask(chaos.directory(), &json!({"recycle": {"worker": 0}}));
    chaos.wait_for_nth("a worker is replaced as asked", 1);
    assert!(kept.stays_quiet(Duration::from_millis(300)));
    kept.send_get("/echo?2");
    let answer = kept.answer();
    assert_eq!(
        (answer.status, answer.header("Connection")),
        (200, Some("close"))
    );
}
