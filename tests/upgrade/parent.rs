//! Without a service manager: whoever has started hostler knows one process, which stays.

use std::{fs, process::Command};

use rustix::process::Signal;

use crate::{
    stats::stats_address,
    support::{
        load::Load,
        process::{Process, Watched},
        site::{program, serves},
    },
};

use super::{Installed, refused, reload, site, status, supervisor, text, upgrade, zygote};

#[test]
fn no_request_is_lost() {
    let installed = Installed::new();
    let settings = site()
        .listen("http", "127.0.0.1:0")
        .listen("http", "./site.sock")
        .setting("stats", "address = \"127.0.0.1:0\"\nhttp = true");
    let mut site = settings.start_by(installed.command());
    let stats = stats_address(&site);
    let addresses = site.addresses.iter();
    let loads: Vec<Load> = addresses
        .map(|address| Load::start(address, "/", 4))
        .collect();
    for generation in 2..=3 {
        loads.iter().for_each(|load| load.wait_for(100));
        let worker = Watched::new(site.get("/pid").json()["pid"].as_u64().unwrap());
        upgrade(&site, &installed);
        worker.wait();
        assert_eq!(status(&site)["generation"], generation);
        assert_eq!(stats.get("/").json()["pid"], supervisor(&site));
    }
    for load in loads {
        load.wait_for(100);
        let (done, failures) = load.finish();
        assert!(
            failures.is_empty(),
            "{} of {done}: {failures:#?}",
            failures.len()
        );
    }
    assert_eq!(site.process.stop().code(), Some(0));
    for file in ["site.sock", "control.sock"] {
        assert!(!site.directory.path().join(file).exists(), "{file}");
    }
}

#[test]
fn the_status_says_that_there_is_something_to_upgrade_to() {
    let installed = Installed::new();
    let site = site().start_by(installed.command());
    let check = |on_disk: &str, is_told: bool| {
        assert_eq!(status(&site)["on_disk"], on_disk);
        let table = text(&site.control(&["status"]).stdout);
        assert_eq!(table.contains("reload to upgrade"), is_told, "{table}");
    };
    check("same", false);
    installed.upgrade();
    check("other", true);
    reload(&site);
    check("same", false);
}

/// The directory that was made for the control socket goes with whoever is in charge at the end.
#[test]
fn nothing_is_left_behind() {
    let (installed, user) = (Installed::new(), tempfile::tempdir().unwrap());
    let file = user.path().join("shop.toml");
    fs::write(&file, site().settings(user.path())).unwrap();
    let with_user = |mut command: Command| {
        command
            .env_remove("RUNTIME_DIRECTORY")
            .env("XDG_RUNTIME_DIR", user.path());
        command
    };
    let mut command = with_user(installed.command());
    let mut service = Process::start("hostler", command.arg("serve").arg(&file));
    service.wait_for("that it serves", |line| serves(line).then_some(()));
    let directory = user.path().join("hostler/shop");
    assert!(directory.join("control.sock").exists());
    installed.upgrade();
    let output = with_user(program()).args(["reload", "shop"]).output();
    assert!(output.unwrap().status.success());
    assert_eq!(service.stop().code(), Some(0));
    assert!(!directory.exists());
}

/// The parent does not keep open what is closed by who is in charge.
#[test]
fn an_address_that_leaves_the_settings_is_closed() {
    let installed = Installed::new();
    let more = site()
        .listen("http", "./kept.sock")
        .listen("http", "127.0.0.1:0");
    let site = more.start_by(installed.command());
    upgrade(&site, &installed);
    site.process.wait_for_text("this supervisor has finished");
    let left = &site.addresses[1];
    assert_eq!(left.get("/pid").status, 200);
    site.rewrite(&super::site().listen("http", "./kept.sock"));
    reload(&site);
    site.wait_until("the address to be closed", || left.try_connect().is_err());
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn what_the_parent_is_told_reaches_who_is_in_charge() {
    let installed = Installed::new();
    let site = site().start_by(installed.command());
    upgrade(&site, &installed);
    site.process.signal(Signal::HUP);
    site.process
        .wait_for_nth("the third generation", 3, |line| serves(line).then_some(()));
    site.process.signal(Signal::USR1);
    site.process.wait_for_text("nothing was opened anew");
}

#[test]
fn the_parent_ends_as_its_heir() {
    let installed = Installed::new();
    let mut site = site().start_by(installed.command());
    upgrade(&site, &installed);
    site.process.wait_for_text("this supervisor has finished");
    Watched::new(supervisor(&site)).signal(Signal::KILL);
    assert_eq!(site.process.wait().code(), Some(137));
}

#[test]
fn nobody_outlives_a_parent_that_was_killed() {
    let installed = Installed::new();
    let mut site = site().start_by(installed.command());
    upgrade(&site, &installed);
    let all = [supervisor(&site), zygote(&site)].map(Watched::new);
    site.process.signal(Signal::KILL);
    all.iter().for_each(Watched::wait);
    site.process.wait();
}

/// A zygote that has to be made between the upgrade and the reload loads the extension of the program that runs.
#[test]
fn a_zygote_that_dies_before_the_reload_is_replaced_by_its_like() {
    let installed = Installed::new();
    let site = site().start_by(installed.command());
    installed.spoil_extension();
    for again in [1, 2] {
        let old = zygote(&site);
        Watched::new(old).signal(Signal::KILL);
        site.process
            .wait_for_nth("another zygote", again + 1, |line| {
                line.contains("the zygote is ready").then_some(())
            });
        fs::remove_file(installed.path("lib_hostler.so")).unwrap_or_default();
    }
    let old = Watched::new(site.get("/pid").json()["pid"].as_u64().unwrap());
    old.signal(Signal::KILL);
    old.wait();
    assert_eq!(site.get("/pid").status, 200);
    // It is gone from the disk, and a reload does without.
    assert!(!reload(&site).contains("taken over"));
}

/// One of the two files is new, as in the middle of an installation.
#[test]
fn an_extension_that_does_not_fit_changes_nothing() {
    let installed = Installed::new();
    let site = site().start_by(installed.command());
    let before = supervisor(&site);
    installed.spoil_extension();
    let said = refused(&site);
    assert!(
        said.contains("cannot load") && said.contains("lib_hostler.so"),
        "{said}"
    );
    assert_eq!(supervisor(&site), before);
    installed.put_extension();
    assert!(reload(&site).contains("taken over"));
}
