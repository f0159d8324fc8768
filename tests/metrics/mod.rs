//! `[metrics]`: what is served at its address, and that it is true.
//!
//! `names`: the document, the dashboard and what is served name the same; `page`: the status page in a real browser;
//! `reload`: what becomes of the address and of the counters.

mod names;
mod page;
mod reload;

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::Signal,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    process::Held,
    support::{
        address::Address,
        process::{Process, Watched},
        root,
        site::{Running, Site},
        venv,
    },
};

const FREE: &str = "address = \"127.0.0.1:0\"";

/// A site with that line in `[metrics]`.
fn site(app: &str, metrics: &str) -> Site {
    Site::app(app).bare().setting("metrics", metrics)
}

/// The `nth` address that the log tells, counted from 1.
fn nth_metrics_address(process: &Process, nth: usize) -> Address {
    process.wait_for_nth("where metrics are given out", nth, |line| {
        let (_, fields) = line.split_once("metrics are given out")?;
        let (_, address) = fields.split_once("address=")?;
        let address = address.split_whitespace().next()?;
        Some(Address(address.trim_matches('"').to_owned()))
    })
}

fn metrics_address(site: &Running) -> Address {
    nth_metrics_address(&site.process, 1)
}

/// A metric as the parser of Prometheus's library has it.
#[derive(Debug, Deserialize)]
struct Family {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    unit: String,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

/// Everything that is served, read by that parser.
fn families_at(address: &Address) -> Vec<Family> {
    let answer = address.get("/metrics");
    assert_eq!(
        (answer.status, answer.header("Content-Type")),
        (
            200,
            Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
        )
    );
    let mut parser = Command::new(venv().join("bin/python"))
        .arg(root().join("tests/metrics/parse.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    { parser.stdin.take().unwrap() }
        .write_all(&answer.body)
        .unwrap();
    let output = parser.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}\n{}", answer.text());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The sum of all samples that are written so: `name` or `name{label="value"}`, with one label or more of those it has.
fn value_at(address: &Address, wanted: &str) -> f64 {
    let text = address.get("/metrics").text();
    let (name, labels) = wanted.split_once('{').unwrap_or((wanted, ""));
    let labels = labels.trim_end_matches('}');
    let lines = text.lines().filter(|line| {
        let end = line.find(['{', ' ']).unwrap_or_default();
        &line[..end] == name && labels.split(',').all(|label| line.contains(label))
    });
    let values = lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap());
    let values: Vec<f64> = values.collect();
    assert!(!values.is_empty(), "no {wanted} in {text}");
    values.iter().sum()
}

fn value(site: &Running, wanted: &str) -> f64 {
    value_at(&metrics_address(site), wanted)
}

#[test]
fn requests_are_counted_by_mount_and_class() {
    let site = site("metrics", FREE)
        .setting(
            "[mount]",
            "path = \"/blog\"\nmodule = \"entry:application\"",
        )
        .start();
    for path in ["/", "/missing", "/blog/", "/blog/missing", "/blog/missing"] {
        site.get(path);
    }
    let count = |mount: &str, class: &str| {
        let labels = format!("mount=\"{mount}\",class=\"{class}\"");
        value(&site, &format!("hostler_requests_total{{{labels}}}"))
    };
    site.wait_until("all are counted", || {
        value(&site, "hostler_requests_total") == 5.0
    });
    assert_eq!((count("/", "2xx"), count("/", "4xx")), (1.0, 1.0));
    assert_eq!((count("/blog", "2xx"), count("/blog", "4xx")), (1.0, 2.0));
    assert_eq!(count("none", "2xx"), 0.0);
}

#[test]
fn what_is_answered_without_an_application_is_nobodys() {
    let served = root().join("tests/apps/metrics");
    let site = site("metrics", FREE)
        .setting("static", &format!("map = {{ \"/files\" = {served:?} }}"))
        .start();
    assert_eq!(site.get("/files/app.py").status, 200);
    let mut client = site.address().connect();
    client.send(b"nonsense\r\n\r\n");
    client.rest();
    site.wait_until("both are counted", || {
        value(
            &site,
            "hostler_requests_total{mount=\"none\",class=\"2xx\"}",
        ) == 1.0
            && value(&site, "hostler_refused_total") == 1.0
    });
    assert_eq!(value(&site, "hostler_file_requests_total"), 1.0);
    assert_eq!(value(&site, "hostler_request_queue_seconds_count"), 0.0);
    assert!(value(&site, "hostler_sent_bytes_total") > 100.0);
    assert!(value(&site, "hostler_received_bytes_total") > 20.0);
}

#[test]
fn time_is_told_apart_by_what_it_was_spent_on() {
    let site = site("metrics", FREE).workers(1, 4).start();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..3 {
                    assert_eq!(site.get("/spin").status, 200);
                }
            });
        }
    });
    site.wait_until("all are counted", || {
        value(&site, "hostler_request_duration_seconds_count") == 12.0
    });
    let sum = value(&site, "hostler_request_duration_seconds_sum");
    let parts = ["application", "lock_wait", "client_wait"]
        .map(|part| value(&site, &format!("hostler_{part}_seconds_total")));
    assert!(parts[0] > 0.0 && parts[1] > 0.0, "{parts:?}");
    // All of the requests were the application's, and nothing is counted twice; each part was cut to whole microseconds.
    assert!(
        (sum - parts.iter().sum::<f64>()).abs() < 1e-4,
        "{sum} {parts:?}"
    );
    assert!(value(&site, "hostler_request_queue_seconds_sum") > 0.0);
    assert!(value(&site, "hostler_worker_cpu_seconds_total") >= 0.5);
    assert_eq!(
        value(
            &site,
            "hostler_request_duration_seconds_bucket{le=\"0.02\"}"
        ),
        0.0
    );
}

