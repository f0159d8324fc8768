//! Two readings and what lies between them.

use super::*;

fn worker(pid: i32, times: &[u64]) -> WorkerStatus {
    WorkerStatus {
        pid,
        age_us: 60_000_000,
        requests: times.len() as u64,
        errors: times.iter().filter(|time| **time > 1_000_000).count() as u64,
        latency: times.iter().copied().collect(),
        ..WorkerStatus::default()
    }
}

fn reading(second: u64, workers: Vec<WorkerStatus>) -> Status {
    Status {
        pid: 1,
        now_us: second * 1_000_000,
        workers,
        ..Status::default()
    }
}

#[test]
fn what_was_there_before_does_not_count() {
    let before = reading(10, vec![worker(7, &[5_000_000; 9])]);
    let mut times = vec![5_000_000; 9];
    times.extend([1000; 6]);
    let window = Window::between(&before, &reading(12, vec![worker(7, &times)])).unwrap();
    assert_eq!((window.site.rate, window.site.errors), (3.0, 0.0));
    assert_eq!(window.site.latency.map(|latency| latency.p99), Some(1000));
    assert_eq!(window.workers.len(), 1);
}

#[test]
fn a_young_worker_counts_from_its_beginning() {
    let young = WorkerStatus {
        age_us: 500_000,
        ..worker(8, &[2_000_000; 4])
    };
    let before = reading(10, vec![worker(7, &[1; 3])]);
    let after = reading(11, vec![worker(7, &[1; 3]), young]);
    let window = Window::between(&before, &after).unwrap();
    assert_eq!((window.site.rate, window.site.errors), (4.0, 4.0));
}

/// What is older than the window, and was not seen, has done an unknown part of its work within it.
#[test]
fn an_old_worker_that_was_not_seen_counts_for_nothing() {
    let after = reading(11, vec![worker(9, &[1; 100])]);
    let window = Window::between(&reading(10, Vec::new()), &after).unwrap();
    assert_eq!(window.site, Pace::default());
}

#[test]
fn readings_of_two_services_have_nothing_between_them() {
    let other = Status {
        pid: 2,
        ..reading(11, Vec::new())
    };
    assert_eq!(Window::between(&reading(10, Vec::new()), &other), None);
    let earlier = reading(9, Vec::new());
    assert_eq!(Window::between(&reading(10, Vec::new()), &earlier), None);
    assert_eq!(Window::between(&earlier, &earlier), None);
}
