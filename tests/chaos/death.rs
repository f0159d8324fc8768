//! Processes that are killed or stopped: only what was in a dead worker is lost, and its clients know at once.

use std::time::Instant;

use rustix::process::Signal;
use serde_json::json;

use crate::support::process::Watched;

use super::{
    Chaos,
    account::{Death, Outcome},
    control::{ask, serving, status},
};

/// Workers whose numbers nobody can guess are the best choice, and the same in every run is better still.
const CHOICES: [usize; 8] = [0, 2, 1, 1, 0, 2, 0, 1];

#[test]
fn random_workers_are_killed() {
    let chaos = Chaos::start(|site| site.workers(3, 2));
    let traffic = chaos.traffic();
    let (mut deaths, mut held) = (Vec::new(), Vec::new());
    for (round, choice) in CHOICES.into_iter().enumerate() {
        traffic.wait_for(50);
        chaos
            .site
            .wait_until("all serve", || serving(chaos.directory()).len() == 3);
        // One request that is certainly inside, wherever it is; and then a worker that may be another one.
        let inside = chaos.hold(&traffic, &format!("fifo-{round}"));
        let victims = [inside.worker, serving(chaos.directory())[choice]];
        for worker in victims {
            if deaths.iter().any(|death: &Death| death.worker == worker) {
                continue;
            }
            let process = Watched::new(u64::from(worker));
            let from = Instant::now();
            process.signal(Signal::KILL);
            process.wait();
            deaths.push(Death {
                worker,
                from,
                to: None,
            });
        }
        held.push(inside);
    }
    traffic.wait_for(200);
    let account = traffic.finish();
    let lost = account.check_lost_only_in(&deaths, &chaos.ledger);
    assert!(
        lost.iter()
            .all(|record| matches!(record.outcome, Outcome::Closed(_))),
        "{lost:?}"
    );
    for inside in held {
        assert_eq!(inside.outcome(), Outcome::Closed(String::new()));
    }
    assert_eq!(status(chaos.directory())["counters"]["crash"], deaths.len());
}

#[test]
fn the_zygote_is_killed() {
    let chaos = Chaos::start(|site| site.workers(2, 2));
    let traffic = chaos.traffic();
    for round in 1..=4 {
        traffic.wait_for(50);
        let zygote = Watched::new(status(chaos.directory())["zygote"].as_u64().unwrap());
        if round % 2 == 0 {
            // It dies with a worker to be made.
            ask(
                chaos.directory(),
                &json!({"recycle": {"worker": worker(&chaos)}}),
            );
        }
        zygote.signal(Signal::KILL);
        zygote.wait();
        chaos.wait_for_nth("the zygote is ready", round + 1);
        if round % 2 == 0 {
            // Until then that worker counts as serving, and asking for it again would change nothing.
            chaos.wait_for_nth("a worker is replaced as asked", round / 2);
        }
    }
    // The last one is as good as the first.
    ask(
        chaos.directory(),
        &json!({"recycle": {"worker": worker(&chaos)}}),
    );
    chaos.wait_for_nth("a worker is replaced as asked", 3);
    traffic.wait_for(100);
    traffic.finish().check_spotless(&chaos.ledger);
}

fn worker(chaos: &Chaos) -> u64 {
    let status = status(chaos.directory());
    let mut workers = status["workers"].as_array().unwrap().iter();
    workers.find(|worker| worker["state"] == "serving").unwrap()["worker"]
        .as_u64()
        .unwrap()
}

/// Whoever is in it waits, and gets an answer when it goes on.
#[test]
fn a_worker_is_stopped_for_a_while() {
    let chaos = Chaos::start(|site| site.workers(2, 2));
    let traffic = chaos.traffic();
    for round in 0..3 {
        traffic.wait_for(50);
        let worker = Watched::new(u64::from(serving(chaos.directory())[round % 2]));
        worker.signal(Signal::STOP);
        // Others go on, on connections of their own and on those that the other worker has.
        traffic.wait_for(50);
        worker.signal(Signal::CONT);
    }
    traffic.wait_for(200);
    traffic.finish().check_spotless(&chaos.ledger);
}

/// Nobody lets it go on: harakiri ends it for the request that is in it.
#[test]
fn a_worker_is_stopped_for_ever() {
    let chaos = Chaos::start(|site| {
        site.workers(2, 2)
            .setting("limits", "harakiri = \"1s\"\nharakiri-graceful = \"200ms\"")
    });
    let traffic = chaos.traffic();
    traffic.wait_for(50);
    let from = Instant::now();
    let held = chaos.hold(&traffic, "fifo");
    let worker = Watched::new(u64::from(held.worker));
    worker.signal(Signal::STOP);
    worker.wait();
    chaos.wait_for_nth("it was stopped by a signal", 1);
    let death = Death {
        worker: held.worker,
        from,
        to: None,
    };
    assert_eq!(held.outcome(), Outcome::Closed(String::new()));
    traffic.wait_for(200);
    traffic.finish().check_lost_only_in(&[death], &chaos.ledger);
}