#[test]
fn workers_threads_and_memory_are_shown() {
    let site = site("process", FREE).workers(2, 3).start();
    let held = Held::begin(&site);
    let shown = |wanted: &str| value(&site, wanted);
    assert_eq!(shown("hostler_threads{state=\"busy\"}"), 1.0);
    assert_eq!(shown("hostler_threads{state=\"idle\"}"), 5.0);
    assert_eq!(shown("hostler_workers{state=\"serving\"}"), 2.0);
    assert_eq!(shown("hostler_workers_wanted"), 2.0);
    assert_eq!(shown("hostler_connections_open"), 1.0);
    assert!(shown("hostler_listen_queue_limit") > 0.0);
    let (rss, pss) = (
        shown("hostler_worker_rss_bytes"),
        shown("hostler_worker_pss_bytes"),
    );
    assert!(
        rss > 2.0 * f64::from(1 << 20) && pss > 0.0 && pss < rss,
        "{rss} {pss}"
    );
    let shared = shown("hostler_worker_shared_ratio") / 2.0;
    assert!(shared > 0.0 && shared < 1.0, "{shared}");
    held.end();
    site.wait_until("it is idle", || {
        shown("hostler_threads{state=\"busy\"}") == 0.0
    });
}

#[test]
fn causes_of_respawns_are_counted() {
    let site = site("process", FREE).workers(1, 1).start();
    let killed = Watched::new(site.child_named("hostler-worker"));
    killed.signal(Signal::KILL);
    killed.wait();
    site.wait_until("it is counted", || {
        value(&site, "hostler_respawns_total{cause=\"crash\"}") == 1.0
    });
    assert_eq!(value(&site, "hostler_respawns_total"), 1.0);
}

#[test]
fn readiness_ends_when_the_drain_begins_and_health_does_not() {
    let mut site = site("process", FREE).workers(1, 1).start();
    let metrics = metrics_address(&site);
    assert_eq!(metrics.get("/readyz").text(), "ready\n");
    assert_eq!(value(&site, "hostler_ready"), 1.0);
    let held = Held::begin(&site);
    site.process.signal(Signal::TERM);
    site.wait_until("it is not ready", || metrics.get("/readyz").status == 503);
    let told = metrics.get("/readyz").text();
    assert!(told.starts_with("not ready: stopping"), "{told}");
    assert_eq!(metrics.get("/healthz").text(), "ok\n");
    assert_eq!(value_at(&metrics, "hostler_ready"), 0.0);
    held.end();
    assert!(site.process.wait().success());
}

#[test]
fn nobody_is_ready_before_a_worker_is() {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let held = directory.path().join("held.py");
    std::fs::write(held, "import os\nopen(os.environ['FIFO']).read()\n").unwrap();
    let (process, _directory) = site("metrics", FREE)
        .app_setting(&format!("python-path = [{:?}]", directory.path()))
        .app_setting("import = [\"held\"]")
        .env("FIFO", fifo.to_str().unwrap())
        .launch();
    let metrics = nth_metrics_address(&process, 1);
    assert_eq!(metrics.get("/readyz").status, 503);
    assert_eq!(metrics.get("/healthz").status, 200);
    std::fs::write(&fifo, "go on").unwrap();
    process.wait_for_text("supervisor: ready");
    assert_eq!(metrics.get("/readyz").status, 200);
}

#[track_caller]
fn check_status(site: &Running, method: &str, path: &str, expected: u16) {
    let answer = metrics_address(site).request(method, path, &[], b"");
    assert_eq!(answer.status, expected, "{method} {path}");
}

#[test]
fn only_what_is_there_is_answered() {
    let site = site("metrics", FREE).start();
    check_status(&site, "GET", "/metrics?x=y", 200);
    check_status(&site, "HEAD", "/metrics", 200);
    check_status(&site, "POST", "/metrics", 405);
    check_status(&site, "GET", "/nothing", 404);
    // Nobody has asked for the page.
    check_status(&site, "GET", "/", 404);
    check_status(&site, "GET", "/live.json", 404);
    let mut client = metrics_address(&site).connect();
    client.send(b"nonsense\r\n\r\n");
    assert!(client.rest().starts_with(b"HTTP/1.1 400 "));
}

#[test]
fn clients_that_do_nothing_hold_nobody() {
    let site = site("metrics", FREE).start();
    let address = metrics_address(&site);
    let silent: Vec<_> = (0..64).map(|_| address.connect()).collect();
    assert_eq!(address.get("/healthz").status, 200);
    drop(silent);
    let mut endless = address.connect();
    endless.send(&[b'a'; 9 << 10]);
    assert!(endless.rest().is_empty());
}

#[test]
fn the_page_polls_the_same_numbers() {
    let site = site("process", &format!("{FREE}\npage = true"))
        .workers(1, 2)
        .start();
    let held = Held::begin(&site);
    let live = metrics_address(&site).get("/live.json").json();
    let running = &live["workers"][0]["running"][0];
    let expected = format!("GET {}", held.target());
    assert_eq!(running["request"], Value::from(expected));
    assert_eq!(live["bounds"].as_array().unwrap().len(), 88);
    held.end();
}
