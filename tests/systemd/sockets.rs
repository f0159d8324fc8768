//! Socket activation: the first connection starts a site, and neither a restart nor a stop costs a request.

use std::{thread, time::Instant};

use super::{
    machine::{Machine, address},
    on_each_system, settings,
};
use crate::support::load::Load;

on_each_system!(
    a_crash_loop_keeps_connections_waiting,
    a_new_address_needs_one_restart,
    an_idle_site_ends_and_starts_with_the_next_connection,
    a_restart_refuses_nobody,
    a_stop_ends_what_does_not_end,
    a_stop_lets_requests_finish,
    sites_stand_side_by_side,
    sockets_are_as_the_settings_say,
    the_first_connection_starts_the_site,
);

const SERVICE: &str = "hostler@shop.service";
const SOCKET: &str = "hostler@shop.socket";

/// A site whose sockets are open and that is not started yet.
fn listening(machine: &Machine, settings: &str) {
    machine.site("shop", settings);
    machine.succeed(&["systemctl", "start", SOCKET]);
    assert_eq!(machine.property(SERVICE, "ActiveState"), "inactive");
}

fn the_first_connection_starts_the_site(machine: &Machine) {
    listening(machine, &settings(8000));
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
    // A worker answers before the supervisor has said that it does.
    machine.wait_for(SERVICE, "ActiveState", |state| state == "active");
    machine.wait_for(SERVICE, "StatusText", |status| {
        status.starts_with("serving with 2 of 2 workers")
    });
}

fn an_idle_site_ends_and_starts_with_the_next_connection(machine: &Machine) {
    let cheaper = "[workers.cheaper]\nidle = \"1s\"\nexit-on-idle = true\n";
    listening(machine, &(settings(8000) + cheaper));
    for _ in 0..2 {
        assert_eq!(machine.get(8000, "/a")["path"], "/a");
        machine.wait_for(SERVICE, "ActiveState", |state| state == "inactive");
        assert_eq!(machine.property(SERVICE, "Result"), "success");
        assert_eq!(machine.property(SOCKET, "SubState"), "listening");
    }
}

fn a_restart_refuses_nobody(machine: &Machine) {
    listening(machine, &settings(8000));
    let load = machine.inside(|| Load::start(&address(8000), "/a", 8));
    load.wait_for(50);
    for _ in 0..3 {
        machine.succeed(&["systemctl", "restart", SERVICE]);
        load.wait_for(50);
    }
    let (answered, failures) = load.finish();
    assert!(answered > 200 && failures.is_empty(), "{failures:?}");
}

fn a_crash_loop_keeps_connections_waiting(machine: &Machine) {
    // As `systemctl edit` does it: what an administrator says holds against all that is shipped.
    let quick = "[Service]\nRestartSec=50ms\nRestartSteps=0\n";
    machine.write(
        "/etc/systemd/system/hostler@shop.service.d/override.conf",
        quick,
    );
    listening(machine, &settings(8000));
    let good = machine.succeed(&["cat", "/srv/app/app.py"]);
    machine.write("/srv/app/app.py", "import nothing_of_this_name\n");
    thread::scope(|scope| {
        let waiting = scope.spawn(|| machine.get(8000, "/a"));
        // systemd's own limit is five starts.
        let tried = |count: &str| count.parse::<u32>().is_ok_and(|count| count >= 6);
        machine.wait_for(SERVICE, "NRestarts", tried);
        assert_eq!(machine.property(SOCKET, "ActiveState"), "active");
        machine.write("/srv/app/app.py", &good);
        assert_eq!(waiting.join().unwrap()["path"], "/a");
    });
}

fn a_new_address_needs_one_restart(machine: &Machine) {
    listening(machine, &settings(8000));
    machine.get(8000, "/a");
    machine.write("/etc/hostler/shop.toml", &settings(8001));
    assert_eq!(machine.property(SERVICE, "NeedDaemonReload"), "yes");
    machine.succeed(&["systemctl", "daemon-reload"]);
    assert_eq!(machine.property(SERVICE, "NeedDaemonReload"), "no");
    machine.succeed(&["systemctl", "restart", SOCKET]);
    assert_eq!(machine.get(8001, "/a")["path"], "/a");
    assert_eq!(machine.property(SOCKET, "ActiveState"), "active");
}

