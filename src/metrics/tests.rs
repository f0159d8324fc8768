//! The exposition to the letter, and what the page gets.

use crate::scoreboard::{Answered, Asked, Scoreboard, Totals};

use super::*;

fn running(thread: u32) -> Running {
    Running {
        thread,
        request: "GET /a?b=\"<c>\"".to_owned(),
        peer: "192.0.2.1".to_owned(),
        age_us: 1_500_000,
    }
}

fn done() -> Totals {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    let thread = scoreboard.thread(0, 0);
    for took_us in [100, 101, 2_000_000] {
        thread.begin(1, 0, b"GET", b"/", b"");
        let asked = Asked {
            queued_us: 30,
            lock_us: 10,
            client_us: 20,
            ..Asked::default()
        };
        let answered = Answered {
            status: 200,
            sent: 500,
            asked: Some(asked),
        };
        thread.end(1 + took_us, &answered);
    }
    thread.received(200);
    thread.accepted();
    scoreboard.totals(0)
}

fn facts() -> Facts {
    let memory = Memory {
        rss: 4000,
        pss: 3000,
        shared: 1000,
    };
    let worker = Worker {
        worker: 0,
        generation: 2,
        pid: 11,
        state: "serving",
        threads: 3,
        running: vec![running(1), running(3)],
        memory: Some(memory),
        cpu_us: Some(2_500_000),
        ..Worker::default()
    };
    Facts {
        site: "shop".to_owned(),
        is_ready: true,
        generation: 2,
        started_unix: 1_700_000_000,
        wanted: 2,
        done: done(),
        responses: vec![
            ("/".to_owned(), [0, 3, 0, 0, 0]),
            ("na\"me\\\n".to_owned(), [0; 5]),
        ],
        connections: 1,
        sockets: vec![Socket {
            address: "127.0.0.1:80".to_owned(),
            protocol: "http".to_owned(),
            waiting: 2,
            limit: 4096,
        }],
        workers: vec![worker],
        respawns: vec![("crash", 1), ("reload", 2)],
        reloads_done: 1,
        preload_saved: Some(77),
        ..Facts::default()
    }
}

#[track_caller]
fn check(expected: &[&str]) {
    let text = text(facts()).unwrap();
    for line in expected {
        assert!(text.lines().any(|one| one == *line), "{line}\n{text}");
    }
}

#[test]
fn every_value_has_its_line() {
    check(&[
        "hostler_requests_total{mount=\"/\",class=\"2xx\"} 3",
        "hostler_received_bytes_total 200",
        "hostler_sent_bytes_total 1500",
        "hostler_application_seconds_total 2.000111",
        "hostler_lock_wait_seconds_total 0.00003",
        "hostler_client_wait_seconds_total 0.00006",
        "hostler_connections_open 1",
        "hostler_listen_queue{address=\"127.0.0.1:80\",protocol=\"http\"} 2",
        "hostler_workers{state=\"serving\"} 1",
        "hostler_workers{state=\"killed\"} 0",
        "hostler_workers_wanted 2",
        "hostler_respawns_total{cause=\"reload\"} 2",
        "hostler_worker_cpu_seconds_total{worker=\"0\",generation=\"2\"} 2.5",
        "hostler_worker_rss_bytes{worker=\"0\",generation=\"2\"} 4000",
        "hostler_worker_shared_ratio{worker=\"0\",generation=\"2\"} 0.25",
        "hostler_preload_saved_bytes 77",
        "hostler_reloads_total{outcome=\"done\"} 1",
        "hostler_ready 1",
        "hostler_start_time_seconds 1700000000",
        "# EOF",
    ]);
}

#[test]
fn only_threads_of_the_application_are_busy() {
    check(&[
        "hostler_threads{state=\"busy\"} 1",
        "hostler_threads{state=\"idle\"} 2",
    ]);
}

#[test]
fn histograms_have_the_bounds_that_people_ask_for() {
    check(&[
        "# TYPE hostler_request_duration_seconds histogram",
        "# UNIT hostler_request_duration_seconds seconds",
        "hostler_request_duration_seconds_count 3",
        "hostler_request_duration_seconds_sum 2.000201",
        "hostler_request_duration_seconds_bucket{le=\"0.0001\"} 1",
        "hostler_request_duration_seconds_bucket{le=\"0.0002\"} 2",
        "hostler_request_duration_seconds_bucket{le=\"1.0\"} 2",
        "hostler_request_duration_seconds_bucket{le=\"2.0\"} 3",
        "hostler_request_duration_seconds_bucket{le=\"+Inf\"} 3",
        "hostler_request_queue_seconds_bucket{le=\"100.0\"} 3",
    ]);
}

#[test]
fn labels_are_escaped() {
    check(&["hostler_requests_total{mount=\"na\\\"me\\\\\\n\",class=\"5xx\"} 0"]);
}

#[test]
fn the_page_gets_the_same() {
    let json: serde_json::Value = serde_json::from_str(&live(&facts()).unwrap()).unwrap();
    assert_eq!(json["site"], "shop");
    assert_eq!(
        json["done"]["latency"]["steps"].as_array().unwrap().len(),
        3
    );
    assert_eq!(json["responses"][0]["classes"][1], 3);
    assert_eq!(
        json["workers"][0]["running"][0]["request"],
        "GET /a?b=\"<c>\""
    );
    assert_eq!(json["workers"][0]["memory"]["pss"], 3000);
}
