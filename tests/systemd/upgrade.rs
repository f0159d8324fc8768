//! `systemctl reload` after another hostler was installed: a new main process, and nobody notices.

use std::thread;

use super::{
    machine::{Machine, address},
    on_each_system, settings,
};
use crate::support::load::Load;

on_each_system!(
    a_broken_program_fails_the_reload,
    a_stop_lets_the_old_supervisor_finish,
    no_request_is_lost,
    without_a_socket_unit_as_well,
);

const SERVICE: &str = "hostler@shop.service";
const SOCKET: &str = "hostler@shop.socket";
const PROGRAM: &str = "/usr/bin/hostler";

fn start(machine: &Machine, settings: &str) {
    machine.write(
        "/etc/systemd/system/hostler@shop.service.d/watchdog.conf",
        "[Service]\nWatchdogSec=3s\n",
    );
    machine.site("shop", settings);
    machine.succeed(&["systemctl", "start", SOCKET, SERVICE]);
}

/// As a package manager does it: the old file goes when nobody has it open any more.
fn install(machine: &Machine) {
    let install = format!("cp {PROGRAM} {PROGRAM}.new && mv {PROGRAM}.new {PROGRAM}");
    machine.succeed(&["sh", "-c", &install]);
}

fn main_process(machine: &Machine) -> String {
    machine.property(SERVICE, "MainPID")
}

/// Another main process, which systemd has started no second time, and whose watchdog it hears.
#[track_caller]
fn check_upgraded(machine: &Machine, before: &str) {
    assert_ne!(main_process(machine), before);
    assert_eq!(machine.property(SERVICE, "NRestarts"), "0");
    assert_eq!(machine.property(SERVICE, "ActiveState"), "active");
    let last = || machine.property(SERVICE, "WatchdogTimestampMonotonic");
    let then = last();
    machine.wait_for(SERVICE, "WatchdogTimestampMonotonic", |now| now != then);
    for complaint in ["which is not our child", "reception only permitted"] {
        let done = machine.run(&["journalctl", "--quiet", "--grep", complaint]);
        assert_eq!((done.code, done.stdout.as_str()), (Some(1), ""));
    }
}

fn no_request_is_lost(machine: &Machine) {
    start(machine, &settings(8000));
    let load = machine.inside(|| Load::start(&address(8000), "/a", 4));
    for _ in 0..2 {
        load.wait_for(50);
        let before = main_process(machine);
        install(machine);
        machine.succeed(&["systemctl", "reload", SERVICE]);
        check_upgraded(machine, &before);
    }
    machine.succeed(&["systemctl", "reload", SERVICE]);
    machine.succeed(&["systemctl", "restart", SERVICE]);
    load.wait_for(50);
    let (done, failures) = load.finish();
    assert!(
        failures.is_empty(),
        "{} of {done}: {failures:#?}",
        failures.len()
    );
    machine.succeed(&["systemctl", "stop", SERVICE]);
    assert_eq!(machine.property(SERVICE, "Result"), "success");
    assert_eq!(machine.property(SOCKET, "SubState"), "listening");
}

fn without_a_socket_unit_as_well(machine: &Machine) {
    machine.site("shop", &settings(8000));
    machine.succeed(&["systemctl", "mask", SOCKET]);
    machine.succeed(&["systemctl", "start", SERVICE]);
    let load = machine.inside(|| Load::start(&address(8000), "/a", 4));
    load.wait_for(50);
    let before = main_process(machine);
    install(machine);
    machine.succeed(&["systemctl", "reload", SERVICE]);
    assert_ne!(main_process(machine), before);
    load.wait_for(50);
    let (done, failures) = load.finish();
    assert!(
        failures.is_empty(),
        "{} of {done}: {failures:#?}",
        failures.len()
    );
}

fn a_broken_program_fails_the_reload(machine: &Machine) {
    start(machine, &settings(8000));
    let before = main_process(machine);
    let spoil = format!(
        "printf '#!/bin/sh\\nexit 3\\n' > /tmp/new && chmod 755 /tmp/new && \
         cp {PROGRAM} /tmp/good && mv /tmp/new {PROGRAM}"
    );
    machine.succeed(&["sh", "-c", &spoil]);
    // Reloads by signal, because the program that would ask for it is the broken one.
    machine.succeed(&[
        "systemctl",
        "kill",
        "--kill-whom=main",
        "--signal=HUP",
        SERVICE,
    ]);
    machine.wait_for_entry(&["-u", SERVICE], "the new program has ended without a word");
    assert_eq!(main_process(machine), before);
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
    // The new program comes up, and the settings do not.
    machine.succeed(&["mv", "/tmp/good", PROGRAM]);
    machine.write("/etc/hostler/shop.toml", "[app]\nmodul = 1\n");
    let done = machine.run(&["systemctl", "reload", SERVICE]);
    assert_eq!(done.code, Some(1), "{done:?}");
    machine.wait_for_entry(&["-u", SERVICE], "shop.toml:2:1: unknown key `modul`");
    assert_eq!(main_process(machine), before);
    machine.write("/etc/hostler/shop.toml", &settings(8000));
    machine.succeed(&["systemctl", "reload", SERVICE]);
    check_upgraded(machine, &before);
}

fn a_stop_lets_the_old_supervisor_finish(machine: &Machine) {
    start(machine, &settings(8000));
    let slow = thread::scope(|scope| {
        let slow = scope.spawn(|| machine.get(8000, "/slow?until=/run/hostler/shop/end"));
        machine.wait_for_entry(&["-u", SERVICE], "slow request has begun");
        let before = main_process(machine);
        install(machine);
        machine.succeed(&["systemctl", "reload", SERVICE]);
        check_upgraded(machine, &before);
        machine.succeed(&["systemctl", "stop", "--no-block", SERVICE]);
        machine.wait_for(SERVICE, "ActiveState", |state| state == "deactivating");
        machine.write("/run/hostler/shop/end", "");
        slow.join().unwrap()
    });
    assert_eq!(slow["slow"], true);
    machine.wait_for(SERVICE, "ActiveState", |state| state == "inactive");
    assert_eq!(machine.property(SERVICE, "Result"), "success");
}
