//! Requests past their deadline.

use super::*;

const LIMIT: Duration = Duration::from_secs(30);
const GRACEFUL: Duration = Duration::from_secs(2);
const DUMPING: Duration = Duration::from_millis(500);

fn site(processes: u32) -> Site {
    Site::serving_with(Plan {
        harakiri: LIMIT,
        harakiri_graceful: GRACEFUL,
        ..plan(processes)
    })
}

/// A worker whose threads have been at work for so many seconds, each with the usual deadline.
fn running(ages: &[(u32, f64)]) -> Facts {
    let running = ages.iter().map(|(thread, age)| Running {
        thread: *thread,
        age: Duration::from_secs_f64(*age),
        limit: Some(LIMIT),
        began_us: 0,
        name: String::new(),
        line: "GET /slow".into(),
        peer: "@".into(),
    });
    Facts {
        running: running.collect(),
        ..Facts::default()
    }
}

fn harakiri(worker: u64, threads: &[u32]) -> Action {
    Action::Harakiri {
        worker: WorkerId(worker),
        threads: threads.to_vec(),
    }
}

fn dump(worker: u64) -> Action {
    Action::Dump {
        worker: WorkerId(worker),
        pid: Site::worker_pid(WorkerId(worker)),
    }
}

/// A site of two whose first worker has a request past its deadline, and has written its stacks.
fn condemned() -> Site {
    let mut site = site(2);
    site.look(&[(1, running(&[(0, 5.0), (1, 31.0)]))]);
    site.step(Event::Dumped(WorkerId(1)));
    site
}

#[test]
fn a_request_within_its_time_is_left_alone() {
    let mut site = site(2);
    site.look(&[(1, running(&[(0, 29.9)]))]);
    assert!(site.last.is_empty());
}

#[test]
fn a_request_without_a_deadline_may_take_for_ever() {
    let mut site = site(2);
    let mut facts = running(&[(0, 1e6)]);
    facts.running[0].limit = None;
    site.look(&[(1, facts)]);
    assert!(site.last.is_empty());
}

#[test]
fn first_it_is_told_and_the_stacks_are_asked_for_and_a_successor() {
    let mut site = site(2);
    site.look(&[(1, running(&[(0, 5.0), (1, 31.0)]))]);
    assert!(site.reported(
        |report| matches!(report, Report::Harakiri { requests, .. } if requests[0].thread == 1 && requests.len() == 1)
    ));
    assert!(site.did(&dump(1)));
    assert_eq!(site.asked(), workers(&[3]));
    assert!(!site.did(&harakiri(1, &[1])));
    assert_eq!(site.lifecycle.counters.harakiri, 1);
}

#[test]
fn the_worker_is_told_when_its_stacks_are_written() {
    let mut site = condemned();
    assert!(site.did(&harakiri(1, &[1])));
    assert!(site.killed().is_empty());
    site.step(Event::Dumped(WorkerId(1)));
    assert!(!site.did(&harakiri(1, &[1])));
}

#[test]
fn a_worker_that_cannot_write_its_stacks_is_told_nevertheless() {
    let mut site = site(2);
    site.look(&[(1, running(&[(1, 31.0)]))]);
    site.lifecycle.looking.due = None;
    assert_eq!(site.lifecycle.wake_at(), Some(site.now + DUMPING));
    site.wait(DUMPING);
    assert!(
        site.last
            .iter()
            .any(|action| matches!(action, Action::LogStacks { .. }))
    );
    assert!(site.did(&harakiri(1, &[1])));
}

#[test]
fn from_the_successor_on_other_requests_have_their_grace_and_no_more() {
    let mut site = condemned();
    site.wait(Duration::from_secs(1));
    site.make_ready(WorkerId(3));
    site.wait(GRACEFUL - Duration::from_millis(1));
    assert!(site.killed().is_empty());
    site.wait(Duration::from_millis(1));
    assert_eq!(site.killed(), [2001]);
    site.worker_exits(WorkerId(1), ExitStatus::Signal(9));
    assert!(site.reported(|report| matches!(report, Report::HarakiriEnded { killed: true, .. })));
    assert!(site.asked().is_empty());
}

#[test]
fn a_successor_that_does_not_come_gives_no_more_than_a_little_time() {
    let mut site = condemned();
    site.wait(GRACEFUL + PATIENCE + DUMPING);
    assert_eq!(site.killed(), [2001]);
}

