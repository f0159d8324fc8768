//! A new program that is broken changes nothing: the reload fails and says why, and the old one serves on.

use std::fs;

use rustix::process::Signal;

use crate::support::{
    load::Load,
    process::Watched,
    site::{Running, Site},
};

use super::{Installed, refused, reload, site, supervisor};

/// The reload fails for the reason that `texts` name while clients ask, and nobody notices; a good one succeeds later.
fn check(settings: Site, spoil: impl FnOnce(&Installed, &Running), texts: &[&str]) {
    let installed = Installed::new();
    let site = settings.start_by(installed.command());
    let (before, load) = (supervisor(&site), Load::start(site.address(), "/", 4));
    let settings = fs::read(site.file()).unwrap();
    load.wait_for(50);
    spoil(&installed, &site);
    let said = refused(&site);
    for text in texts {
        assert!(said.contains(text), "{text:?} in {said}");
    }
    load.wait_for(50);
    assert_eq!(supervisor(&site), before);
    fs::write(site.file(), settings).unwrap();
    installed.upgrade();
    assert!(reload(&site).contains("has taken over"));
    let (done, failures) = load.finish();
    assert!(
        failures.is_empty(),
        "{} of {done}: {failures:#?}",
        failures.len()
    );
}

#[test]
fn a_program_that_ends_at_once() {
    check(
        site(),
        |installed, _| installed.replace_by("exit 3"),
        &["ended without a word"],
    );
}

#[test]
fn a_program_that_cannot_be_executed() {
    let garbage = |installed: &Installed, _: &Running| {
        fs::write(installed.path("new"), "no program").unwrap();
        installed.rename_new("hostler");
    };
    check(site(), garbage, &["cannot be started", "Permission denied"]);
}

#[test]
fn a_program_that_hangs() {
    let hurried = site().setting("timeouts", "start = \"8s\"");
    let hang = |installed: &Installed, _: &Running| {
        // It has the channel open, and is gone when it is killed.
        installed.replace_by("echo hanging as $$; exec sleep 1000");
    };
    check(hurried, hang, &["did not serve in time"]);
}

#[test]
fn settings_that_the_new_program_refuses() {
    let break_settings = |installed: &Installed, site: &Running| {
        installed.upgrade();
        fs::write(site.file(), "[app]\nmodul = \"x\"\n").unwrap();
    };
    check(site(), break_settings, &["site.toml:2:1", "`module`"]);
}

#[test]
fn an_application_that_the_new_program_cannot_import() {
    let break_application = |installed: &Installed, running: &Running| {
        installed.upgrade();
        running.rewrite(&Site::app("broken"));
    };
    let texts = ["Traceback (most recent call last)", "LookupError"];
    check(site(), break_application, &texts);
}

#[test]
fn a_stop_during_the_start_of_the_new_program() {
    let installed = Installed::new();
    let mut site = site().start_by(installed.command());
    installed.replace_by("echo hanging as $$; exec sleep 1000");
    site.process.signal(Signal::HUP);
    let heir = site.process.wait_for("the heir", |line| {
        line.split_once("hanging as ")?.1.trim().parse().ok()
    });
    let heir = Watched::new(heir);
    assert_eq!(site.process.stop().code(), Some(0));
    heir.wait();
}
