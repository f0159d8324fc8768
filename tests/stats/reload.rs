//! What becomes of the address: at the start, at reloads, at the end.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::FileTypeExt, net::UnixListener},
    path::{Path, PathBuf},
};

use rustix::process::Signal;

use super::{FREE, nth_stats_address, site, stats_address, stats_at};
use crate::support::{
    address::Address,
    site::{Running, Site},
};

fn at(address: &str) -> String {
    format!("address = \"{address}\"")
}

fn reload(site: &Running) {
    let output = site.control(&["reload"]);
    assert!(
        output.status.success(),
        "{output:?}\n{}",
        site.process.output()
    );
}

/// A site whose stats are at a path; a file may lie there before.
fn at_path(directory: &Path) -> (PathBuf, Site) {
    let path = directory.join("stats.sock");
    let site = site("process", &at(path.to_str().unwrap()));
    (path, site)
}

#[test]
fn the_old_address_closes_when_the_new_one_serves() {
    let site = site("process", FREE).start();
    let old = stats_address(&site);
    site.rewrite(&super::site("process", &at("@hostler-test-stats")));
    reload(&site);
    let new = nth_stats_address(&site.process, 2);
    assert_eq!(stats_at(&new)["pid"], site.process.pid());
    assert!(old.try_connect().is_err());
}

#[test]
fn the_same_address_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (path, first) = at_path(directory.path());
    let site = first.start();
    let address = Address(path.to_str().unwrap().to_owned());
    let stats = format!("{}\nhttp = true", at(&address.0));
    site.rewrite(&super::site("process", &stats));
    reload(&site);
    assert_eq!(address.get("/").json()["pid"], site.process.pid());
}

#[test]
fn the_section_can_go_and_come() {
    let site = site("process", FREE).start();
    let old = stats_address(&site);
    site.rewrite(&Site::app("process"));
    reload(&site);
    assert!(old.try_connect().is_err());
    site.rewrite(&super::site("process", FREE));
    reload(&site);
    let new = nth_stats_address(&site.process, 2);
    assert_eq!(stats_at(&new)["pid"], site.process.pid());
}

/// The new settings do not come up, and stats are where they were; what they have bound is free for the next try.
fn check_failed_reload(broken: &Site, next: &str) {
    let site = site("process", FREE).start();
    site.rewrite(broken);
    assert!(!site.control(&["reload"]).status.success());
    assert_eq!(stats_at(&stats_address(&site))["pid"], site.process.pid());
    for stats in [FREE, next] {
        site.rewrite(&super::site("process", stats));
        reload(&site);
    }
    let new = nth_stats_address(&site.process, 2);
    assert_eq!(stats_at(&new)["pid"], site.process.pid());
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn a_failed_reload_changes_nothing() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    check_failed_reload(
        &site("process", &at(&address)),
        "address = \"@hostler-stats-1\"",
    );
    let next = at("@hostler-stats-2");
    check_failed_reload(&site("broken", &next), &next);
}

#[test]
fn an_address_in_use_ends_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (mut process, _directory) = site("process", &at(&address)).launch();
    assert!(!process.wait().success());
    let said = process.output();
    for text in ["[stats]", "write another address", &address, "in use"] {
        assert!(said.contains(text), "{text:?} in {said}");
    }
}

#[test]
fn the_file_of_a_dead_server_is_replaced_and_no_file_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let (path, site) = at_path(directory.path());
    drop(UnixListener::bind(&path).unwrap());
    let mut site = site.start();
    assert_eq!(stats_at(&stats_address(&site))["pid"], site.process.pid());
    site.process.signal(Signal::TERM);
    assert!(site.process.wait().success());
    assert!(!path.exists());
}

#[test]
fn a_living_server_and_other_files_stay() {
    let directory = tempfile::tempdir().unwrap();
    let (path, site) = at_path(directory.path());
    let living = UnixListener::bind(&path).unwrap();
    assert!(!site.launch().0.wait().success());
    assert!(fs::symlink_metadata(&path).unwrap().file_type().is_socket());
    drop(living);
    fs::remove_file(&path).unwrap();
    fs::write(&path, "mine").unwrap();
    assert!(!site.launch().0.wait().success());
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
}
