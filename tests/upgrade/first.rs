//! As process 1 of a namespace, which is what hostler is in a container: nobody can be its sibling, and its end would be
//! that of everybody. So it stays in front of whoever is in charge.

use std::{fs, process::Command};

use rustix::process::Signal;

use crate::support::{load::Load, process::Watched, site::Running};

use super::{Installed, refused, reload, site, status};

/// A site whose supervisor is process 1; `None`, loudly, where that cannot be.
fn start(installed: &Installed) -> Option<Running> {
    if !rustix::process::geteuid().is_root() {
        eprintln!("NOT TESTED, only root can: an upgrade of process 1");
        return None;
    }
    let program = installed.command();
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.arg(program.get_program());
    Some(site().start_by(command))
}

/// Process 1 as we see it.
fn first(site: &Running) -> Watched {
    let pid = site.process.pid();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    Watched::new(children.trim().parse().unwrap())
}

#[test]
fn no_request_is_lost() {
    let installed = Installed::new();
    let Some(mut site) = start(&installed) else {
        return;
    };
    let (first, load) = (first(&site), Load::start(site.address(), "/", 8));
    assert_eq!(status(&site)["pid"], 1);
    for generation in 2..=3 {
        load.wait_for(100);
        installed.upgrade();
        assert!(reload(&site).contains("has taken over from"));
        let status = status(&site);
        assert_ne!(status["pid"], 1);
        assert_eq!(status["generation"], generation);
    }
    // Whoever runs the container knows process 1 alone.
    first.signal(Signal::HUP);
    site.process
        .wait_for_text("ready after the reload generation=4");
    load.wait_for(100);
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "{failures:#?} of {done}");
    first.signal(Signal::TERM);
    assert_eq!(site.process.wait().code(), Some(0));
}

#[test]
fn a_program_that_cannot_begin_changes_nothing() {
    let installed = Installed::new();
    let Some(site) = start(&installed) else {
        return;
    };
    installed.replace_by("exit 3");
    assert!(refused(&site).contains("ended without a word"));
    assert_eq!(status(&site)["pid"], 1);
    assert_eq!(site.get("/").status, 200);
    first(&site).signal(Signal::TERM);
}
