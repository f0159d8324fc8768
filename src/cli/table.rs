//! The status as people read it: what there is to say of the service, then a row for each worker, in 80 columns.

use std::fmt::Write;

use crate::supervisor::control::{RunningStatus, Status, WorkerStatus};

/// Columns of the narrowest terminal that people have.
const WIDTH: usize = 80;
const HEADER: &str = "WORKER GEN     PID STATE       AGE   REQUESTS  BUSY    RSS    PSS\n";

/// Everything that people ask for, as a text of several lines.
pub(super) fn of_status(status: &Status) -> String {
    let mut text = format!("{}: {}\n\n", status.site, printable(&status.state));
    for (name, value) in facts(status) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name:<12} {}", printable(&value));
    }
    if !status.workers.is_empty() {
        text.push('\n');
        text.push_str(HEADER);
    }
    for worker in &status.workers {
        text.push_str(&row(worker));
        for request in &worker.running {
            text.push_str(&running(request));
        }
    }
    text
}

fn facts(status: &Status) -> Vec<(&'static str, String)> {
    let listeners = status.listeners.iter();
    let listeners =
        listeners.map(|listener| format!("{} on {}", listener.protocol, listener.address));
    let counters = status.counters.iter().filter(|(_, count)| **count > 0);
    let counters = counters.map(|(cause, count)| format!("{count} by {cause}"));
    let supervisor = format!(
        "pid {} for {}, hostler {}",
        status.pid,
        duration(status.uptime_us),
        status.version
    );
    let all = [
        (
            "application",
            Some(format!("{}, with {}", status.application, status.python)),
        ),
        ("settings", status.file.clone()),
        ("listening", joined(listeners)),
        ("supervisor", Some(supervisor)),
        ("workers gone", joined(counters)),
        (
            "preload",
            status
                .preload_saved
                .map(|bytes| format!("saves {} of memory", size(bytes))),
        ),
    ];
    let known = all
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    known.collect()
}

fn joined(parts: impl Iterator<Item = String>) -> Option<String> {
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn row(worker: &WorkerStatus) -> String {
    let unknown = |bytes: Option<u64>| bytes.map_or_else(|| "-".to_owned(), size);
    let pid = match worker.pid {
        0 => "-".to_owned(),
        pid => pid.to_string(),
    };
    format!(
        "{:>6} {:>3} {pid:>7} {:<9} {:>5} {:>10} {:>4.0}% {:>6} {:>6}\n",
        worker.worker,
        worker.generation,
        worker.state,
        duration(worker.age_us),
        worker.requests,
        worker.busy * 100.0,
        unknown(worker.rss),
        unknown(worker.pss),
    )
}

/// Under the row of its worker, cut where the terminal ends.
fn running(request: &RunningStatus) -> String {
    let age = duration(request.age_us);
    let line = format!("       {age:>5}  {} from {}", request.request, request.peer);
    let cut: String = printable(&line).chars().take(WIDTH).collect();
    format!("{cut}\n")
}

/// What a client has sent must not command the terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// In at most five columns: the two largest units.
fn duration(microseconds: u64) -> String {
    let seconds = microseconds / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 => format!("{}ms", microseconds / 1000),
        1..10 => format!("{:.1}s", microseconds as f64 / 1e6),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{:02}", seconds % 60),
        3600..86_400 => format!("{hours}h{:02}", minutes % 60),
        _ if days < 100 => format!("{days}d{:02}", hours % 24),
        _ => format!("{days}d"),
    }
}

/// In at most six columns, to the base 1024.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    let unit = units.iter().find(|(unit, _)| bytes >= *unit);
    match unit {
        Some((unit, name)) if bytes < 1000 * unit => {
            format!("{:.1}{name}", bytes as f64 / *unit as f64)
        }
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::supervisor::control::ListenerStatus;

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

    #[test]
    fn a_status_reads_like_this() {
        let request = RunningStatus {
            request: "GET /slow".to_owned(),
            peer: "127.0.0.1:5000".to_owned(),
            age_us: 3_200_000,
            ..RunningStatus::default()
        };
        let expected = "\
shop: serving with 1 of 1 workers, generation 2

  application  shop.wsgi, with /srv/shop/.venv/bin/python
  settings     /etc/hostler/shop.toml
  listening    http on 127.0.0.1:8000
  supervisor   pid 4700 for 1m30, hostler 0.1.0
  workers gone 1 by crash
  preload      saves 90.0M of memory

WORKER GEN     PID STATE       AGE   REQUESTS  BUSY    RSS    PSS
     1   2    4711 serving    1h05      12345   12% 123.0M  40.0M
        3.2s  GET /slow from 127.0.0.1:5000
";
        assert_eq!(of_status(&status(vec![worker(vec![request])])), expected);
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
        let request = RunningStatus {
            request: "GET /\u{1b}[2J".to_owned(),
            ..RunningStatus::default()
        };
        assert!(!running(&request).contains('\u{1b}'));
    }

    #[track_caller]
    fn check_duration(microseconds: u64, expected: &str) {
        assert_eq!(duration(microseconds), expected);
        assert!(expected.len() <= 5);
    }

    #[test]
    fn durations_take_five_columns() {
        check_duration(0, "0ms");
        check_duration(999_999, "999ms");
        check_duration(9_940_000, "9.9s");
        check_duration(59_999_999, "59s");
        check_duration(90_000_000, "1m30");
        check_duration(3_900_000_000, "1h05");
        check_duration(90 * 3_600_000_000, "3d18");
        check_duration(100 * 86_400_000_000, "100d");
    }

    #[track_caller]
    fn check_size(bytes: u64, expected: &str) {
        assert_eq!(size(bytes), expected);
        assert!(expected.len() <= 6);
    }

    #[test]
    fn sizes_take_six_columns() {
        check_size(0, "0B");
        check_size(1023, "1023B");
        check_size(1024, "1.0K");
        check_size(999 << 10, "999.0K");
        check_size(1000 << 10, "1000K");
        check_size(3 << 29, "1.5G");
        check_size(2000 << 30, "2000G");
    }
}
