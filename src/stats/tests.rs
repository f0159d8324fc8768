//! The document to the letter.

use crate::scoreboard::{RunningRequest, ThreadSnapshot, Totals};

use super::*;

fn answered(requests: u64, bytes: u64, busy_us: u64) -> ThreadSnapshot {
    ThreadSnapshot {
        requests,
        bytes,
        busy_us,
        ..ThreadSnapshot::default()
    }
}

fn busy() -> ThreadSnapshot {
    ThreadSnapshot {
        running: Some(RunningRequest {
            began_us: 7_000_000,
            deadline_us: 0,
            line: "GET /a?b=\"c\"".to_owned(),
            peer: "192.0.2.1".to_owned(),
            name: String::new(),
        }),
        exceptions: 1,
        files: 2,
        read_errors: 3,
        write_errors: 4,
        ..answered(5, 600, 1001)
    }
}

fn site(workers: Vec<Worker>) -> Facts {
    Facts {
        pid: 10,
        uid: 33,
        gid: 34,
        cwd: "/srv/shop".to_owned(),
        now_us: 10_500_000,
        now_unix: 1_700_000_000,
        sockets: vec![Socket {
            name: "127.0.0.1:8000".to_owned(),
            protocol: "http".to_owned(),
            waiting: 2,
            limit: 4096,
        }],
        mounts: vec![String::new()],
        workers,
    }
}

fn worker(phase: Phase, threads: Vec<ThreadSnapshot>) -> Worker {
    Worker {
        pid: 11,
        phase,
        rss: 4096,
        vsz: 8192,
        threads,
        ..Worker::default()
    }
}

fn json(facts: &Facts) -> serde_json::Value {
    serde_json::from_slice(&Document::new(facts).encode().unwrap()).unwrap()
}

#[test]
fn the_document_is_this() {
    let mut worker = worker(Phase::Accepting, vec![busy()]);
    worker.tally.spawn(&[], &Totals::default(), 1_600_000_000);
    let text = Document::new(&site(vec![worker])).encode().unwrap();
    let expected = include_str!("document.json").replace("0.1.0", env!("CARGO_PKG_VERSION"));
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn a_site_without_anything_is_a_document_too() {
    let json = json(&Facts::default());
    assert_eq!(json["listen_queue"], 0);
    assert_eq!(json["workers"].as_array().unwrap().len(), 0);
}

#[track_caller]
fn check_status(phase: Phase, thread: ThreadSnapshot, expected: &str) {
    let json = json(&site(vec![worker(phase, vec![thread])]));
    assert_eq!(json["workers"][0]["status"], expected);
}

#[test]
fn states_have_the_names_of_uwsgi() {
    check_status(Phase::Accepting, answered(1, 1, 1), "idle");
    check_status(Phase::Accepting, busy(), "busy");
    check_status(Phase::Closed, busy(), "busy");
    check_status(Phase::Stopped, busy(), "pause");
    check_status(Phase::None, busy(), "cheap");
}

#[test]
fn a_worker_that_is_gone_works_on_nothing() {
    let json = json(&site(vec![worker(Phase::None, vec![busy()])]));
    let core = &json["workers"][0]["cores"][0];
    assert_eq!(
        (&core["in_request"], &core["requests"]),
        (&0.into(), &5.into())
    );
    assert_eq!(core["vars"], serde_json::json!([]));
}

#[test]
fn counters_go_on_when_a_worker_is_replaced() {
    let mut tally = Tally::default();
    tally.spawn(&[], &Totals::default(), 1);
    let left = [answered(3, 30, 300), answered(4, 40, 400)];
    tally.spawn(&left, &Totals::default(), 2);
    let worker = Worker {
        tally,
        ..worker(
            Phase::Accepting,
            vec![answered(1, 10, 100), answered(0, 0, 0)],
        )
    };
    let json = json(&site(vec![worker]));
    let worker = &json["workers"][0];
    let check = |key: &str, expected: u64| assert_eq!(worker[key], expected, "{key}");
    check("requests", 8);
    check("delta_requests", 1);
    check("tx", 80);
    check("running_time", 800);
    check("avg_rt", 100);
    check("respawn_count", 2);
    check("last_spawn", 2);
    assert_eq!(worker["cores"][1]["requests"], 4);
}

#[test]
fn requests_of_several_applications_are_nobodys() {
    let mut facts = site(vec![worker(Phase::Accepting, vec![busy()])]);
    facts.mounts.push("/blog".to_owned());
    let json = json(&facts);
    let apps = &json["workers"][0]["apps"];
    assert_eq!(
        (&apps[1]["mountpoint"], &apps[1]["id"]),
        (&"/blog".into(), &1.into())
    );
    assert_eq!(
        (&apps[0]["requests"], &apps[1]["requests"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn the_longest_queue_is_the_load() {
    let mut facts = site(Vec::new());
    let socket = |waiting| Socket {
        waiting,
        ..Socket::default()
    };
    facts.sockets = vec![socket(3), socket(9), socket(1)];
    let json = json(&facts);
    assert_eq!(
        (&json["listen_queue"], &json["load"]),
        (&9.into(), &9.into())
    );
}
