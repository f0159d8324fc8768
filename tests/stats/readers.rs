//! Programs that were made for uWSGI's stats and know nothing of hostler: uwsgitop in a terminal (`uwsgitop.py`), and an
//! exporter for Prometheus (`exporter.py`).

use std::{path::Path, process::Command};

use serde_json::Value;

use super::{FREE, site, stats_address, worker};
use crate::support::{root, site::Running, venv};

/// What a script of this directory prints.
fn run(script: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(venv().join("bin/python"));
    command.arg(root().join("tests/stats").join(script));
    let output = command.args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What uwsgitop shows of a site, in each of its three views.
fn uwsgitop(address: &str) -> Value {
    let program: &Path = &venv().join("bin/uwsgitop");
    serde_json::from_str(&run("uwsgitop.py", &[program.to_str().unwrap(), address])).unwrap()
}

#[track_caller]
fn check_uwsgitop(stats: &str, address: impl Fn(&Running) -> String) {
    let site = site("process", stats).workers(1, 1).start();
    site.get("/pid");
    site.wait_until("it is counted", || match stats.contains("http") {
        true => stats_address(&site).get("/").json()["workers"][0]["requests"] == 1,
        false => worker(&site)["requests"] == 1,
    });
    let pid = site.child_named("hostler-worker");
    let screens = uwsgitop(&address(&site));
    assert_eq!(screens.as_array().map(Vec::len), Some(3));
    for screen in screens.as_array().unwrap() {
        let screen = screen.as_str().unwrap();
        let wanted = [
            format!("uwsgi-{}", env!("CARGO_PKG_VERSION")),
            "req: 1".to_owned(),
            pid.to_string(),
            "idle".to_owned(),
        ];
        for text in wanted {
            assert!(screen.contains(&text), "{text:?} in {screen}");
        }
    }
}

#[test]
fn uwsgitop_shows_it_over_every_kind_of_socket() {
    check_uwsgitop(FREE, |site| stats_address(site).0);
    check_uwsgitop(&format!("{FREE}\nhttp = true"), |site| {
        format!("http://{}", stats_address(site).0)
    });
    check_uwsgitop("address = \"@hostler-test-uwsgitop\"", |site| {
        stats_address(site).0
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stats.sock");
    check_uwsgitop(&format!("address = {path:?}"), |site| stats_address(site).0);
}

#[track_caller]
fn check_exporter(stats: &str, address: impl Fn(&str) -> String) {
    let site = site("process", &format!("{stats}\nhttp = true"))
        .workers(1, 1)
        .start();
    let bound = stats_address(&site);
    site.get("/pid");
    site.wait_until("it is counted", || {
        bound.get("/").json()["workers"][0]["requests"] == 1
    });
    let said = run("exporter.py", &[&address(&bound.0)]);
    for line in [
        "uwsgi_workers_requests{worker=\"1\"} 1.0",
        "uwsgi_workers_respawn_count{worker=\"1\"} 1.0",
        "uwsgi_workers_cores_in_request{core=\"0\",worker=\"1\"} 0.0",
        "uwsgi_workers_apps_requests{app=\"0\",worker=\"1\"} 1.0",
        "uwsgi_listen_queue 0.0",
    ] {
        assert!(said.lines().any(|said| said == line), "{line} in {said}");
    }
}

#[test]
fn an_exporter_reads_it() {
    check_exporter(FREE, |address| format!("http://{address}"));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("stats.sock");
    check_exporter(&format!("address = {path:?}"), |address| {
        format!("http+unix://{}", address.replace('/', "%2F"))
    });
}
