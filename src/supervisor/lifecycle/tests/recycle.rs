//! Workers that are replaced while they are well.

use super::*;

fn with(recycling: Recycling) -> Plan {
    Plan {
        recycling,
        ..plan(2)
    }
}

fn answered(requests: u64) -> Facts {
    Facts {
        requests,
        ..Facts::default()
    }
}

fn weighing(rss: u64) -> Facts {
    let address_space = 10 * rss;
    Facts {
        memory: Some(Memory { rss, address_space }),
        ..Facts::default()
    }
}

fn requests(requests: u64) -> Recycling {
    Recycling {
        requests,
        at_once: 1,
        ..Recycling::default()
    }
}

#[test]
fn a_worker_goes_after_so_many_requests_when_its_successor_serves() {
    let mut site = Site::serving_with(with(requests(50)));
    site.look(&[(1, answered(49)), (2, answered(3))]);
    assert!(site.asked().is_empty());
    site.look(&[(1, answered(51)), (2, answered(3))]);
    assert_eq!(site.asked(), workers(&[3]));
    assert!(site.drained().is_empty());
    site.make_ready(WorkerId(3));
    assert_eq!(site.drained(), [1]);
    let reason = Reason::Requests {
        count: 51,
        limit: 50,
    };
    assert!(site.reported(
        |report| matches!(report, Report::Recycled { reason: why, .. } if *why == reason)
    ));
    assert_eq!(site.lifecycle.counters.max_requests, 1);
}

#[test]
fn workers_change_one_at_a_time_and_at_no_time_fewer_serve() {
    let mut site = Site::serving_with(Plan {
        recycling: requests(1),
        ..plan(3)
    });
    site.look(&[(1, answered(1)), (2, answered(1)), (3, answered(1))]);
    for (old, new) in [(1, 4), (2, 5), (3, 6)] {
        assert_eq!(site.asked(), workers(&[new]));
        assert_eq!(site.lifecycle.serving(1), 3);
        site.make_ready(WorkerId(new));
        assert_eq!(site.drained(), [old]);
        assert_eq!(site.lifecycle.serving(1), 3);
        assert!(site.asked().is_empty());
        site.worker_exits(WorkerId(old), CLEAN);
    }
    assert!(site.asked().is_empty());
}

#[test]
fn as_many_change_at_a_time_as_the_site_says() {
    let mut site = Site::serving_with(Plan {
        recycling: Recycling {
            at_once: 2,
            ..requests(1)
        },
        ..plan(3)
    });
    site.look(&[(1, answered(1)), (2, answered(1)), (3, answered(1))]);
    assert_eq!(site.asked(), workers(&[4, 5]));
}

#[test]
fn a_worker_that_does_not_go_is_killed_and_the_next_one_has_its_turn() {
    let mut site = Site::serving_with(with(requests(1)));
    site.look(&[(1, answered(1)), (2, answered(1))]);
    site.make_ready(WorkerId(3));
    site.wait(WORKER_MERCY);
    assert_eq!(site.killed(), [2001]);
    site.worker_exits(WorkerId(1), ExitStatus::Signal(9));
    assert_eq!(site.asked(), workers(&[4]));
}

#[test]
fn a_worker_that_dies_before_its_successor_serves_is_not_replaced_twice() {
    let mut site = Site::serving_with(with(requests(1)));
    site.look(&[(1, answered(1)), (2, answered(0))]);
    assert_eq!(site.asked(), workers(&[3]));
    site.worker_exits(WorkerId(1), CRASH);
    assert!(site.asked().is_empty());
    site.make_ready(WorkerId(3));
    assert!(site.drained().is_empty());
}

#[test]
fn a_successor_that_dies_leaves_the_predecessor_serving() {
    let mut site = Site::serving_with(with(requests(1)));
    site.look(&[(1, answered(1)), (2, answered(0))]);
    site.fork(WorkerId(3));
    site.worker_exits(WorkerId(3), CRASH);
    assert!(site.drained().is_empty() && site.asked().is_empty());
    site.wait(Duration::from_millis(100));
    assert_eq!(site.asked(), workers(&[4]));
}

