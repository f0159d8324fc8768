//! A site that hangs is started anew, and the journal says why.

use std::thread;

use super::{
    machine::{Machine, address},
    on_each_system, settings,
};

on_each_system!(
    a_slow_import_gets_its_time,
    a_start_that_fails_says_why,
    a_site_that_hangs_is_started_anew,
    a_supervisor_that_hangs_is_started_anew,
    status_tells_what_goes_on,
);

const SERVICE: &str = "hostler@shop.service";

fn start(machine: &Machine, settings: &str) -> String {
    machine.site("shop", settings);
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
    machine.property(SERVICE, "MainPID")
}

/// Waits until another supervisor serves.
fn wait_for_successor(machine: &Machine, supervisor: &str) {
    machine.wait_for(SERVICE, "MainPID", |pid| pid != supervisor && pid != "0");
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
    assert_eq!(machine.property(SERVICE, "NRestarts"), "1");
}

fn a_site_that_hangs_is_started_anew(machine: &Machine) {
    let one = settings(8000).replace("= 2\n", "= 1\n");
    let supervisor = start(machine, &(one + "[timeouts]\nstuck = \"2s\"\n"));
    thread::scope(|scope| {
        // The answer never comes.
        scope.spawn(|| {
            machine.inside(|| {
                let mut client = address(8000).connect();
                client.send_get("/hang");
                client.has_more()
            })
        });
        wait_for_successor(machine, &supervisor);
    });
    machine.wait_for_entry(&["-u", SERVICE], "the site hangs: all threads are busy");
    machine.wait_for_entry(&["-u", SERVICE], "a request does not come to an end");
    machine.wait_for_entry(&["-u", SERVICE], "in hang");
}

fn a_supervisor_that_hangs_is_started_anew(machine: &Machine) {
    machine.write(
        "/etc/systemd/system/hostler@shop.service.d/watchdog.conf",
        "[Service]\nWatchdogSec=1s\n",
    );
    let supervisor = start(machine, &settings(8000));
    machine.succeed(&["kill", "-STOP", &supervisor]);
    wait_for_successor(machine, &supervisor);
    machine.wait_for_entry(&["UNIT=hostler@shop.service"], "Watchdog timeout");
}

fn a_start_that_fails_says_why(machine: &Machine) {
    machine.site("shop", &settings(8000));
    machine.write("/etc/hostler/shop.toml", "[app]\nmodul = 1\n");
    let done = machine.run(&["systemctl", "start", SERVICE]);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(machine.property(SERVICE, "ExecMainStatus"), "78");
    machine.wait_for(SERVICE, "StatusText", |status| {
        status.starts_with("/etc/hostler/shop.toml:2:1: unknown key `modul`")
    });
    // Where the kernel has said no, `systemctl status` has its words too.
    machine.write(
        "/etc/hostler/shop.toml",
        &settings(8000).replace("127.0.0.1", "192.0.2.1"),
    );
    machine.run(&["systemctl", "restart", SERVICE]);
    machine.wait_for(SERVICE, "StatusErrno", |errno| errno == "99");
    machine.wait_for(SERVICE, "StatusText", |status| {
        status.contains("192.0.2.1:8000")
    });
}

/// Longer than the unit allows, as long as the settings do.
fn a_slow_import_gets_its_time(machine: &Machine) {
    machine.write(
        "/etc/systemd/system/hostler@shop.service.d/start.conf",
        "[Service]\nTimeoutStartSec=1s\n",
    );
    let app = machine.succeed(&["cat", "/srv/app/app.py"]);
    let slow = "import subprocess\nsubprocess.run(['sleep', '4'])\n";
    let (title, rest) = app.split_once("\n\n").unwrap();
    machine.write("/srv/app/app.py", &format!("{title}\n{slow}\n{rest}"));
    start(machine, &settings(8000));
    assert_eq!(machine.property(SERVICE, "NRestarts"), "0");
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
}

fn status_tells_what_goes_on(machine: &Machine) {
    start(machine, &settings(8000));
    thread::scope(|scope| {
        let slow = scope.spawn(|| machine.get(8000, "/slow?until=/run/hostler/shop/end"));
        machine.wait_for(SERVICE, "StatusText", |status| {
            status
                == "serving with 2 of 2 workers, generation 1; 1 of 4 threads busy; 0.0 requests/s"
        });
        machine.write("/run/hostler/shop/end", "");
        slow.join().unwrap();
    });
    machine.write("/srv/app/app.py", "import nothing_of_this_name\n");
    machine.run(&["systemctl", "reload", SERVICE]);
    machine.wait_for(SERVICE, "StatusText", |status| {
        status.contains("ModuleNotFoundError: No module named 'nothing_of_this_name'")
    });
}
