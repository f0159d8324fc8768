//! The package for Debian, on Debian 12 and 13: apt's and dpkg's ways.

use super::{
    Install, SERVICE, SOCKET, check_installation, check_reinstallation, check_upgrade, main_pid,
    running, start,
};
use crate::{
    support::package::package,
    systemd::{machine::Machine, on_each_system},
};

on_each_system!(with crate::systemd::package::on:
    a_reinstallation_loses_no_request,
    an_installation_starts_nothing,
    an_upgrade_loses_no_request,
    an_upgrade_touches_nothing_where_the_policy_forbids_it,
    purging_leaves_what_is_the_administrators,
    removal_ends_the_sites_and_a_new_installation_brings_them_back,
);

const INSTALL: Install = |machine, revision| {
    let path = path(revision);
    run(machine, &["dpkg", "--install", &path])
};

/// As the documents say it; there is no network.
const APT_INSTALL: Install = |machine, revision| {
    let path = path(revision);
    run(machine, &["apt-get", "install", "--yes", &path])
};

fn path(revision: u32) -> String {
    let name = package("deb", revision);
    let name = name.file_name().unwrap().to_str().unwrap();
    format!("/opt/hostler/target/package/tests/{name}")
}

/// What a package manager says, which has nobody to ask.
#[track_caller]
fn run(machine: &Machine, command: &[&str]) -> String {
    let done = machine.run(&[&["env", "DEBIAN_FRONTEND=noninteractive"], command].concat());
    assert_eq!(done.code, Some(0), "{done:?}{}", machine.log());
    done.stdout + &done.stderr
}

fn an_installation_starts_nothing(machine: &Machine) {
    check_installation(machine, APT_INSTALL);
    // Every file is as it was packed.
    assert_eq!(machine.succeed(&["dpkg", "--verify", "hostler"]), "");
}

fn an_upgrade_loses_no_request(machine: &Machine) {
    check_upgrade(machine, INSTALL);
}

fn a_reinstallation_loses_no_request(machine: &Machine) {
    check_reinstallation(machine, INSTALL);
}

/// As administrators have it who choose the hour themselves (/usr/share/doc/init-system-helpers/README.policy-rc.d.gz).
fn an_upgrade_touches_nothing_where_the_policy_forbids_it(machine: &Machine) {
    INSTALL(machine, 1);
    start(machine);
    let old = main_pid(machine);
    machine.write("/usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n");
    machine.succeed(&["chmod", "755", "/usr/sbin/policy-rc.d"]);
    INSTALL(machine, 2);
    assert_eq!(main_pid(machine), old);
    machine.succeed(&["systemctl", "reload", SERVICE]);
    assert_ne!(main_pid(machine), old);
}

fn removal_ends_the_sites_and_a_new_installation_brings_them_back(machine: &Machine) {
    INSTALL(machine, 1);
    start(machine);
    run(machine, &["apt-get", "remove", "--yes", "hostler"]);
    assert_eq!(running(machine), "");
    assert_ne!(machine.run(&["pgrep", "-u", "hostler"]).code, Some(0));
    machine.succeed(&["test", "!", "-e", "/usr/bin/hostler"]);
    // It starts nothing now either; what was enabled comes with the next boot, or when it is asked for.
    INSTALL(machine, 1);
    assert_eq!(running(machine), "");
    assert_eq!(
        machine.succeed(&["systemctl", "is-enabled", SOCKET]),
        "enabled\n"
    );
    machine.succeed(&["systemctl", "start", "sockets.target"]);
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
}

fn purging_leaves_what_is_the_administrators(machine: &Machine) {
    INSTALL(machine, 1);
    start(machine);
    machine.write("/var/lib/hostler/shop/orders", "1\n");
    machine.write("/var/log/hostler/shop/site.log", "a line\n");
    let said = run(machine, &["apt-get", "purge", "--yes", "hostler"]);
    for kept in ["/etc/hostler", "/var/lib/hostler"] {
        assert!(said.contains(&format!("{kept} is left as it is")), "{said}");
    }
    for kept in ["/etc/hostler/shop.toml", "/var/lib/hostler/shop/orders"] {
        machine.succeed(&["test", "-e", kept]);
    }
    // Files of it may be anywhere, and must not become somebody else's.
    machine.succeed(&["getent", "passwd", "hostler"]);
    let link = format!("/etc/systemd/system/sockets.target.wants/{SOCKET}");
    for gone in [
        "/var/log/hostler",
        "/var/cache/hostler",
        "/etc/hostler/README",
        &link,
    ] {
        machine.succeed(&["test", "!", "-e", gone, "-a", "!", "-L", gone]);
    }
    assert_eq!(machine.property(SERVICE, "LoadState"), "not-found");
    machine.succeed(&[
        "sh",
        "-c",
        "test -z \"$(dpkg-query -W -f '${db:Status-Status}' hostler 2>/dev/null)\"",
    ]);
}
