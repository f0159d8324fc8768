//! Who a site is, what it may do, and what it may use.

use super::{machine::Machine, on_each_system, settings};

on_each_system!(
    a_site_has_its_own_user,
    credentials_are_for_the_site_alone,
    limits_are_kept,
    relaxations_relax,
    the_exposure_is_small,
    the_sandbox_holds,
);

const SERVICE: &str = "hostler@shop.service";

fn start(machine: &Machine, service: &str) {
    machine.site("shop", &(settings(8000) + service));
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
}

/// What `systemd-analyze security` calls the exposure, from 0 to 10.
fn exposure(machine: &Machine) -> f64 {
    let analysis = machine.run(&["systemd-analyze", "security", "--no-pager", SERVICE]);
    let line = analysis
        .stdout
        .lines()
        .find(|line| line.contains("exposure level"));
    let line = line.unwrap_or_else(|| panic!("{analysis:?}"));
    let words = line.split_whitespace();
    words.filter_map(|word| word.parse().ok()).next().unwrap()
}

fn the_exposure_is_small(machine: &Machine) {
    machine.site("shop", &settings(8000));
    let exposure = exposure(machine);
    assert!(exposure <= 1.2, "{exposure}");
}

fn a_site_has_its_own_user(machine: &Machine) {
    machine.succeed(&["useradd", "--system", "--user-group", "shop"]);
    machine.succeed(&["groupadd", "--system", "media"]);
    start(
        machine,
        "[service]\nuser = \"shop\"\ngroup = \"www-data\"\nsupplementary-groups = [\"media\"]\n",
    );
    let id = |flag| {
        machine
            .succeed(&["id", flag, "shop"])
            .trim()
            .parse::<u64>()
            .unwrap()
    };
    let identity = machine.get(8000, "/identity");
    assert_eq!(identity["uid"], id("-u"));
    assert_eq!(identity["gid"], 33);
    let media = machine.succeed(&["getent", "group", "media"]);
    let media = media.split(':').nth(2).unwrap();
    // Inside, groups that are not the site's own have no number (PrivateUsers=).
    let status = machine.outside(&format!("/proc/{}/status", identity["pid"]));
    let status = std::fs::read_to_string(status).unwrap();
    let groups = status.lines().find(|line| line.starts_with("Groups:"));
    let mut groups = groups.unwrap().split_whitespace();
    assert!(groups.any(|group| group == media), "{status}");
    let owner = machine.succeed(&["stat", "--format=%U %G", "/var/lib/hostler/shop"]);
    assert_eq!(owner, "shop www-data\n");
}

fn limits_are_kept(machine: &Machine) {
    start(
        machine,
        "[service]\nnice = 5\nlimit-nofile = 2000\ntasks-max = 77\ncpu-quota = \"150%\"\n\
         memory-high = \"1G\"\nenvironment = { GREETING = \"100% \\\"you\\\"\\nand $me\" }\n",
    );
    let identity = machine.get(8000, "/identity");
    assert_eq!(identity["nice"], 5);
    assert_eq!(identity["nofile"], 2000);
    assert_eq!(identity["environ"]["GREETING"], "100% \"you\"\nand $me");
    assert_eq!(machine.property(SERVICE, "TasksMax"), "77");
    assert_eq!(machine.property(SERVICE, "CPUQuotaPerSecUSec"), "1.500000s");
    assert_eq!(machine.property(SERVICE, "MemoryHigh"), "1073741824");
    assert_eq!(machine.property(SERVICE, "Slice"), "hostler.slice");
}

fn the_sandbox_holds(machine: &Machine) {
    machine.succeed(&["install", "-d", "-o", "hostler", "/srv/media", "/srv/other"]);
    machine.write("/home/me/secret", "secret");
    start(machine, "[service]\nread-write-paths = [\"/srv/media\"]\n");
    let write = |path: &str| machine.get(8000, &format!("/write?path={path}"));
    for path in ["/srv/media/a", "/var/lib/hostler/shop/a", "/tmp/a"] {
        assert_eq!(write(path)["result"], 7, "{path}");
    }
    assert_eq!(write("/srv/other/a")["error"], "Read-only file system");
    assert!(!machine.outside("/tmp/a").exists());
    let home = machine.get(8000, "/read?path=/home/me/secret");
    assert!(home["error"].is_string(), "{home}");
    assert_eq!(
        machine.succeed(&["stat", "--format=%a", "/srv/media/a"]),
        "640\n"
    );
}

fn relaxations_relax(machine: &Machine) {
    machine.write("/home/me/secret", "secret");
    start(
        machine,
        "[service]\nrelax = [\"address-families\", \"devices\", \"home\", \"jit\", \"namespaces\", \"processes\", \
         \"ptrace\", \"system-calls\", \"tmp\", \"users\"]\n",
    );
    assert_eq!(
        machine.get(8000, "/read?path=/home/me/secret")["result"],
        "secret"
    );
    assert_eq!(machine.get(8000, "/write?path=/tmp/a")["result"], 7);
    assert!(machine.outside("/tmp/a").exists());
    for (property, value) in [
        ("MemoryDenyWriteExecute", "no"),
        ("PrivateDevices", "no"),
        ("PrivateUsers", "no"),
        ("ProtectHome", "read-only"),
        ("ProtectProc", "default"),
        ("RestrictAddressFamilies", "~"),
        ("SystemCallFilter", "~"),
    ] {
        assert_eq!(machine.property(SERVICE, property), value, "{property}");
    }
}

fn credentials_are_for_the_site_alone(machine: &Machine) {
    machine.write("/etc/hostler/shop.key", "the key");
    machine.succeed(&["chmod", "600", "/etc/hostler/shop.key"]);
    start(machine, "[service]\ncredentials = { key = \"shop.key\" }\n");
    let directory = &machine.get(8000, "/identity")["environ"]["CREDENTIALS_DIRECTORY"];
    let path = format!("/read?path={}/key", directory.as_str().unwrap());
    assert_eq!(machine.get(8000, &path)["result"], "the key");
    assert_eq!(
        machine.get(8000, "/read?path=/etc/hostler/shop.key")["error"],
        "Permission denied"
    );
}
