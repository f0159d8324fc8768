//! From settings to units, by systemd itself.

use super::{machine::Machine, on_each_system, settings};

on_each_system!(
    a_broken_file_costs_only_its_own_site,
    a_thousand_sites_have_their_units,
    the_shipped_units_are_good,
);

fn the_shipped_units_are_good(machine: &Machine) {
    let timer = "[[timer]]\nname = \"clear\"\ncommand = [\"true\"]\non-calendar = [\"daily\"]\n\
        [[listen]]\naddress = \"127.0.0.1:8001\"\nbacklog = 9\ntcp-keepalive = true\nsend-buffer = \"1M\"\n\
        [[daemon]]\nname = \"queue\"\ncommand = [\"true\"]\n";
    machine.site("shop", &(settings(8000) + timer));
    for unit in [
        "hostler@shop.service",
        "hostler@shop.socket",
        "hostler-2@shop.socket",
        "hostler@other.socket",
        "hostler.target",
        "hostler.slice",
        "hostler-timer-clear@shop.timer",
        "hostler-timer-clear@shop.service",
        "hostler-daemon-queue@shop.service",
    ] {
        let done = machine.run(&["systemd-analyze", "verify", "--generators=yes", unit]);
        let said = done.stdout + &done.stderr;
        assert_eq!((done.code, said.as_str()), (Some(0), ""), "{unit}");
    }
    // What systemctl shows must not be said to be out of date.
    assert_eq!(
        machine.property("hostler@shop.service", "NeedDaemonReload"),
        "no"
    );
}

fn a_broken_file_costs_only_its_own_site(machine: &Machine) {
    machine.site("shop", &settings(8000));
    machine.site("blog", &settings(8001));
    machine.succeed(&[
        "systemctl",
        "start",
        "hostler@shop.socket",
        "hostler@blog.socket",
    ]);
    machine.write("/etc/hostler/new.toml", "[app]\nfile = 1\n");
    machine.write("/etc/hostler/blog.toml", &settings(8002));
    machine.site("shop", "[app]\nfile = \"/srv/app/app.py\"\n[listen]\n");
    let entry = machine.wait_for_entry(
        &["HOSTLER_SITE=shop"],
        "the last good units of the site stay",
    );
    let message = entry["MESSAGE"].as_str().unwrap();
    assert!(
        message.starts_with("/etc/hostler/shop.toml:3:2: "),
        "{message}"
    );
    assert_eq!(entry["SYSLOG_IDENTIFIER"], "hostler-generator");
    machine.wait_for_entry(&["HOSTLER_SITE=new"], "/etc/hostler/new.toml:2:8: ");
    assert_eq!(
        machine.property("hostler@shop.socket", "Listen"),
        "127.0.0.1:8000 (Stream)"
    );
    assert_eq!(
        machine.property("hostler@blog.socket", "Listen"),
        "127.0.0.1:8002 (Stream)"
    );
    let refused = machine.run(&["systemctl", "start", "hostler@new.socket"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
}

/// How quick they are is measured with a release build (docs/service.md); here all of them have to be there, and right.
fn a_thousand_sites_have_their_units(machine: &Machine) {
    for number in 0..1000 {
        let path = format!("/etc/hostler/site-{number}.toml");
        machine.write(&path, &settings(10_000 + number));
    }
    machine.succeed(&["systemctl", "daemon-reload"]);
    let made = machine.succeed(&["ls", "/run/systemd/generator"]);
    let of_sites = made
        .lines()
        .filter(|name| name.starts_with("hostler@site-"));
    assert_eq!(of_sites.count(), 2000);
    for number in [0, 537, 999] {
        let socket = format!("hostler@site-{number}.socket");
        let expected = format!("127.0.0.1:{} (Stream)", 10_000 + number);
        assert_eq!(machine.property(&socket, "Listen"), expected);
    }
}
