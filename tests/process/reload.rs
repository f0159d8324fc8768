//! SIGHUP: the next generation takes over without a lost request, or the old one stays and the log says why.

use rustix::process::Signal;

use crate::support::{
    load::Load,
    nginx::{Backend, Nginx},
    process::Watched,
    site::{Running, Site, serves},
};

use super::{Held, pid, site};

fn version(site: &Running) -> String {
    site.get("/").json()["version"].as_str().unwrap().to_owned()
}

/// Reloads into `next` and waits for it to serve; `nth` counts generations.
fn reload(site: &Running, next: &Site, nth: usize) {
    site.rewrite(next);
    site.process.signal(Signal::HUP);
    site.process
        .wait_for_nth("that the next generation serves", nth, |line| {
            serves(line).then_some(())
        });
}

#[test]
fn settings_and_application_are_read_again() {
    let site = site().env("TEST_VERSION", "1").start();
    let old = Watched::new(pid(&site));
    assert_eq!(version(&site), "1");
    reload(
        &site,
        &super::site().env("TEST_VERSION", "2").workers(2, 2),
        2,
    );
    old.wait();
    assert_eq!(version(&site), "2");
}

#[test]
fn no_request_is_lost_under_load() {
    let settings = || site().workers(2, 2).listen("http", "127.0.0.1:0");
    let site = settings().env("TEST_VERSION", "1").start();
    let load = Load::start(site.address(), "/", 8);
    for nth in 2..=5 {
        load.wait_for(200);
        let old = Watched::new(pid(&site));
        reload(
            &site,
            &settings().env("TEST_VERSION", &nth.to_string()),
            nth,
        );
        old.wait();
        assert_eq!(version(&site), nth.to_string());
    }
    load.wait_for(200);
    let (done, failures) = load.finish();
    assert!(
        failures.is_empty(),
        "{} failures in {done} requests: {failures:#?}",
        failures.len()
    );
}

#[test]
fn no_request_is_lost_with_lazy_apps() {
    let settings = || site().workers(2, 1).app_setting("lazy-apps = true");
    let site = settings().start();
    let load = Load::start(site.address(), "/", 4);
    load.wait_for(100);
    reload(&site, &settings(), 2);
    load.wait_for(200);
    let (done, failures) = load.finish();
    assert!(
        failures.is_empty(),
        "{} failures in {done} requests: {failures:#?}",
        failures.len()
    );
}

#[test]
fn no_request_is_lost_behind_nginx() {
    let settings = || {
        site()
            .workers(2, 2)
            .listen("uwsgi", "./uwsgi.sock")
            .listen("http", "127.0.0.1:0")
    };
    let site = settings().start();
    let nginx = Nginx::before(&[
        Backend::Uwsgi(site.addresses[0].clone()),
        Backend::Proxy(site.addresses[1].clone()),
    ]);
    let loads = nginx.fronts.iter().map(|front| Load::start(front, "/", 4));
    let loads: Vec<Load> = loads.collect();
    for nth in 2..=4 {
        loads.iter().for_each(|load| load.wait_for(100));
        reload(&site, &settings(), nth);
    }
    for load in loads {
        load.wait_for(100);
        let (done, failures) = load.finish();
        assert!(
            failures.is_empty(),
            "{} failures in {done} requests: {failures:#?}",
            failures.len()
        );
    }
}

#[test]
fn a_running_request_is_finished_by_the_old_worker() {
    let site = site().start();
    let old = pid(&site);
    let held = Held::begin(&site);
    reload(&site, &super::site(), 2);
    assert_ne!(pid(&site), old);
    assert_eq!(held.end()["pid"], old);
    assert!(
        !site.process.output().contains("SIGKILL"),
        "{}",
        site.process.output()
    );
}

/// The reload fails for the reason that `text` names, and the old generation serves on, then and at the next reload.
fn check_keeps(bad: impl FnOnce(&Running), text: &str) {
    let site = site().env("TEST_VERSION", "1").start();
    let old = pid(&site);
    bad(&site);
    site.process.signal(Signal::HUP);
    site.process.wait_for_text(text);
    assert_eq!((version(&site).as_str(), pid(&site)), ("1", old));
    reload(&site, &super::site().env("TEST_VERSION", "2"), 2);
    assert_eq!(version(&site), "2");
}

#[test]
fn bad_settings_keep_the_old_generation() {
    check_keeps(
        |site| std::fs::write(site.file(), "[app]\nmodul = \"x\"\n").unwrap(),
        "site.toml:2:1",
    );
    check_keeps(
        |site| std::fs::remove_file(site.file()).unwrap(),
        "site.toml",
    );
}

#[test]
fn an_application_that_cannot_be_imported_keeps_the_old_generation() {
    check_keeps(
        |site| site.rewrite(&Site::app("broken")),
        "LookupError: this application cannot be imported",
    );
    check_keeps(
        |site| site.rewrite(&Site::app("broken").app_setting("lazy-apps = true")),
        "LookupError: this application cannot be imported",
    );
}

#[test]
fn a_virtual_environment_that_is_gone_keeps_the_old_generation() {
    check_keeps(
        |site| site.rewrite(&super::site().virtualenv(Some("/nowhere/venv".as_ref()))),
        "/nowhere/venv",
    );
}

#[test]
fn two_reloads_at_once_end_in_a_site_that_serves() {
    let site = site().workers(2, 1).start();
    for _ in 0..3 {
        site.process.signal(Signal::HUP);
    }
    site.process
        .wait_for_nth("that the next generation serves", 2, |line| {
            serves(line).then_some(())
        });
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn a_worker_that_does_not_finish_is_killed_after_its_mercy() {
    let settings = || site().setting("timeouts", "worker-reload-mercy = \"300ms\"");
    let site = settings().start();
    let old = Watched::new(pid(&site));
    let held = Held::begin(&site);
    reload(&site, &settings(), 2);
    old.wait();
    assert_eq!(held.killed().status, 0);
}
