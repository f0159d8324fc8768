//! What people see of a status.

use std::collections::BTreeMap;

use super::*;
use crate::supervisor::control::{Crash, Harakiri, History, Late, ListenerStatus, Moment, Reload};

fn worker(running: Vec<RunningStatus>) -> WorkerStatus {
    WorkerStatus {
        worker: 1,
        generation: 2,
        pid: 4711,
        state: "serving".to_owned(),
        age_us: 3_900_000_000,
        requests: 12_345,
        busy: 0.123,
        rss: Some(123 << 20),
        pss: Some(40 << 20),
        running,
        ..WorkerStatus::default()
    }
}

fn status(workers: Vec<WorkerStatus>) -> Status {
    Status {
        version: "0.1.0".to_owned(),
        site: "shop".to_owned(),
        file: Some("/etc/hostler/shop.toml".to_owned()),
        pid: 4700,
        uptime_us: 90_000_000,
        state: "serving with 1 of 1 workers, generation 2".to_owned(),
        application: "shop.wsgi".to_owned(),
        python: "/srv/shop/.venv/bin/python".to_owned(),
        listeners: vec![ListenerStatus {
            protocol: "http".to_owned(),
            address: "127.0.0.1:8000".to_owned(),
            ..ListenerStatus::default()
        }],
        counters: BTreeMap::from([("crash".to_owned(), 1), ("harakiri".to_owned(), 0)]),
        preload_saved: Some(90 << 20),
        workers,
        ..Status::default()
    }
}

fn at(seconds: u64) -> Moment {
    Moment {
        uptime_us: seconds * 1_000_000,
        unix: 0,
    }
}

fn request(line: &str, age_us: u64) -> RunningStatus {
    RunningStatus {
        thread: 2,
        request: line.to_owned(),
        peer: "127.0.0.1".to_owned(),
        age_us,
    }
}

#[test]
fn a_status_reads_like_this() {
    let expected = "\
shop: serving with 1 of 1 workers, generation 2

  application  shop.wsgi, with /srv/shop/.venv/bin/python
  settings     /etc/hostler/shop.toml
  listening    http on 127.0.0.1:8000
  supervisor   pid 4700 for 1m30, hostler 0.1.0
  requests     12345, 3 failed (5xx); 50% within 2.0ms, 95% 2.0s, 99% 2.0s
  memory       123.0M resident, 40.0M in shares; preloading saves 90.0M
  workers gone 1 by crash

WORKER GEN     PID STATE       AGE   REQUESTS  BUSY    RSS    PSS
     1   2    4711 serving    1h05      12345   12% 123.0M  40.0M

   AGE WORKER THREAD REQUEST
  3.2s      1      2 GET /slow from 127.0.0.1
 200ms      1      2 GET / from 127.0.0.1
";
    let running = vec![request("GET /", 200_000), request("GET /slow", 3_200_000)];
    let worker = WorkerStatus {
        errors: 3,
        latency: [2_000, 2_000, 2_000_000].into_iter().collect(),
        ..worker(running)
    };
    assert_eq!(of_status(&status(vec![worker])), expected);
}

/// What stands behind the line of the supervisor.
#[track_caller]
fn check_past(history: History, expected: &str) {
    let status = Status {
        history,
        counters: BTreeMap::new(),
        ..status(Vec::new())
    };
    let text = of_status(&status);
    let (_, past) = text.split_once("hostler 0.1.0\n").unwrap();
    assert_eq!(past, expected);
}

#[test]
fn what_went_wrong_last_is_told_with_its_traceback() {
    let harakiri = Harakiri {
        at: at(30),
        worker: 3,
        pid: 4711,
        requests: vec![Late {
            request: "GET /slow".to_owned(),
            peer: "10.0.0.1".to_owned(),
            age_us: 30_000_000,
            ..Late::default()
        }],
        traceback: "Thread 1:\n".to_owned() + &"\tFile\n".repeat(20),
        ended: Some("killed by SIGKILL".to_owned()),
        ..Harakiri::default()
    };
    let lines = "      File\n".repeat(11);
    let history = History {
        harakiri: Some(harakiri),
        ..History::default()
    };
    let expected = format!(
        "  harakiri     1m00 ago: worker 3 (pid 4711), killed by SIGKILL
               GET /slow from 10.0.0.1 for 30s

stacks of the last harakiri, the innermost call first:
  Thread 1:
{lines}  (9 more lines with --json)
"
    );
    check_past(history, &expected);
}