#[test]
fn deltas_spread_the_ends_of_workers_within_their_bounds() {
    let limits = Recycling {
        requests: 100,
        requests_delta: 50,
        lifetime: Duration::from_secs(100),
        lifetime_delta: Duration::from_secs(50),
        ..Recycling::default()
    };
    let mut jitter = Jitter::new(7);
    let chosen: Vec<(u64, Time)> = (0..100)
        .map(|_| Allowance::choose(&limits, &mut jitter).limits())
        .collect();
    assert!(
        chosen
            .iter()
            .all(|(requests, _)| (100..=150).contains(requests))
    );
    let lifetimes = Duration::from_secs(100)..=Duration::from_secs(150);
    assert!(
        chosen
            .iter()
            .all(|(_, lifetime)| lifetimes.contains(lifetime))
    );
    assert!(chosen.iter().any(|limits| *limits != chosen[0]));
}

#[test]
fn no_limit_stays_no_limit_whatever_the_delta() {
    let limits = Recycling {
        requests_delta: 50,
        lifetime_delta: Duration::from_secs(50),
        ..Recycling::default()
    };
    let chosen = Allowance::choose(&limits, &mut Jitter::new(1));
    assert_eq!(chosen.limits(), (0, Duration::ZERO));
}

#[test]
fn a_worker_goes_at_its_age() {
    let mut site = Site::serving_with(with(Recycling {
        lifetime: Duration::from_secs(102),
        at_once: 1,
        ..Recycling::default()
    }));
    site.next_look(&[(1, answered(0)), (2, answered(0))]);
    assert!(site.asked().is_empty());
    site.next_look(&[(1, answered(0)), (2, answered(0))]);
    assert_eq!(site.asked(), workers(&[3]));
    site.make_ready(WorkerId(3));
    assert_eq!(site.lifecycle.counters.max_worker_lifetime, 1);
}

#[test]
fn a_worker_goes_for_its_memory() {
    let limits = [
        Recycling {
            rss: 100,
            ..Recycling::default()
        },
        Recycling {
            address_space: 1000,
            ..Recycling::default()
        },
    ];
    for limits in limits {
        let mut site = Site::serving_with(with(limits));
        site.look(&[(1, weighing(99)), (2, weighing(99))]);
        site.look(&[(1, weighing(99)), (2, weighing(100))]);
        assert_eq!(site.asked(), workers(&[3]));
        site.make_ready(WorkerId(3));
        assert_eq!(site.drained(), [2]);
        assert_eq!(site.lifecycle.counters.memory, 1);
    }
}

#[test]
fn memory_that_a_worker_takes_for_its_start_is_no_reason() {
    let mut site = Site::serving_with(with(Recycling {
        rss: 100,
        ..Recycling::default()
    }));
    site.worker_exits(WorkerId(1), CRASH);
    site.make_ready(WorkerId(3));
    site.next_look(&[(3, weighing(500))]);
    assert!(site.asked().is_empty());
    site.wait(Duration::from_secs(9));
    site.look(&[(3, weighing(500))]);
    assert_eq!(site.asked(), workers(&[4]));
}

#[test]
fn a_worker_is_weighed_as_soon_as_it_serves() {
    let mut site = Site::serving_with(with(Recycling {
        rss: 100,
        ..Recycling::default()
    }));
    site.look(&[(1, weighing(50)), (2, weighing(50))]);
    site.worker_exits(WorkerId(1), CRASH);
    site.make_ready(WorkerId(3));
    assert!(site.did(&Action::Look { memory: true }));
}

#[test]
fn a_worker_that_takes_far_too_much_is_killed_at_once() {
    let mut site = Site::serving_with(with(Recycling {
        evil_rss: 100,
        ..Recycling::default()
    }));
    site.look(&[(1, weighing(100)), (2, weighing(99))]);
    assert_eq!(site.killed(), [2001]);
    assert!(site.reported(|report| matches!(
        report,
        Report::EvilReload {
            rss: 100,
            limit: 100,
            ..
        }
    )));
    assert_eq!(site.asked(), workers(&[3]));
    site.look(&[(1, weighing(100))]);
    assert!(site.killed().is_empty());
    assert_eq!(site.lifecycle.counters.memory, 1);
}

#[test]
fn workers_that_are_born_too_heavy_are_made_ever_more_slowly() {
    let mut site = Site::serving_with(Plan {
        recycling: Recycling {
            evil_rss: 100,
            ..Recycling::default()
        },
        ..plan(1)
    });
    site.look(&[(1, weighing(100))]);
    site.make_ready(WorkerId(2));
    site.look(&[(2, weighing(100))]);
    assert_eq!(site.killed(), [2002]);
    assert!(site.asked().is_empty());
    assert!(site.reported(|report| matches!(report, Report::BackingOff { .. })));
}