fn a_stop_lets_requests_finish(machine: &Machine) {
    listening(machine, &settings(8000));
    let slow = thread::scope(|scope| {
        let slow = scope.spawn(|| machine.get(8000, "/slow?until=/run/hostler/shop/end"));
        machine.wait_for_entry(&["-u", SERVICE], "slow request has begun");
        machine.succeed(&["systemctl", "stop", "--no-block", SERVICE]);
        machine.wait_for(SERVICE, "ActiveState", |state| state == "deactivating");
        machine.write("/run/hostler/shop/end", "");
        slow.join().unwrap()
    });
    assert_eq!(slow["slow"], true);
    machine.wait_for(SERVICE, "ActiveState", |state| state == "inactive");
    assert_eq!(machine.property(SERVICE, "Result"), "success");
}

fn a_stop_ends_what_does_not_end(machine: &Machine) {
    let mercy = "[timeouts]\nreload-mercy = \"1s\"\n";
    listening(machine, &(settings(8000) + mercy));
    assert_eq!(machine.property(SERVICE, "TimeoutStopUSec"), "16s");
    thread::scope(|scope| {
        let hung = scope.spawn(|| {
            machine.inside(|| {
                let mut client = address(8000).connect();
                client.send_get("/slow?until=/never");
                client.has_more()
            })
        });
        machine.wait_for_entry(&["-u", SERVICE], "slow request has begun");
        machine.succeed(&["systemctl", "stop", SERVICE]);
        assert!(!hung.join().unwrap(), "an answer came");
    });
    // It was hostler that ended it, and not systemd's own limit.
    assert_eq!(machine.property(SERVICE, "Result"), "success");
    machine.wait_for_entry(&["-u", SERVICE, "HOSTLER_ROLE=supervisor"], "killed");
}

fn sites_stand_side_by_side(machine: &Machine) {
    for (name, port) in [("shop", 8000), ("blog", 8001)] {
        let service = format!("[service]\nenvironment = {{ NAME = \"{name}\" }}\n");
        machine.site(name, &(settings(port) + &service));
    }
    machine.succeed(&[
        "systemctl",
        "enable",
        "--now",
        SOCKET,
        "hostler@blog.socket",
    ]);
    for (name, port) in [("shop", 8000), ("blog", 8001)] {
        let identity = machine.get(port, "/identity");
        assert_eq!(identity["environ"]["NAME"], name);
        let state = format!("/var/lib/hostler/{name}");
        assert_eq!(identity["environ"]["STATE_DIRECTORY"], state.as_str());
    }
    machine.succeed(&["systemctl", "stop", "hostler.target"]);
    for unit in [
        SOCKET,
        SERVICE,
        "hostler@blog.socket",
        "hostler@blog.service",
    ] {
        machine.wait_for(unit, "ActiveState", |state| state == "inactive");
    }
    machine.succeed(&["systemctl", "start", "hostler.target"]);
    assert_eq!(machine.get(8001, "/a")["path"], "/a");
}

fn sockets_are_as_the_settings_say(machine: &Machine) {
    let more = "[[listen]]\naddress = \"/run/hostler/shop.sock\"\nmode = \"0666\"\ngroup = \"www-data\"\n\
                [[listen]]\naddress = \"/run/hostler/private.sock\"\nbacklog = 9\n\
                [[listen]]\naddress = \"localhost:8002\"\n";
    listening(machine, &(settings(8000) + more));
    let began = Instant::now();
    let stat = |path| machine.succeed(&["stat", "--format=%a %U %G", path]);
    assert_eq!(stat("/run/hostler/shop.sock"), "666 hostler www-data\n");
    assert_eq!(stat("/run/hostler/private.sock"), "660 hostler hostler\n");
    for port in [8000, 8002] {
        assert_eq!(
            machine.get(port, "/a")["path"],
            "/a",
            "{:?}",
            began.elapsed()
        );
    }
    let path = machine.outside("/run/hostler/private.sock");
    let private = crate::support::address::Address(path.to_str().unwrap().to_owned());
    assert_eq!(private.get("/b").json()["path"], "/b");
}
