//! What `journalctl` answers for a site, and a site whose journald is not well.

use serde_json::Value;

use super::{
    machine::{Machine, address},
    on_each_system,
};
use crate::support::load::Load;

on_each_system!(
    a_journald_that_is_gone_holds_nobody_up,
    a_journald_that_sleeps_holds_nobody_up,
    every_kind_of_entry_has_its_fields,
    failures_are_found_by_status_and_by_request,
);

const SERVICE: &str = "hostler@shop.service";
const JOURNALD: &str = "systemd-journald.service";

/// A site that logs its requests, and that is told their names.
fn start(machine: &Machine) {
    let settings = "[app]\nfile = \"/opt/hostler/tests/apps/log/app.py\"\n[workers]\nthreads = 2\n\
        [log]\naccess = true\n[http]\ntrusted-proxies = [\"127.0.0.1\"]\n\
        [[listen]]\naddress = \"127.0.0.1:8000\"\n";
    // Nothing but what hostler itself drops is to be missing.
    machine.write(
        "/etc/systemd/system/hostler@shop.service.d/rate.conf",
        "[Service]\nLogRateLimitIntervalSec=0\n",
    );
    machine.site("shop", settings);
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
}

/// A request called `id`.
fn ask(machine: &Machine, target: &str, id: &str) -> u16 {
    let headers = [("X-Request-ID", id), ("traceparent", TRACE)];
    machine.inside(|| address(8000).request("GET", target, &headers, b"").status)
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The only entry that matches has these fields.
#[track_caller]
fn check(machine: &Machine, matches: &[&str], fields: &[(&str, &str)]) -> Value {
    let found = machine.journal(&[&["-u", SERVICE], matches].concat());
    assert_eq!(found.len(), 1, "{matches:?}: {found:#?}");
    let entry = &found[0];
    let common = [
        ("HOSTLER_SITE", "shop"),
        ("SYSLOG_IDENTIFIER", "hostler"),
        ("_SYSTEMD_UNIT", SERVICE),
    ];
    for (name, value) in common.iter().chain(fields) {
        assert_eq!(entry[*name], *value, "{name} in {entry:#}");
    }
    entry.clone()
}

fn every_kind_of_entry_has_its_fields(machine: &Machine) {
    start(machine);
    for (target, id) in [
        ("/printed", "one"),
        ("/logged", "two"),
        ("/native", "three"),
    ] {
        assert_eq!(ask(machine, target, id), 200);
    }
    let worker = ("HOSTLER_ROLE", "worker");
    let number = ("HOSTLER_WORKER", "0");
    let request = [
        worker,
        number,
        ("HTTP_METHOD", "GET"),
        ("HTTP_STATUS", "200"),
        ("HTTP_HOST", "localhost"),
        ("HTTP_TRACEPARENT", TRACE),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REQUEST_URI", "/printed"),
        ("PRIORITY", "6"),
    ];
    let entry = check(
        machine,
        &["HOSTLER_REQUEST_ID=one", "HTTP_METHOD=GET"],
        &request,
    );
    for number in ["DURATION_USEC", "RESPONSE_BYTES"] {
        let value = entry[number].as_str().unwrap().parse::<u64>();
        assert!(value.unwrap() > 0, "{entry:#}");
    }
    for (message, stream) in [("printed 1 2", "stdout"), ("to stderr", "stderr")] {
        let matches = ["HOSTLER_REQUEST_ID=one", &format!("MESSAGE={message}")];
        check(
            machine,
            &matches,
            &[worker, number, ("HOSTLER_STREAM", stream)],
        );
    }
    let record = [
        worker,
        ("MESSAGE", "logged value"),
        ("PRIORITY", "4"),
        ("CODE_FILE", "/opt/hostler/tests/apps/log/app.py"),
        ("CODE_FUNC", "logged"),
    ];
    let logger = "HOSTLER_LOGGER=shop.views";
    check(machine, &["HOSTLER_REQUEST_ID=two", logger], &record);
    for message in ["MESSAGE=from C", "MESSAGE=from a program"] {
        check(machine, &[message], &[number, ("HOSTLER_STREAM", "output")]);
    }
    let event = [
        "HOSTLER_ROLE=supervisor",
        "CODE_FILE=src/cli/serve.rs",
        "PRIORITY=6",
    ];
    let event = [
        &event[..],
        &["MESSAGE=hostler starts version=0.1.0 site=shop"],
    ]
    .concat();
    let entry = check(
        machine,
        &event,
        &[("HOSTLER_VERSION", env!("CARGO_PKG_VERSION"))],
    );
    assert!(entry["CODE_LINE"].as_str().unwrap().parse::<u32>().is_ok());
}

fn failures_are_found_by_status_and_by_request(machine: &Machine) {
    start(machine);
    assert_eq!(ask(machine, "/failed", "bad"), 500);
    assert_eq!(ask(machine, "/raised", "caught"), 200);
    let request = [("REQUEST_URI", "/failed"), ("PRIORITY", "3")];
    check(machine, &["HTTP_STATUS=500"], &request);
    for (id, last) in [("bad", "ValueError: no"), ("caught", "KeyError: 'x'")] {
        let id = format!("HOSTLER_REQUEST_ID={id}");
        let entries = machine.journal(&["-u", SERVICE, &id, "PRIORITY=3"]);
        let mut messages = entries.iter().filter_map(|entry| entry["MESSAGE"].as_str());
        let traceback =
            messages.find(|message| message.contains("Traceback (most recent call last):\n"));
        let traceback = traceback.unwrap_or_else(|| panic!("{entries:#?}"));
        assert!(traceback.trim_end().ends_with(last), "{traceback}");
    }
}

/// Requests are answered while `end` has made journald useless; when `begin` has mended it, it hears what it missed.
fn nobody_waits(machine: &Machine, end: &[&str], begin: &[&str]) {
    start(machine);
    machine.succeed(end);
    let load = machine.inside(|| Load::start(&address(8000), "/printed", 4));
    load.wait_for(500);
    machine.succeed(begin);
    load.wait_for(50);
    // It is told together with an entry that arrives, so there have to be some until then.
    let entry = machine.wait_for_entry(&["-u", SERVICE, "PRIORITY=4"], "log entries were lost");
    let (_, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:#?}");
    let lost: u64 = entry["HOSTLER_LOST"].as_str().unwrap().parse().unwrap();
    assert!(lost > 0);
}

fn a_journald_that_sleeps_holds_nobody_up(machine: &Machine) {
    let pid = machine.property(JOURNALD, "MainPID");
    nobody_waits(machine, &["kill", "-STOP", &pid], &["kill", "-CONT", &pid]);
}

fn a_journald_that_is_gone_holds_nobody_up(machine: &Machine) {
    let units = [
        "systemd-journald.socket",
        "systemd-journald-dev-log.socket",
        JOURNALD,
    ];
    let with = |verb| [&["systemctl", verb], &units[..]].concat();
    nobody_waits(machine, &with("stop"), &with("start"));
}
