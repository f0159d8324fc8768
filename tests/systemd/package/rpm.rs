//! The package for distributions with rpm: in another root, where no systemd runs, and on a machine that is booted. This
//! machine's Debian has an rpm, but none of its packages are rpm's, so dependencies are not looked at.

use std::env::consts::ARCH;

use super::{
    Install, SERVICE, check_installation, check_reinstallation, check_upgrade, on, running, start,
};
use crate::{support::package::package, systemd::machine::System};

const INSTALL: Install = |machine, revision| {
    let done = machine.run(&[
        "rpm",
        "--force-debian",
        "--upgrade",
        "--nodeps",
        "--replacepkgs",
        &path(revision),
    ]);
    assert_eq!(done.code, Some(0), "{done:?}{}", machine.log());
    done.stdout + &done.stderr
};

fn path(revision: u32) -> String {
    let name = package("rpm", revision);
    let name = name.file_name().unwrap().to_str().unwrap();
    format!("/opt/hostler/target/package/tests/{name}")
}

/// A root with what scriptlets use, and no package manager's data.
const ROOT: &str = "
    mkdir -p /srv/root/etc /srv/root/tmp /srv/root/usr/bin /srv/root/usr/lib /srv/root/usr/lib64
    ln -s usr/bin usr/lib usr/lib64 /srv/root/
    ln -s bin /srv/root/usr/sbin
    for program in sh bash rmdir find systemctl systemd-sysusers systemd-tmpfiles; do
        file=$(realpath $(command -v $program))
        cp --parents $file $(ldd $file | grep -o '/[^ ]*') /srv/root/
        [ -e /srv/root/usr/bin/$program ] || ln -s $file /srv/root/usr/bin/$program
    done
    touch /srv/root/etc/passwd /srv/root/etc/group
    mkdir /srv/root/proc /srv/root/dev
    mount -t proc proc /srv/root/proc
    mount --bind /dev /srv/root/dev";

#[test]
fn in_another_root_it_comes_and_goes() {
    on(System::Here, |machine| {
        machine.succeed(&["sh", "-ec", ROOT]);
        let rpm = |words: &[&str]| {
            let command = [&["rpm", "--force-debian", "--root", "/srv/root"], words].concat();
            let done = machine.run(&command);
            let fine = done.code == Some(0) && !done.stderr.contains("scriptlet failed");
            assert!(fine, "{words:?}: {done:?}");
            done.stdout
        };
        rpm(&["--install", "--nodeps", &path(1)]);
        let users = machine.succeed(&["cat", "/srv/root/etc/passwd"]);
        assert!(users.contains("hostler:x:"), "{users}");
        machine.succeed(&["test", "-d", "/srv/root/var/lib/hostler"]);
        assert_eq!(rpm(&["--verify", "--nodeps", "hostler"]), "");
        rpm(&["--upgrade", "--nodeps", &path(2)]);
        assert_eq!(
            rpm(&["--query", "hostler"]),
            format!("hostler-{}-2.{}\n", env!("CARGO_PKG_VERSION"), ARCH)
        );
        rpm(&["--erase", "--nodeps", "hostler"]);
        let left = machine.succeed(&[
            "find",
            "/srv/root/usr",
            "/srv/root/etc",
            "-path",
            "*hostler*",
        ]);
        assert_eq!(left, "");
    });
}

#[test]
fn an_installation_starts_nothing() {
    on(System::Here, |machine| check_installation(machine, INSTALL));
}

#[test]
fn an_upgrade_loses_no_request() {
    on(System::Here, |machine| check_upgrade(machine, INSTALL));
}

#[test]
fn a_reinstallation_loses_no_request() {
    on(System::Here, |machine| {
        check_reinstallation(machine, INSTALL)
    });
}

#[test]
fn removal_ends_the_sites() {
    on(System::Here, |machine| {
        INSTALL(machine, 1);
        start(machine);
        machine.succeed(&["rpm", "--force-debian", "--erase", "hostler"]);
        assert_eq!(running(machine), "");
        assert_eq!(machine.property(SERVICE, "LoadState"), "not-found");
        machine.succeed(&["test", "-e", "/etc/hostler/shop.toml"]);
        machine.succeed(&["test", "!", "-e", "/usr/lib/hostler"]);
    });
}