#[test]
fn a_crash_is_told_with_what_ran() {
    let crash = Crash {
        at: at(80),
        worker: 1,
        pid: 7,
        status: "killed by SIGSEGV".to_owned(),
        requests: Some("GET / from 10.0.0.1 for 1.0s".to_owned()),
        ..Crash::default()
    };
    let history = History {
        crash: Some(crash),
        ..History::default()
    };
    let expected = "  last crash   10s ago: worker 1 (pid 7), killed by SIGSEGV
               GET / from 10.0.0.1 for 1.0s
";
    check_past(history, expected);
}

#[test]
fn a_reload_is_told_with_its_outcome() {
    let reload = |failure: Option<&str>, traceback: &str| History {
        reload: Some(Reload {
            at: at(85),
            took_us: 1_500_000,
            generation: failure.is_none().then_some(2),
            failure: failure.map(str::to_owned),
            traceback: traceback.to_owned(),
        }),
        ..History::default()
    };
    let took_over = "  last reload  5.0s ago: generation 2 took over within 1.5s\n";
    check_past(reload(None, ""), took_over);
    let expected = "  last reload  5.0s ago: failed after 1.5s: LookupError

traceback of the last reload:
  Traceback
";
    check_past(reload(Some("LookupError"), "Traceback\n"), expected);
}

#[test]
fn the_line_of_the_service_is_told_in_its_parts() {
    let status = Status {
        state:
            "serving with 1 of 1 workers; 0 of 2 threads busy; 0.5 requests/s; last failure: a; b"
                .to_owned(),
        ..Status::default()
    };
    let text = of_status(&status);
    assert!(
        text.starts_with(": serving with 1 of 1 workers\n\n"),
        "{text}"
    );
    assert!(text.contains("\n  now          0 of 2 threads busy; 0.5 requests/s\n"));
    assert!(text.contains("\n  last failure a; b\n"), "{text}");
}

#[test]
fn connections_that_wait_are_told() {
    let socket = ListenerStatus {
        protocol: "http".to_owned(),
        address: "a".to_owned(),
        waiting: 3,
        limit: 4096,
    };
    assert_eq!(listener(&socket), "http on a (3 of 4096 wait)");
}

#[test]
fn more_requests_than_fit_are_counted() {
    let mut text = String::new();
    running(&[worker(vec![request("GET /", 1); 13])], &mut text);
    assert!(text.ends_with("       and 3 more\n"), "{text}");
}

#[test]
fn what_is_not_known_is_left_out() {
    let starting = WorkerStatus {
        state: "starting".to_owned(),
        ..WorkerStatus::default()
    };
    let row = row(&starting);
    assert_eq!(
        row.split_whitespace().filter(|word| *word == "-").count(),
        3
    );
    assert!(!of_status(&Status::default()).contains("WORKER"));
}

#[test]
fn rows_fit_the_narrowest_terminal() {
    let long = RunningStatus {
        request: format!("GET /{}", "x".repeat(200)),
        peer: "[2001:db8::1]:65535".to_owned(),
        age_us: u64::MAX / 2,
        ..RunningStatus::default()
    };
    let worker = WorkerStatus {
        worker: 2047,
        generation: 999,
        pid: 4_194_304,
        requests: 9_999_999_999,
        busy: 1.0,
        rss: Some(999 << 30),
        ..worker(vec![long])
    };
    let text = of_status(&status(vec![worker]));
    assert!(
        text.lines().all(|line| line.chars().count() <= WIDTH),
        "{text}"
    );
}

#[test]
fn a_request_cannot_command_the_terminal() {
    let mut text = String::new();
    running(&[worker(vec![request("GET /\u{1b}[2J", 1)])], &mut text);
    assert!(text.contains("[2J") && !text.contains('\u{1b}'));
}
