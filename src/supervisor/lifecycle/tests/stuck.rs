//! A site that hangs.

use super::*;

const STUCK: Duration = Duration::from_secs(3);

fn site() -> Site {
    Site::serving_with(Plan {
        stuck: STUCK,
        threads: 2,
        ..plan(2)
    })
}

/// A worker with so many requests at work and so many answered.
fn busy(running: u32, requests: u64) -> Facts {
    let running = (0..running).map(|thread| Running {
        thread,
        age: Duration::from_secs(1),
        limit: None,
        began_us: 0,
        name: String::new(),
        line: "GET /hang".into(),
        peer: "@".into(),
    });
    Facts {
        requests,
        running: running.collect(),
        ..Facts::default()
    }
}

/// Looks for as long as it takes from the first look on, and one more.
fn look(site: &mut Site, workers: &[(u64, Facts)]) {
    for _ in 0..5 {
        site.next_look(workers);
    }
}

fn hangs() -> Action {
    Action::Notify(Notice::Hangs)
}

#[test]
fn a_site_whose_every_thread_hangs_is_told_with_its_stacks() {
    let mut site = site();
    look(&mut site, &[(1, busy(2, 0)), (2, busy(2, 0))]);
    let mut reports = site.all.iter();
    assert!(reports.any(|action| {
        matches!(action, Action::Report(Report::Stuck { time }) if *time >= STUCK)
    }));
    let dumps = site.all.iter();
    let dumps = dumps.filter(|action| matches!(action, Action::Dump { .. }));
    assert_eq!(dumps.count(), 2);
    assert!(site.did(&hangs()) && !site.lifecycle.is_alive());
    site.all.clear();
    look(&mut site, &[(1, busy(2, 0)), (2, busy(2, 0))]);
    assert!(!site.did(&hangs()));
}

#[track_caller]
fn check_alive(second: impl Fn(u64) -> Facts) {
    let mut site = site();
    for round in 1..10 {
        site.next_look(&[(1, busy(2, 0)), (2, second(round))]);
    }
    assert!(!site.did(&hangs()) && site.lifecycle.is_alive());
}

#[test]
fn one_worker_that_lives_is_enough() {
    check_alive(|_| busy(1, 0));
    check_alive(|round| busy(2, round));
}

#[test]
fn a_request_within_its_deadline_is_waited_for() {
    check_alive(|_| {
        let mut facts = busy(2, 0);
        facts.running[0].limit = Some(Duration::from_secs(60));
        facts
    });
}

#[test]
fn a_site_that_answers_again_is_alive() {
    let mut site = site();
    for _ in 0..4 {
        site.next_look(&[(1, busy(2, 0)), (2, busy(2, 0))]);
    }
    assert!(!site.lifecycle.is_alive());
    site.next_look(&[(1, busy(2, 1)), (2, busy(2, 0))]);
    assert!(site.lifecycle.is_alive() && !site.did(&hangs()));
}

#[test]
fn zero_is_for_ever() {
    let mut site = Site::serving_with(Plan {
        stuck: Duration::ZERO,
        ..plan(1)
    });
    look(&mut site, &[(1, busy(1, 0))]);
    assert!(site.lifecycle.is_alive() && !site.did(&hangs()));
}
