//! A number of workers that follows the load. How it is decided is tested with the algorithms; here is what is done.

use super::*;
use crate::config::{Cheaper as Settings, TimeSpan};

const IDLE: Duration = Duration::from_secs(60);

fn adapting() -> Plan {
    Plan {
        cheaper: Settings {
            minimum: 1,
            initial: 2,
            overload: 1,
            ..Settings::default()
        },
        ..plan(4)
    }
}

fn resting(exit_on_idle: bool, is_activated: bool) -> Plan {
    Plan {
        cheaper: Settings {
            minimum: 1,
            initial: 3,
            overload: 1000,
            idle: TimeSpan(IDLE),
            exit_on_idle,
            ..Settings::default()
        },
        is_activated,
        ..plan(4)
    }
}

/// Has answered so many, and works on one more.
fn busy(requests: u64) -> Facts {
    Facts {
        running: vec![Running {
            thread: 0,
            age: Duration::from_millis(10),
            limit: None,
            began_us: 0,
            name: String::new(),
            line: "GET /".into(),
            peer: "@".into(),
        }],
        ..idle(requests)
    }
}

fn idle(requests: u64) -> Facts {
    Facts {
        requests,
        ..Facts::default()
    }
}

#[test]
fn the_service_is_ready_with_the_initial_number() {
    let mut site = Site::of(adapting());
    site.load_last_zygote();
    assert_eq!(site.asked(), workers(&[1, 2]));
    site.make_ready_all();
    assert!(site.did(&Action::Notify(Notice::Ready)));
}

#[test]
fn a_worker_is_added_when_none_is_idle() {
    let mut site = Site::serving_with(adapting());
    site.next_look(&[(1, busy(1)), (2, busy(1))]);
    assert!(site.did(&Action::Report(Report::Adapting { from: 2, to: 3 })));
    assert_eq!(site.asked(), workers(&[3]));
}

#[test]
fn looks_that_come_early_do_not_count() {
    let mut site = Site::serving_with(adapting());
    site.next_look(&[(1, busy(1)), (2, idle(1))]);
    site.wait(Duration::from_millis(100));
    site.look(&[(1, busy(1)), (2, busy(1))]);
    assert!(site.asked().is_empty());
}

#[test]
fn an_idle_worker_goes_when_there_are_too_many() {
    let mut site = Site::serving_with(Plan {
        cheaper: Settings {
            initial: 3,
            ..adapting().cheaper
        },
        ..adapting()
    });
    let looks = [(1, idle(1)), (2, idle(1)), (3, busy(1))];
    site.next_look(&looks);
    assert_eq!(site.drained(), [2]);
    assert_eq!(site.lifecycle.counters.cheaper, 1);
    site.worker_exits(WorkerId(2), CLEAN);
    assert!(site.asked().is_empty());
}

#[test]
fn a_worker_that_dies_is_replaced_up_to_the_number_of_the_moment() {
    let mut site = Site::serving_with(adapting());
    site.worker_exits(WorkerId(1), CRASH);
    assert_eq!(site.asked(), workers(&[3]));
}

#[test]
fn a_new_generation_begins_with_as_many_as_the_old_one_has() {
    let mut site = Site::serving_with(adapting());
    site.next_look(&[(1, busy(1)), (2, busy(1))]);
    site.make_ready(WorkerId(3));
    site.step(Event::ReloadRequested);
    site.step(Event::SettingsRead(Ok(Box::new(adapting()))));
    site.load_last_zygote();
    assert_eq!(site.asked(), workers(&[4, 5, 6]));
}

#[test]
fn without_a_request_for_long_there_are_as_few_as_may_be() {
    let mut site = Site::serving_with(resting(false, false));
    site.next_look(&[(1, idle(1)), (2, idle(0)), (3, idle(0))]);
    let looks = [(1, idle(1)), (2, idle(0)), (3, idle(0))];
    site.next_look(&looks);
    site.wait(IDLE);
    site.look(&looks);
    assert_eq!(site.drained(), [3, 2]);
}

#[test]
fn a_request_begins_the_time_anew() {
    let mut site = Site::serving_with(resting(false, false));
    site.next_look(&[(1, idle(0))]);
    site.wait(IDLE);
    site.look(&[(1, idle(1))]);
    assert!(site.drained().is_empty());
    site.next_look(&[(1, idle(1))]);
    site.wait(IDLE - Duration::from_millis(1));
    site.look(&[(1, idle(1))]);
    assert!(site.drained().is_empty());
}

#[test]
fn a_service_that_is_activated_by_its_sockets_ends_when_it_is_idle() {
    let mut site = Site::serving_with(resting(true, true));
    site.next_look(&[(1, idle(0))]);
    site.wait(IDLE);
    site.look(&[(1, idle(0))]);
    assert!(site.did(&Action::Report(Report::Idle { idle: IDLE })));
    assert!(site.did(&Action::Notify(Notice::Stopping)));
    assert_eq!(site.drained(), [1, 2, 3]);
    site.zygote_exits(ZygoteId(1), CLEAN);
    for worker in [1, 2, 3] {
        site.worker_exits(WorkerId(worker), CLEAN);
    }
    assert!(site.did(&Action::Exit(0)));
}

#[test]
fn a_service_that_has_bound_its_own_sockets_stays() {
    let mut site = Site::serving_with(resting(true, false));
    site.next_look(&[(1, idle(0))]);
    site.wait(IDLE);
    site.look(&[(1, idle(0))]);
    assert!(!site.did(&Action::Notify(Notice::Stopping)));
}
