//! That everything that is done is counted once, added up, and told apart by time.

use super::*;
use crate::scoreboard::Scoreboard;

fn done(act: impl FnOnce(&crate::scoreboard::ThreadSlot)) -> Totals {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    act(scoreboard.thread(0, 0));
    scoreboard.totals(0)
}

fn asked(application: u32) -> Answered {
    Answered {
        status: 200,
        sent: 512,
        asked: Some(Asked {
            application,
            queued_us: 40,
            lock_us: 10,
            client_us: 20,
        }),
    }
}

/// Everything that can be done, once.
fn all() -> Totals {
    done(|slot| {
        slot.accepted();
        slot.begin(1000, 0, b"GET", b"/", b"peer");
        slot.file();
        slot.raised();
        slot.unread();
        slot.end(1100, &asked(1));
        slot.received(300);
        slot.unsent();
        slot.refused();
        slot.closed();
    })
}

#[test]
fn everything_is_counted() {
    let mut statuses = Rows::default();
    statuses.0[2][1] = 1;
    let expected = Totals {
        accepted: 1,
        closed: 1,
        refused: 1,
        requests: 1,
        received: 300,
        sent: 512,
        application_us: 70,
        lock_us: 10,
        client_us: 20,
        exceptions: 1,
        files: 1,
        read_errors: 1,
        write_errors: 1,
        statuses,
        latency: [100].into_iter().collect(),
        queued: [40].into_iter().collect(),
    };
    assert_eq!(all(), expected);
}

#[test]
fn what_is_answered_without_an_application_waits_for_none() {
    let answered = Answered {
        status: 304,
        ..Answered::default()
    };
    let totals = done(|slot| slot.end(100, &answered));
    assert_eq!((totals.application_us, totals.queued.count()), (0, 0));
    assert_eq!(totals.statuses.row(0), [0, 0, 1, 0, 0]);
}

#[track_caller]
fn check_row(application: u32, expected: usize) {
    let totals = done(|slot| slot.end(0, &asked(application)));
    assert_eq!(totals.statuses.row(expected), [0, 1, 0, 0, 0]);
}

#[test]
fn each_application_has_its_row_and_the_last_one_is_for_the_rest() {
    check_row(0, 1);
    check_row(ROWS as u32 - 3, ROWS - 2);
    check_row(ROWS as u32 - 2, ROWS - 1);
    check_row(u32::MAX, ROWS - 1);
}

#[test]
fn a_status_out_of_range_breaks_nothing() {
    let classes = |status| {
        let answered = Answered {
            status,
            ..Answered::default()
        };
        done(|slot| slot.end(0, &answered)).statuses.classes()
    };
    assert_eq!(classes(0), [1, 0, 0, 0, 0]);
    assert_eq!(classes(999), [0, 0, 0, 0, 1]);
}

#[test]
fn totals_add_up_and_are_taken_apart_again() {
    let one = all();
    let mut two = one.clone();
    two += &one;
    assert_eq!((two.requests, two.latency.count()), (2, 2));
    assert_eq!(two.since(&one), one);
    assert_eq!(one.since(&one), Totals::default());
}

#[test]
fn a_counter_that_has_begun_anew_counts_from_there() {
    let one = all();
    let mut two = one.clone();
    two += &one;
    assert_eq!(one.since(&two), one);
}

#[test]
fn a_worker_is_the_sum_of_its_threads() {
    let scoreboard = Scoreboard::create(2, 3).unwrap();
    for thread in 0..3 {
        scoreboard.thread(1, thread).end(0, &asked(0));
    }
    assert_eq!(scoreboard.totals(1).requests, 3);
    assert_eq!(scoreboard.totals(0), Totals::default());
    scoreboard.clear(1);
    assert_eq!(scoreboard.totals(1), Totals::default());
}

#[test]
fn totals_travel_as_text() {
    let text = serde_json::to_string(&all()).unwrap();
    assert_eq!(serde_json::from_str::<Totals>(&text).unwrap(), all());
}
