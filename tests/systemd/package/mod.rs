//! What packages do to a machine: installation, upgrade, removal. `debian` and `rpm` have a module each; what is in a package
//! is looked at in `crate::package`.

mod debian;
mod rpm;

use serde_json::Value;

use super::{machine::Machine, machine::System, settings};
use crate::{support::load::Load, systemd::machine::address};

/// Boots a machine without hostler, and does what there is to test.
pub(super) fn on(system: System, test: impl FnOnce(&Machine)) {
    if let Some(machine) = Machine::bare(system) {
        // Images of containers have one that forbids packages to start, stop or reload anything (deb-systemd-invoke(1p)).
        machine.succeed(&["rm", "-f", "/usr/sbin/policy-rc.d"]);
        test(&machine);
    }
}

/// How the package manager of a test installs or upgrades to a revision of the package; gives what it has said.
type Install = fn(&Machine, revision: u32) -> String;

const SERVICE: &str = "hostler@shop.service";
const SOCKET: &str = "hostler@shop.socket";

/// Units of ours that run. The slice of a template is there as soon as somebody asks for the unit.
fn running(machine: &Machine) -> String {
    machine.succeed(&[
        "systemctl",
        "list-units",
        "--plain",
        "--no-legend",
        "--state=active,activating,reloading,failed",
        "hostler*",
    ])
}

/// Starts the site `shop` as the documents say it.
fn start(machine: &Machine) {
    machine.site("shop", &settings(8000));
    machine.succeed(&["systemctl", "enable", "--now", SOCKET]);
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
    machine.wait_for(SERVICE, "ActiveState", |state| state == "active");
}

/// The service's main process, which an upgrade replaces, and nothing else without a restart.
fn main_pid(machine: &Machine) -> String {
    machine.property(SERVICE, "MainPID")
}

/// An installation starts nothing, and then a file and a command are enough.
fn check_installation(machine: &Machine, install: Install) {
    install(machine, 1);
    assert_eq!(running(machine), "");
    let user = machine.succeed(&["getent", "passwd", "hostler"]);
    assert!(user.contains(":/var/lib/hostler:"), "{user}");
    for directory in ["/etc/hostler", "/run/hostler", "/var/lib/hostler"] {
        machine.succeed(&["test", "-d", directory]);
    }
    start(machine);
    // Each systemd is told what it understands, and not more.
    let version = machine.succeed(&["systemctl", "--version"]);
    let version: u32 = version.split(' ').nth(1).unwrap().parse().unwrap();
    let steps = if version >= 254 { "6" } else { "" };
    assert_eq!(machine.property(SERVICE, "RestartSteps"), steps);
    let complaints = machine.journal(&["--priority=warning", "_PID=1"]);
    let ours = |entry: &&Value| entry["MESSAGE"].to_string().contains("hostler");
    let ours: Vec<_> = complaints.iter().filter(ours).collect();
    assert!(ours.is_empty(), "{ours:#?}");
}

/// An upgrade goes over to the sites that run, without a restart and without a request that fails.
fn check_upgrade(machine: &Machine, install: Install) {
    install(machine, 1);
    start(machine);
    let facts = ["NRestarts", "ActiveEnterTimestampMonotonic"];
    let before = facts.map(|fact| machine.property(SERVICE, fact));
    let old = main_pid(machine);
    // A site that nobody has asked for anything, and one whose code is broken by now.
    machine.site("sleepy", &settings(8001));
    machine.site("broken", &settings(8002).replace("/srv/app", "/srv/broken"));
    machine.succeed(&["cp", "-r", "/srv/app", "/srv/broken"]);
    machine.succeed(&[
        "systemctl",
        "start",
        "hostler@sleepy.socket",
        "hostler@broken.service",
    ]);
    machine.write("/srv/broken/app.py", "import nothing_of_this_name\n");

    let load = machine.inside(|| Load::start(&address(8000), "/a", 8));
    load.wait_for(50);
    let said = install(machine, 2);
    load.wait_for(50);
    let (answered, failures) = load.finish();
    assert!(answered > 100 && failures.is_empty(), "{failures:?}");
    assert_ne!(main_pid(machine), old);
    assert_eq!(facts.map(|fact| machine.property(SERVICE, fact)), before);
    // It is the new program; that of a file that is gone has another name here.
    let program = format!("/proc/{}/exe", machine.property(SERVICE, "MainPID"));
    let program = machine.succeed(&["readlink", &program]);
    assert_eq!(program, "/usr/bin/hostler\n");

    assert_eq!(
        machine.property("hostler@sleepy.service", "ActiveState"),
        "inactive"
    );
    assert!(
        said.contains("hostler@broken.service goes on as it was"),
        "{said}"
    );
    assert_eq!(machine.get(8002, "/a")["path"], "/a");
}

/// The same version once more is an upgrade, too.
fn check_reinstallation(machine: &Machine, install: Install) {
    install(machine, 1);
    start(machine);
    let load = machine.inside(|| Load::start(&address(8000), "/a", 4));
    load.wait_for(50);
    install(machine, 1);
    load.wait_for(50);
    let (_, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:?}");
    machine.succeed(&["systemctl", "is-active", SERVICE]);
}
