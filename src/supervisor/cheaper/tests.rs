//! Traces of load, and what is decided at each look.

use super::*;
use crate::config::ByteSize;

fn settings(algorithm: Algorithm) -> Settings {
    Settings {
        minimum: 1,
        algorithm,
        ..Settings::default()
    }
}

/// The targets after each of `looks`, in a site of at most 8 workers; all of them serve at once.
fn targets(settings: Settings, looks: &[Load]) -> Vec<u32> {
    let mut cheaper = Cheaper::new(&settings, 8, None).unwrap();
    let looks = looks.iter().map(|load| {
        cheaper.look(load, false);
        cheaper.target()
    });
    looks.collect()
}

fn idle(idle: u32) -> Load {
    Load {
        idle,
        ..Load::default()
    }
}

fn queue(queue: u32, idle: u32) -> Load {
    Load {
        queue,
        idle,
        ..Load::default()
    }
}

fn busy(busy: u32) -> Load {
    Load {
        busy,
        ..Load::default()
    }
}

#[test]
fn without_a_minimum_nothing_adapts() {
    assert!(Cheaper::new(&Settings::default(), 8, None).is_none());
}

#[test]
fn it_begins_with_initial_or_with_what_the_last_generation_had() {
    let settings = Settings {
        minimum: 2,
        initial: 3,
        ..Settings::default()
    };
    let target = |before| Cheaper::new(&settings, 8, before).unwrap().target();
    assert_eq!([None, Some(1), Some(5), Some(20)].map(target), [3, 2, 5, 8]);
}

#[test]
fn spare_adds_a_worker_at_the_third_look_without_an_idle_one() {
    let looks = [idle(0), idle(0), idle(0), idle(0), idle(0), idle(0)];
    assert_eq!(
        targets(settings(Algorithm::Spare), &looks),
        [1, 1, 2, 2, 2, 3]
    );
}

#[test]
fn spare_forgets_a_busy_look_with_a_calm_one() {
    let looks = [
        idle(0),
        idle(1),
        idle(0),
        idle(1),
        idle(0),
        idle(0),
        idle(0),
    ];
    assert_eq!(
        targets(settings(Algorithm::Spare), &looks),
        [1, 1, 1, 1, 1, 1, 2]
    );
}

#[test]
fn spare_counts_on_workers_that_are_on_their_way() {
    let coming = Load {
        starting: 1,
        ..Load::default()
    };
    assert_eq!(targets(settings(Algorithm::Spare), &[coming; 9]), [1; 9]);
}

#[test]
fn spare_keeps_one_idle_worker_and_lets_the_others_go_one_by_one() {
    let grown = Settings {
        initial: 4,
        ..settings(Algorithm::Spare)
    };
    let mut looks = vec![idle(3); 6];
    looks.extend([idle(1); 6]);
    assert_eq!(targets(grown, &looks), [4, 4, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2]);
}

#[test]
fn growth_goes_by_steps_and_ends_at_the_maximum() {
    let wide = Settings {
        step: 5,
        overload: 1,
        ..settings(Algorithm::Spare)
    };
    assert_eq!(targets(wide, &[idle(0); 3]), [6, 8, 8]);
}

#[test]
fn backlog_adds_at_once_when_the_queue_is_long() {
    let looks = [queue(33, 0), queue(34, 0), queue(100, 0)];
    assert_eq!(targets(settings(Algorithm::Backlog), &looks), [1, 2, 3]);
}

#[test]
fn backlog_takes_away_when_the_queue_stays_empty_and_somebody_is_idle() {
    let grown = Settings {
        initial: 3,
        ..settings(Algorithm::Backlog)
    };
    let looks = [
        queue(0, 1),
        queue(0, 1),
        queue(5, 1),
        queue(0, 1),
        queue(0, 1),
        queue(0, 1),
    ];
    assert_eq!(targets(grown, &looks), [3, 3, 3, 3, 3, 2]);
    let all_busy = Settings {
        initial: 3,
        ..settings(Algorithm::Backlog)
    };
    assert_eq!(targets(all_busy, &[queue(0, 0); 6]), [3; 6]);
}

#[test]
fn busyness_adds_when_the_average_is_above_the_maximum() {
    let looks = [busy(90), busy(90), busy(90), busy(10), busy(40), busy(60)];
    assert_eq!(
        targets(settings(Algorithm::Busyness), &looks),
        [1, 1, 2, 2, 2, 2]
    );
}

#[test]
fn busyness_takes_away_only_after_many_calm_looks() {
    let grown = Settings {
        initial: 3,
        ..settings(Algorithm::Busyness)
    };
    let targets = targets(grown, &[busy(5); 12]);
    assert_eq!(targets, [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2]);
}

#[test]
fn busyness_is_slower_to_take_away_what_was_missed() {
    let grown = Settings {
        initial: 2,
        overload: 1,
        busyness_multiplier: 2,
        busyness_penalty: 3,
        ..settings(Algorithm::Busyness)
    };
    let looks = [5, 5, 90, 5, 5, 5, 5, 5].map(busy);
    assert_eq!(targets(grown, &looks), [2, 1, 2, 2, 2, 2, 2, 1]);
}

#[test]
fn busyness_forgets_the_penalty_when_nobody_is_missed() {
    let grown = Settings {
        initial: 4,
        overload: 1,
        busyness_multiplier: 2,
        busyness_penalty: 1,
        ..settings(Algorithm::Busyness)
    };
    let looks = [5, 5, 90, 5, 5, 5, 40, 40, 40, 40, 5, 5].map(busy);
    assert_eq!(targets(grown, &looks), [4, 3, 4, 4, 4, 3, 3, 3, 3, 3, 3, 2]);
}

#[test]
fn busyness_hears_the_alarm_of_a_long_queue() {
    assert_eq!(targets(settings(Algorithm::Busyness), &[queue(34, 0)]), [2]);
}

#[test]
fn memory_has_a_veto() {
    let limited = Settings {
        initial: 2,
        overload: 1,
        rss_limit_soft: ByteSize(100),
        rss_limit_hard: ByteSize(200),
        ..settings(Algorithm::Spare)
    };
    let with = |rss| Load {
        rss,
        ..Load::default()
    };
    let looks = [with(100), with(101), with(201), with(201), with(201)];
    assert_eq!(targets(limited, &looks), [3, 3, 2, 1, 1]);
}

#[test]
fn the_same_looks_give_the_same_decisions() {
    let looks: Vec<Load> = (0..500_u32)
        .map(|number| Load {
            idle: number * 7 % 4,
            busy: number * 31 % 100,
            queue: number * 13 % 60,
            ..Load::default()
        })
        .collect();
    for algorithm in [Algorithm::Backlog, Algorithm::Busyness, Algorithm::Spare] {
        assert_eq!(
            targets(settings(algorithm), &looks),
            targets(settings(algorithm), &looks)
        );
    }
}
