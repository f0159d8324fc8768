//! Two hostlers that are truly different: this one, and a build of another version that `make upgrade` has made
//! (`$HOSTLER_OTHER_VERSION`, its directory). Upgraded and downgraded under load, asked by each other's commands, and left
//! with the files of the other one on the disk. Without such a build they are skipped with a loud line; what stands for
//! them always is in `peers`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::Signal;

use crate::support::{
    certificates::Certificates,
    load::Load,
    process::Watched,
    site::{PROGRAM, Running, Site},
};

use super::{Installed, refused, reload, site, status, supervisor, text, zygote};

/// Where the other version lies, if there is one.
fn other() -> Option<PathBuf> {
    let other = std::env::var_os("HOSTLER_OTHER_VERSION").map(PathBuf::from);
    if other.is_none() {
        eprintln!("NOT TESTED, `make upgrade FROM=COMMIT` builds another version: versions");
    }
    other
}

/// Where this one lies.
fn ours() -> PathBuf {
    Path::new(PROGRAM).parent().unwrap().to_owned()
}

/// From the first version to the second and back, and on, while clients ask over every kind of socket.
fn check(first: &Path, second: &Path) {
    let (installed, certificates) = (Installed::of(first), Certificates::of(&["localhost"]));
    let site = site()
        .listen("http", "127.0.0.1:0")
        .listen("http", "./site.sock")
        .listen_with("https", "127.0.0.2:0", &certificates.keys("localhost"))
        .start_by(installed.command());
    let [tcp, unix, https] = &site.addresses[..] else {
        panic!("{:?}", site.addresses);
    };
    let addresses = [tcp.clone(), unix.clone(), https.over_tls()];
    let loads = addresses.map(|address| Load::start(&address, "/", 4));
    for directory in [second, first, second] {
        loads.iter().for_each(|load| load.wait_for(50));
        let before = supervisor(&site);
        installed.put(directory);
        // Whatever is made until the reload is of the version that runs.
        let zygote_before = Watched::new(zygote(&site));
        zygote_before.signal(Signal::KILL);
        zygote_before.wait();
        replace_a_worker(&site);
        let said = reload(&site);
        assert!(said.contains("has taken over from"), "{said}");
        assert_ne!(supervisor(&site), before);
    }
    for load in loads {
        load.wait_for(50);
        let (done, failures) = load.finish();
        assert!(failures.is_empty(), "{failures:#?} of {done}");
    }
}

/// One that is asked to go and not killed, so that no request is lost.
fn replace_a_worker(site: &Running) {
    let pid = site.get("/pid").json()["pid"].as_u64().unwrap();
    let worker = Watched::new(pid);
    worker.signal(Signal::TERM);
    worker.wait();
}

#[test]
fn an_upgrade_and_a_downgrade_lose_no_request() {
    let Some(other) = other() else { return };
    check(&other, &ours());
    check(&ours(), &other);
}

/// A command of one version to a service of the other.
fn says(program: &Path, site: &Running, arguments: &[&str]) -> String {
    let mut command = Command::new(program.join("hostler"));
    command.env("RUNTIME_DIRECTORY", site.directory.path());
    let output = command.args(arguments).output().unwrap();
    let printed = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {printed}");
    printed
}

fn check_commands(serving: &Path, asking: &Path) {
    let installed = Installed::of(serving);
    let mut site = Site::app("process")
        .workers(1, 1)
        .start_by(installed.command());
    assert!(says(asking, &site, &["status"]).contains("  supervisor "));
    assert!(says(asking, &site, &["status", "--json"]).contains("\"workers\""));
    assert!(says(asking, &site, &["worker", "stack", "0"]).contains("File "));
    assert!(says(asking, &site, &["reload"]).contains("generation 2 serves"));
    says(asking, &site, &["worker", "recycle", "0"]);
    assert_eq!(status(&site)["generation"], 2);
    says(asking, &site, &["stop"]);
    assert_eq!(site.process.wait().code(), Some(0));
}

#[test]
fn each_understands_the_commands_of_the_other() {
    let Some(other) = other() else { return };
    check_commands(&other, &ours());
    check_commands(&ours(), &other);
}

/// In the middle of an installation only one of the two files is new: they refuse each other, and nothing changes.
fn check_half(first: &Path, second: &Path, name: &str) {
    let installed = Installed::of(first);
    let site = site().start_by(installed.command());
    let (before, load) = (supervisor(&site), Load::start(site.address(), "/", 4));
    installed.put_one(second, name);
    let said = refused(&site);
    assert!(said.contains("install both"), "{said}");
    assert_eq!(supervisor(&site), before);
    installed.put(second);
    assert!(reload(&site).contains("has taken over from"));
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:#?} of {done}");
}

#[test]
fn half_of_an_installation_changes_nothing() {
    let Some(other) = other() else { return };
    for name in super::FILES {
        check_half(&other, &ours(), name);
        check_half(&ours(), &other, name);
    }
}