#[test]
fn a_worker_whose_request_came_to_an_end_leaves_by_itself() {
    let mut site = condemned();
    site.step(Event::WorkerDraining(WorkerId(1)));
    site.worker_exits(WorkerId(1), CLEAN);
    assert!(site.reported(|report| matches!(report, Report::HarakiriEnded { killed: false, .. })));
    assert!(site.asked().is_empty());
}

#[test]
fn another_request_past_its_deadline_is_told_too_and_counted_once() {
    let mut site = condemned();
    site.look(&[(1, running(&[(0, 30.5), (1, 40.0)]))]);
    assert!(site.did(&harakiri(1, &[0])));
    assert!(!site.did(&dump(1)));
    site.look(&[(1, running(&[(0, 31.0), (1, 41.0)]))]);
    assert!(site.last.is_empty());
    assert_eq!(site.lifecycle.counters.harakiri, 1);
}

#[test]
fn a_worker_that_drains_already_has_less_time_and_no_other_successor() {
    let mut site = site(1);
    site.step(Event::RecycleRequested { slot: None });
    site.make_ready(WorkerId(2));
    assert_eq!(site.drained(), [1]);
    site.look(&[(1, running(&[(0, 31.0)]))]);
    assert!(site.did(&dump(1)) && site.asked().is_empty());
    site.step(Event::Dumped(WorkerId(1)));
    site.wait(GRACEFUL);
    assert_eq!(site.killed(), [2001]);
}

#[test]
fn all_workers_at_once_have_all_their_successors() {
    let mut site = site(2);
    site.look(&[(1, running(&[(0, 31.0)])), (2, running(&[(0, 31.0)]))]);
    assert_eq!(site.asked(), workers(&[3, 4]));
}

#[test]
fn nobody_is_killed_for_a_time_in_which_we_did_not_run() {
    let mut site = site(2);
    site.look(&[]);
    site.wait(look::PACE + Duration::from_secs(60));
    assert!(site.did(&Action::Look { memory: false }));
    site.look(&[(1, running(&[(0, 65.0)]))]);
    assert!(!site.did(&dump(1)));
    site.next_look(&[(1, running(&[(0, 89.9)]))]);
    assert!(!site.did(&dump(1)));
    site.next_look(&[(1, running(&[(0, 90.1)]))]);
    assert!(site.did(&dump(1)));
}

#[test]
fn a_request_that_began_after_such_a_time_has_no_more_than_its_own() {
    let mut site = site(2);
    site.look(&[]);
    site.wait(Duration::from_secs(61));
    site.look(&[]);
    site.wait(Duration::from_secs(1));
    site.look(&[]);
    site.lifecycle.looking.due = None;
    site.wait(Duration::from_secs(31));
    site.look(&[(1, running(&[(0, 31.0)]))]);
    assert!(site.did(&dump(1)));
}

#[test]
fn a_deadline_that_is_near_brings_the_next_look_forward() {
    let mut site = site(2);
    site.look(&[(1, running(&[(0, 29.875)]))]);
    assert_eq!(
        site.lifecycle.wake_at(),
        Some(site.now + Duration::from_millis(125))
    );
    site.look(&[(1, running(&[(0, 3.0)]))]);
    assert_eq!(site.lifecycle.wake_at(), Some(site.now + look::PACE));
}

#[test]
fn a_short_limit_is_looked_after_in_time() {
    let limit = Duration::from_millis(200);
    let mut site = Site::serving_with(Plan {
        harakiri: limit,
        ..plan(1)
    });
    site.look(&[]);
    assert_eq!(site.lifecycle.wake_at(), Some(site.now + limit));
}

#[test]
fn stacks_that_somebody_else_asked_for_are_logged() {
    let mut site = site(1);
    site.step(Event::Dumped(WorkerId(1)));
    assert!(matches!(&site.last[..], [Action::LogStacks { .. }]));
}

#[test]
fn the_service_is_alive_while_somebody_serves_or_is_on_the_way() {
    let mut site = site(1);
    assert!(site.lifecycle.is_alive());
    site.look(&[(1, running(&[(0, 31.0)]))]);
    assert!(site.lifecycle.is_alive());
    site.fork(WorkerId(2));
    site.worker_exits(WorkerId(2), CRASH);
    assert!(!site.lifecycle.is_alive());
    site.wait(Duration::from_millis(100));
    assert!(site.lifecycle.is_alive());
}
