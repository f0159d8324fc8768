//! A site that has nothing to do.

use super::*;

/// How long the rules sleep when nothing is set that they would wait for.
const FOR_EVER: Option<Duration> = None;

fn answered(requests: u64) -> Facts {
    Facts {
        requests,
        ..Facts::default()
    }
}

/// A site of one worker whose settings are changed so.
fn site(change: impl FnOnce(&mut Plan)) -> Site {
    let mut plan = plan(1);
    change(&mut plan);
    Site::serving_with(plan)
}

/// The same when it has slept for a minute: two looks have shown nothing.
fn asleep(change: impl FnOnce(&mut Plan)) -> Site {
    let mut site = site(change);
    site.look(&[(1, answered(0))]);
    assert!(site.did(&Action::AskToRing));
    site.next_look(&[(1, answered(0))]);
    site
}

/// How long it sleeps with these settings.
fn check_sleeps(change: impl FnOnce(&mut Plan), time: Option<Duration>) {
    let site = asleep(change);
    assert_eq!(site.lifecycle.wake_at(), time.map(|time| site.now + time));
}

fn ring(site: &mut Site, ago: Duration) {
    site.now += Duration::from_secs(60);
    site.step(Event::Rung { ago });
}

#[test]
fn nobody_looks_while_there_is_nothing_to_do() {
    check_sleeps(|_| {}, FOR_EVER);
    check_sleeps(|plan| plan.harakiri = Duration::from_millis(100), FOR_EVER);
    check_sleeps(|plan| plan.recycling.requests = 100, FOR_EVER);
}

#[test]
fn what_comes_with_time_alone_is_waited_for() {
    // The worker serves for 101 s by now.
    let lifetime = Duration::from_secs(200);
    check_sleeps(
        |plan| plan.recycling.lifetime = lifetime,
        Some(Duration::from_secs(99)),
    );
    check_sleeps(
        |plan| plan.recycling.rss = 1 << 30,
        Some(Duration::from_secs(10)),
    );
}

#[test]
fn a_request_that_began_unseen_is_seen_by_the_second_look() {
    let mut site = site(|_| {});
    site.look(&[(1, answered(0))]);
    site.next_look(&[(1, answered(1))]);
    assert_eq!(site.lifecycle.wake_at(), Some(site.now + look::PACE));
}

#[test]
fn it_rests_within_a_second_of_its_last_answer() {
    let mut site = site(|_| {});
    site.look(&[(1, answered(0))]);
    // The look was just over.
    let last = site.now;
    while let Some(due) = site.lifecycle.wake_at() {
        site.wait(due - site.now);
        site.look(&[(1, answered(1))]);
    }
    assert!(site.now - last < Duration::from_secs(1));
}

#[test]
fn one_that_rests_is_said_to_have_nothing_to_do() {
    let mut site = site(|_| {});
    site.next_look(&[(1, answered(500))]);
    assert!(site.lifecycle.headline().ends_with("; 500 requests/s"));
    for _ in 0..2 {
        site.wait(look::PACE);
        site.look(&[(1, answered(500))]);
    }
    assert!(site.lifecycle.is_asleep());
    assert!(site.lifecycle.headline().ends_with("; 0.0 requests/s"));
}

#[test]
fn the_time_without_anything_to_do_begins_with_its_rest() {
    let idle = Duration::from_secs(60);
    let mut site = site(|plan| {
        plan.is_activated = true;
        plan.cheaper.exit_on_idle = true;
        plan.cheaper.idle.0 = idle;
    });
    site.next_look(&[(1, answered(500))]);
    for _ in 0..3 {
        site.wait(look::PACE);
        site.look(&[(1, answered(501))]);
    }
    assert_eq!(site.lifecycle.wake_at(), Some(site.now + idle));
    site.wait(idle);
    site.look(&[(1, answered(501))]);
    assert!(site.reported(|report| matches!(report, Report::Idle { .. })));
}

#[test]
fn a_ring_begins_the_looks_again() {
    let mut site = asleep(|plan| plan.harakiri = Duration::from_millis(100));
    ring(&mut site, Duration::ZERO);
    let first = site.now + Duration::from_millis(100);
    assert_eq!(site.lifecycle.wake_at(), Some(first));
    site.wait(Duration::from_millis(100));
    assert!(site.did(&Action::Look { memory: false }));
}

#[test]
fn a_ring_that_was_heard_late_pardons_those_who_waited_with_us() {
    let late = Duration::from_secs(30);
    let mut site = asleep(|_| {});
    ring(&mut site, late);
    assert_eq!(site.lifecycle.stall.map(|stall| stall.length), Some(late));
}

#[test]
fn a_site_that_slept_does_not_hang_at_the_first_look() {
    let mut site = asleep(|plan| plan.stuck = Duration::from_secs(3));
    ring(&mut site, Duration::ZERO);
    let request = Running {
        thread: 0,
        age: Duration::from_secs(1),
        limit: None,
        began_us: 0,
        name: String::new(),
        line: "GET /".into(),
        peer: "@".into(),
    };
    let busy = Facts {
        running: vec![request],
        ..Facts::default()
    };
    site.next_look(&[(1, busy)]);
    assert!(site.lifecycle.is_alive());
}

#[test]
fn a_death_wakes() {
    let mut site = asleep(|_| {});
    site.worker_exits(WorkerId(1), CRASH);
    let wake = site.lifecycle.wake_at();
    assert!(wake.is_some_and(|wake| wake <= site.now + Duration::from_secs(1)));
}