#[test]
fn a_worker_that_was_refused_memory_is_replaced() {
    let mut site = Site::serving(2);
    site.step(Event::WorkerExhausted(WorkerId(2)));
    assert_eq!(site.asked(), workers(&[3]));
    site.make_ready(WorkerId(3));
    assert_eq!(site.drained(), [2]);
    assert_eq!(site.lifecycle.counters.memory, 1);
}

#[test]
fn a_worker_with_an_exception_is_replaced_once() {
    let mut site = Site::serving(2);
    site.step(Event::WorkerRaised(WorkerId(2)));
    assert_eq!(site.asked(), workers(&[3]));
    site.step(Event::WorkerRaised(WorkerId(2)));
    assert!(site.asked().is_empty());
    site.make_ready(WorkerId(3));
    assert_eq!(site.drained(), [2]);
    assert_eq!(site.lifecycle.counters.asked, 1);
}

#[test]
fn a_worker_is_replaced_on_request() {
    let mut site = Site::serving(2);
    site.step(Event::RecycleRequested { slot: Some(1) });
    assert_eq!(site.asked(), workers(&[3]));
    site.make_ready(WorkerId(3));
    assert_eq!(site.drained(), [2]);
    assert_eq!(site.lifecycle.counters.asked, 1);
}

#[test]
fn all_workers_are_replaced_on_request_one_after_the_other() {
    let mut site = Site::serving(2);
    site.step(Event::RecycleRequested { slot: None });
    assert_eq!(site.asked(), workers(&[3]));
    site.make_ready(WorkerId(3));
    site.worker_exits(WorkerId(1), CLEAN);
    assert_eq!(site.asked(), workers(&[4]));
    site.make_ready(WorkerId(4));
    assert_eq!(site.drained(), [2]);
}

#[test]
fn a_worker_that_leaves_by_itself_is_replaced_at_once() {
    let mut site = Site::serving(2);
    site.step(Event::WorkerDraining(WorkerId(1)));
    assert!(site.reported(|report| matches!(report, Report::WorkerLeaves { .. })));
    assert_eq!(site.asked(), workers(&[3]));
    site.worker_exits(WorkerId(1), CLEAN);
    assert!(site.asked().is_empty());
}

#[test]
fn during_a_reload_nobody_is_recycled() {
    let mut site = Site::serving_with(with(requests(1)));
    site.step(Event::ReloadRequested);
    site.step(Event::SettingsRead(Ok(Box::new(with(requests(1))))));
    site.look(&[(1, answered(1)), (2, answered(1))]);
    assert!(site.asked().is_empty());
    site.spawn_last_zygote();
    site.step(Event::LoadFailed {
        zygote: ZygoteId(2),
        failure: failure(),
    });
    assert_eq!(site.asked(), workers(&[3]));
}

#[test]
fn a_reload_takes_over_from_a_worker_that_was_being_replaced() {
    let mut site = Site::serving_with(with(requests(1)));
    site.look(&[(1, answered(1)), (2, answered(0))]);
    assert_eq!(site.asked(), workers(&[3]));
    site.step(Event::ReloadRequested);
    site.step(Event::SettingsRead(Ok(Box::new(with(requests(1))))));
    site.load_last_zygote();
    for worker in [4, 5] {
        site.make_ready(WorkerId(worker));
        assert!(site.lifecycle.serving(1) + site.lifecycle.serving(2) >= 2);
    }
    assert_eq!(
        (site.lifecycle.serving(1), site.lifecycle.serving(2)),
        (0, 2)
    );
}

#[test]
fn a_limit_of_requests_that_is_near_brings_the_next_look_forward() {
    let mut site = Site::serving_with(with(requests(1000)));
    let next = |site: &Site| site.lifecycle.wake_at().unwrap() - site.now;
    site.next_look(&[(1, answered(0))]);
    assert_eq!(next(&site), look::PACE);
    site.next_look(&[(1, answered(400))]);
    assert_eq!(next(&site), Duration::from_millis(100));
    site.next_look(&[(1, answered(960))]);
    assert!(next(&site) < Duration::from_millis(72));
}
