//! `systemctl reload` waits for the outcome, and says it.

use super::{machine::Machine, on_each_system, settings};

on_each_system!(a_bad_reload_fails_and_harms_nobody, a_good_reload_succeeds);

const SERVICE: &str = "hostler@shop.service";

fn started(machine: &Machine) {
    machine.site("shop", &settings(8000));
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
}

fn a_good_reload_succeeds(machine: &Machine) {
    started(machine);
    let before = machine.get(8000, "/identity")["pid"].clone();
    machine.succeed(&["systemctl", "reload", SERVICE]);
    assert_ne!(machine.get(8000, "/identity")["pid"], before);
    assert_eq!(machine.property(SERVICE, "ActiveState"), "active");
}

fn a_bad_reload_fails_and_harms_nobody(machine: &Machine) {
    started(machine);
    machine.write("/srv/app/app.py", "import nothing_of_this_name\n");
    let done = machine.run(&["systemctl", "reload", SERVICE]);
    assert_eq!(done.code, Some(1), "{done:?}");
    machine.wait_for_entry(&["-u", SERVICE], "No module named 'nothing_of_this_name'");
    machine.write("/etc/hostler/shop.toml", "[app]\nmodul = 1\n");
    let done = machine.run(&["systemctl", "reload", SERVICE]);
    assert_eq!(done.code, Some(1), "{done:?}");
    machine.wait_for_entry(&["-u", SERVICE], "shop.toml:2:1: unknown key `modul`");
    assert_eq!(machine.property(SERVICE, "ActiveState"), "active");
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
}
