//! Memory that is short, and memory that is used up.

use std::{fs, os::unix::fs::PermissionsExt, thread};

use super::{
    machine::{Machine, address},
    on_each_system, settings,
};
use crate::support::root;

on_each_system!(
    a_site_that_takes_too_much_loses_a_worker,
    under_pressure_idle_workers_go,
);

const SERVICE: &str = "hostler@shop.service";

/// Starts a site that may have so much; where limits of services cannot be enforced, the machine has no more.
fn start(machine: &Machine, cheaper: &str, bytes: u64) {
    let limit = format!("[service]\nmemory-max = {bytes}\n");
    machine.site("shop", &(settings(8000) + cheaper + &limit));
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
    assert_eq!(machine.property(SERVICE, "MemoryMax"), bytes.to_string());
    if !machine.controls("memory") {
        machine.limit_memory(bytes);
    }
}

fn a_site_that_takes_too_much_loses_a_worker(machine: &Machine) {
    start(machine, "", 300 << 20);
    assert_eq!(machine.property(SERVICE, "OOMPolicy"), "continue");
    let supervisor = machine.property(SERVICE, "MainPID");
    let answer = machine.inside(|| {
        let mut client = address(8000).connect();
        client.send_get("/memory?bytes=600000000");
        client.try_answer()
    });
    assert!(answer.is_err(), "{answer:?}");
    let entry = machine.wait_for_entry(&["-u", SERVICE], "a worker died, it is replaced");
    assert_eq!(entry["HOSTLER_STATUS"], "killed by SIGKILL");
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
    assert_eq!(machine.property(SERVICE, "MainPID"), supervisor);
    assert_eq!(machine.property(SERVICE, "NRestarts"), "0");
}

/// The application reads much more than it may keep, so that the kernel always has to make room for the next page.
fn under_pressure_idle_workers_go(machine: &Machine) {
    // A page counts for whoever read it first: the file is for this machine alone.
    let sparse = tempfile::NamedTempFile::new_in(root().join("target")).unwrap();
    sparse.as_file().set_len(1 << 30).unwrap();
    let readable = fs::Permissions::from_mode(0o644);
    sparse.as_file().set_permissions(readable).unwrap();
    let name = sparse.path().file_name().unwrap().to_str().unwrap();
    let cheaper = "[workers.cheaper]\nminimum = 1\ninitial = 2\noverload = 1000\n";
    start(machine, cheaper, 150 << 20);
    let churn = format!("/churn?file=/opt/hostler/target/{name}&until=/run/hostler/shop/end");
    thread::scope(|scope| {
        let reader = scope.spawn(|| machine.get(8000, &churn));
        let matches = ["-u", SERVICE, "HOSTLER_FROM=2", "HOSTLER_TO=1"];
        machine.wait_for_entry(&matches, "memory is short, a worker goes");
        machine.wait_for(SERVICE, "StatusText", |status| {
            status.starts_with("serving with 1 of 1 workers")
        });
        machine.write("/run/hostler/shop/end", "");
        assert_eq!(reader.join().unwrap()["read"], true);
    });
}
