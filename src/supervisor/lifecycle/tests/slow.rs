//! Slow requests.

use super::*;

const SLOW: Duration = Duration::from_secs(2);
const DUMPING: Duration = Duration::from_millis(500);

fn site() -> Site {
    Site::serving_with(Plan {
        slow: SLOW,
        ..plan(2)
    })
}

/// A worker with requests: thread, beginning, age in seconds.
fn running(requests: &[(u32, u64, f64)]) -> Facts {
    let running = requests.iter().map(|(thread, began_us, age)| Running {
        thread: *thread,
        age: Duration::from_secs_f64(*age),
        limit: None,
        began_us: *began_us,
        name: String::new(),
        line: "GET /slow".into(),
        peer: "@".into(),
    });
    Facts {
        running: running.collect(),
        ..Facts::default()
    }
}

/// How often the stacks of the first worker have been asked for.
fn dumps(site: &Site) -> usize {
    let is_one = |action: &&Action| matches!(action, Action::Dump { worker, .. } if worker.0 == 1);
    site.all.iter().filter(is_one).count()
}

/// Beginnings of the requests that were told of last, and whether the stacks are wanted for something else.
fn told(site: &Site) -> Option<(Vec<u64>, bool)> {
    site.last.iter().find_map(|action| match action {
        Action::LogSlow { requests, keep, .. } => {
            let began = requests.iter().map(|request| request.began_us);
            Some((began.collect(), *keep))
        }
        _ => None,
    })
}

#[test]
fn a_request_that_crosses_the_line_is_told_with_its_stack_once() {
    let mut site = site();
    site.look(&[(1, running(&[(0, 7, 1.9)]))]);
    assert_eq!(dumps(&site), 0);
    site.next_look(&[(1, running(&[(0, 7, 2.9)]))]);
    assert_eq!((dumps(&site), told(&site)), (1, None));
    site.step(Event::Dumped(WorkerId(1)));
    assert_eq!(told(&site), Some((vec![7], false)));
    let is_all = |action: &Action| matches!(action, Action::LogStacks { .. });
    assert!(!site.all.iter().any(is_all));
    site.next_look(&[(1, running(&[(0, 7, 60.0)]))]);
    assert_eq!(dumps(&site), 1);
}

#[test]
fn the_next_slow_request_of_the_same_thread_is_another_one() {
    let mut site = site();
    site.look(&[(1, running(&[(0, 7, 3.0)]))]);
    site.step(Event::Dumped(WorkerId(1)));
    site.next_look(&[(1, running(&[(0, 8, 2.0)]))]);
    site.step(Event::Dumped(WorkerId(1)));
    assert_eq!((dumps(&site), told(&site)), (2, Some((vec![8], false))));
}

#[test]
fn several_at_once_share_their_stacks() {
    let mut site = site();
    site.look(&[(1, running(&[(0, 7, 3.0), (1, 8, 2.5), (2, 9, 1.0)]))]);
    site.wait(Duration::from_millis(100));
    site.look(&[(1, running(&[(0, 7, 3.1), (1, 8, 2.6), (3, 10, 2.0)]))]);
    site.step(Event::Dumped(WorkerId(1)));
    assert_eq!(
        (dumps(&site), told(&site)),
        (1, Some((vec![7, 8, 10], false)))
    );
}

#[test]
fn who_writes_no_stacks_is_told_of_all_the_same() {
    let mut site = site();
    site.look(&[(1, running(&[(0, 7, 3.0)]))]);
    assert!(site.lifecycle.wake_at() <= Some(site.now + DUMPING));
    site.wait(DUMPING);
    assert_eq!(told(&site), Some((vec![7], false)));
}

#[test]
fn harakiri_has_the_same_stacks() {
    let mut site = Site::serving_with(Plan {
        slow: SLOW,
        harakiri: SLOW,
        ..plan(2)
    });
    let mut facts = running(&[(0, 7, 3.0)]);
    facts.running[0].limit = Some(SLOW);
    site.look(&[(1, facts)]);
    assert_eq!(dumps(&site), 1);
    site.step(Event::Dumped(WorkerId(1)));
    assert_eq!(told(&site), Some((vec![7], true)));
    let is_all = |action: &Action| matches!(action, Action::LogStacks { .. });
    assert!(site.last.iter().any(is_all));
}

#[test]
fn the_line_brings_the_next_look_forward() {
    let mut site = site();
    site.look(&[(1, running(&[(0, 7, 1.7)]))]);
    let due = site.lifecycle.looking.due.unwrap() - site.now;
    assert!(due <= Duration::from_millis(301), "{due:?}");
}

#[test]
fn without_a_line_nothing_is_slow() {
    let mut site = Site::serving(2);
    site.look(&[(1, running(&[(0, 7, 1e6)]))]);
    assert_eq!(dumps(&site), 0);
}
