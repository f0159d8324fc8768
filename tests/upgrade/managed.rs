//! With a service manager, which is told of the new main process: that is a sibling of the old one, which ends.

use std::{
    os::unix::net::UnixDatagram,
    path::Path,
    sync::mpsc::{self, Receiver},
    thread,
    time::Instant,
};

use rustix::process::{Pid, Signal, WaitOptions, waitpid};

use crate::{
    process::Held,
    support::{
        PATIENCE,
        load::Load,
        process::Watched,
        site::{Running, Site},
    },
};

use super::{Installed, refused, reload, site, status, supervisor, text};

/// What a service manager hears, and the site that it has started.
pub(super) struct Managed {
    heard: Receiver<String>,
    installed: Installed,
    pub(super) site: Running,
}

impl Managed {
    pub(super) fn start(settings: &Site) -> Self {
        let installed = Installed::new();
        let path = installed.path("notify");
        let heard = listen(&path);
        let mut command = installed.command();
        command.env("NOTIFY_SOCKET", path);
        command.env("WATCHDOG_USEC", "300000");
        let site = settings.start_by(command);
        let managed = Self {
            heard,
            installed,
            site,
        };
        managed.heard_until("READY=1");
        managed
    }

    /// Every message up to one that begins so, which comes last.
    fn heard_until(&self, beginning: &str) -> Vec<String> {
        let (mut heard, deadline) = (Vec::new(), Instant::now() + PATIENCE);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(message) = self.heard.recv_timeout(left) else {
                panic!("no {beginning} in {heard:?}");
            };
            heard.push(message);
            if heard.last().is_some_and(|last| last.starts_with(beginning)) {
                return heard;
            }
        }
    }

    /// Upgrades and reloads; who is in charge afterwards.
    pub(super) fn upgrade(&self) -> Heir {
        self.installed.upgrade();
        let said = reload(&self.site);
        assert!(said.contains("has taken over"), "{said}");
        self.heir()
    }

    fn heir(&self) -> Heir {
        let pid = supervisor(&self.site);
        let process = Watched::new(pid);
        Heir { pid, process }
    }
}

/// Takes every message at once, as a service manager does, until nobody wants to know.
fn listen(path: &Path) -> Receiver<String> {
    let ear = UnixDatagram::bind(path).unwrap();
    ear.set_read_timeout(Some(PATIENCE)).unwrap();
    let (sender, heard) = mpsc::channel();
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(length) = ear.recv(&mut buffer) {
            if sender.send(text(&buffer[..length])).is_err() {
                return;
            }
        }
    });
    heard
}

/// A child of this process that it has not started: its end is taken in here.
pub(super) struct Heir {
    pid: u64,
    process: Watched,
}

impl Heir {
    /// Stops it; its exit code.
    fn stop(self) -> Option<i32> {
        self.process.signal(Signal::TERM);
        self.wait()
    }

    fn wait(&self) -> Option<i32> {
        self.process.wait();
        let pid = Pid::from_raw(i32::try_from(self.pid).unwrap());
        let (_, status) = waitpid(pid, WaitOptions::NOHANG).ok()??;
        status.exit_status()
    }
}

impl Drop for Heir {
    fn drop(&mut self) {
        // It may have ended by now, and then there is nobody to wait for.
        let pid = Pid::from_raw(i32::try_from(self.pid).unwrap()).unwrap();
        if rustix::process::test_kill_process(pid).is_ok() {
            self.process.signal(Signal::TERM);
            self.wait();
        }
    }
}

#[test]
fn no_request_is_lost_and_the_main_process_changes() {
    let managed = Managed::start(&site());
    let old = Watched::new(managed.site.process.pid().into());
    let load = Load::start(managed.site.address(), "/", 8);
    load.wait_for(100);
    let first = managed.upgrade();
    let heard = managed.heard_until("MAINPID=");
    assert!(
        heard
            .iter()
            .any(|message| message.starts_with("RELOADING=1")),
        "{heard:?}"
    );
    assert_eq!(
        heard.last().unwrap(),
        &format!("MAINPID={}\nREADY=1\n", first.pid)
    );
    managed.heard_until("WATCHDOG=1");
    old.wait();
    load.wait_for(100);
    let second = managed.upgrade();
    assert_eq!(first.wait(), Some(0));
    load.wait_for(100);
    let (done, failures) = load.finish();
    assert!(
        failures.is_empty(),
        "{} of {done}: {failures:#?}",
        failures.len()
    );
    assert_eq!(second.stop(), Some(0));
}

#[test]
fn a_program_that_cannot_begin_is_no_main_process() {
    let managed = Managed::start(&site());
    managed.installed.replace_by("exit 3");
    let said = refused(&managed.site);
    assert!(said.contains("ended without a word"), "{said}");
    let heard = managed.heard_until("READY=1");
    let count = |text: &str| {
        heard
            .iter()
            .filter(|message| message.contains(text))
            .count()
    };
    assert_eq!(
        (count("RELOADING=1"), count("MAINPID=")),
        (1, 0),
        "{heard:?}"
    );
}

#[test]
fn a_stop_lets_the_old_supervisor_finish_its_requests() {
    let managed = Managed::start(&site());
    let held = Held::begin(&managed.site);
    let old = Watched::new(managed.site.process.pid().into());
    let heir = managed.upgrade();
    heir.process.signal(Signal::TERM);
    managed.heard_until("STOPPING=1");
    assert_eq!(held.end()["version"], serde_json::Value::Null);
    old.wait();
    assert_eq!(heir.wait(), Some(0));
}

#[test]
fn a_stop_hurries_the_old_supervisor() {
    let managed = Managed::start(&site().setting("timeouts", "reload-mercy = \"300ms\""));
    let held = Held::begin(&managed.site);
    let old = Watched::new(managed.site.process.pid().into());
    let heir = managed.upgrade();
    assert_eq!(heir.stop(), Some(0));
    old.wait();
    assert_eq!(held.killed().status, 0);
}

/// Each supervisor waits for the one before it, and what an end means reaches all of them.
#[test]
fn a_request_outlives_two_upgrades() {
    let managed = Managed::start(&site());
    let held = Held::begin(&managed.site);
    let old = Watched::new(managed.site.process.pid().into());
    let first = managed.upgrade();
    let second = managed.upgrade();
    second.process.signal(Signal::TERM);
    managed.heard_until("STOPPING=1");
    held.end();
    old.wait();
    assert_eq!((first.wait(), second.wait()), (Some(0), Some(0)));
}

/// The second one may come when the first has not ended, and is done by whoever is in charge then.
#[test]
fn a_reload_during_an_upgrade_is_done_as_well() {
    let managed = Managed::start(&site());
    managed.installed.upgrade();
    thread::scope(|scope| {
        let first = scope.spawn(|| reload(&managed.site));
        managed
            .site
            .process
            .wait_for_text("it is started to take over");
        assert_eq!(
            reload(&managed.site),
            "reloaded: generation 3 serves with 2 workers\n"
        );
        assert!(first.join().unwrap().contains("has taken over"));
    });
    let heir = managed.heir();
    assert_eq!(status(&managed.site)["generation"], 3);
    assert_eq!(heir.stop(), Some(0));
}
