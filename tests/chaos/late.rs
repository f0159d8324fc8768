//! Harakiri under load: the late request is told so, the others of its worker finish, and nobody else notices.

use std::time::Instant;

use crate::support::{process::Watched, site::Site};

use super::{
    Chaos,
    account::{Death, Outcome},
};

fn settings(graceful: &'static str) -> impl FnOnce(Site) -> Site {
    move |site| {
        site.workers(2, 4).setting(
            "limits",
            &format!("harakiri = \"2s\"\nharakiri-graceful = \"{graceful}\""),
        )
    }
}

/// A request for `path` is the only one that is lost, each of the times; another that is held beside it ends well.
fn check_costs_one(path: &str) {
    let chaos = Chaos::start(settings("30s"));
    let traffic = chaos.traffic();
    traffic.wait_for(50);
    for round in 1..=2 {
        let late = traffic.ask(path, "");
        let worker = Watched::new(u64::from(chaos.ledger.wait_for(late.number)));
        traffic.wait_for(50);
        assert_eq!(late.outcome(), Outcome::Refused(504));
        worker.wait();
        chaos.wait_for_nth("harakiri: the request came to an end", round);
    }
    traffic.wait_for(100);
    traffic.finish().check_spotless(&chaos.ledger);
    assert_eq!(chaos.count("harakiri: a request is past its deadline"), 2);
    assert_eq!(chaos.count("SIGKILL"), 0);
}

#[test]
fn a_loop_in_python() {
    check_costs_one("/loop");
}

#[test]
fn a_sleep() {
    check_costs_one("/sleep");
}

/// Whoever waits for the lock that the C code holds is late, too, or goes on when a signal has ended the call.
fn check_costs_its_worker(path: &str, graceful: &'static str) {
    let chaos = Chaos::start(settings(graceful));
    let traffic = chaos.traffic();
    traffic.wait_for(50);
    let from = Instant::now();
    let late = traffic.ask(path, "");
    let worker = chaos.ledger.wait_for(late.number);
    let process = Watched::new(u64::from(worker));
    assert_eq!(late.outcome(), Outcome::Refused(504));
    chaos.wait_for_nth("stacks of a worker's threads", 1);
    process.wait();
    let death = Death {
        worker,
        from,
        to: Some(Instant::now()),
    };
    traffic.wait_for(100);
    let account = traffic.finish();
    let lost = account.check_lost_only_in(&[death], &chaos.ledger);
    // Those that had come to a thread were told; those that had not were closed.
    for record in lost {
        let told = chaos.ledger.read().begun.contains_key(&record.number);
        let closed = matches!(record.outcome, Outcome::Closed(_));
        assert!(
            record.outcome == Outcome::Refused(504) || closed && !told,
            "{record:?}"
        );
    }
}

#[test]
fn a_sleep_in_c_code() {
    check_costs_its_worker("/c-sleep", "30s");
}

#[test]
fn a_sleep_in_c_code_again_and_again() {
    check_costs_its_worker("/c-usleep", "30s");
}

#[test]
fn c_code_that_never_ends() {
    check_costs_its_worker("/c-lock", "500ms");
}
