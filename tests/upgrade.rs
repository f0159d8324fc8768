//! A new hostler takes over from the one that runs, and nobody who asks for a page notices.
//!
//! The program under test is copied, so that another one can be put into its place as a package manager does it. Without a
//! service manager it stays as the parent of its heir; `managed` has one that is told of the new main process, and
//! `systemd::upgrade` a real one.

mod encrypted;
mod first;
mod managed;
mod parent;
mod peers;
mod refused;
mod versions;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::support::{
    process::Watched,
    site::{PROGRAM, Running, Site, program},
};

fn site() -> Site {
    Site::app("process").workers(2, 2)
}

/// The program and the extension.
const FILES: [&str; 2] = ["hostler", "lib_hostler.so"];

/// An installation of its own: the program, and the extension beside it.
pub(crate) struct Installed {
    directory: tempfile::TempDir,
}

impl Installed {
    pub(crate) fn new() -> Self {
        Self::of(Path::new(PROGRAM).parent().unwrap())
    }

    /// One of the program and the extension in this directory.
    fn of(built: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let installed = Self { directory };
        installed.put(built);
        installed
    }

    /// Puts program and extension of this directory into the places of what is here.
    fn put(&self, built: &Path) {
        FILES.iter().for_each(|name| self.put_one(built, name));
    }

    /// One of them.
    fn put_one(&self, built: &Path, name: &str) {
        copy(&built.join(name), &self.path("new"));
        self.rename_new(name);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The program as a command, in the environment of the one under test.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(self.path("hostler"));
        for (name, value) in program().get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Puts the same program into its own place: for whoever compares files it is another one.
    pub(crate) fn upgrade(&self) {
        copy(PROGRAM.as_ref(), &self.path("new"));
        self.rename_new("hostler");
    }

    /// Puts a script into the place of the program.
    fn replace_by(&self, script: &str) {
        fs::write(self.path("new"), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(self.path("new"), fs::Permissions::from_mode(0o755)).unwrap();
        self.rename_new("hostler");
    }

    /// The extension that goes with the program.
    fn put_extension(&self) {
        copy(
            &PathBuf::from(PROGRAM).with_file_name("lib_hostler.so"),
            &self.path("new"),
        );
        self.rename_new("lib_hostler.so");
    }

    /// What no Python can load in the place of the extension.
    fn spoil_extension(&self) {
        fs::write(self.path("new"), "not for you").unwrap();
        self.rename_new("lib_hostler.so");
    }

    fn rename_new(&self, name: &str) {
        fs::rename(self.path("new"), self.path(name)).unwrap();
    }
}

/// By another process: as long as one of ours had the file open for writing, no thread could execute it.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Reloads and waits for the outcome; what is printed.
#[track_caller]
fn reload(site: &Running) -> String {
    let output = site.control(&["reload"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Reloads, which fails; what is printed.
#[track_caller]
fn refused(site: &Running) -> String {
    let output = site.control(&["reload"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    text(&output.stderr)
}

fn status(site: &Running) -> Value {
    let output = site.control(&["status", "--json"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// The supervisor that is in charge.
fn supervisor(site: &Running) -> u64 {
    status(site)["pid"].as_u64().unwrap()
}

/// Its zygote.
fn zygote(site: &Running) -> u64 {
    status(site)["zygote"].as_u64().unwrap()
}

/// Upgrades and reloads, and checks that somebody else is in charge afterwards; the supervisor before.
#[track_caller]
fn upgrade(site: &Running, installed: &Installed) -> Watched {
    let before = supervisor(site);
    let watched = Watched::new(before);
    installed.upgrade();
    let said = reload(site);
    assert!(said.contains("has taken over from"), "{said}");
    assert_ne!(supervisor(site), before);
    watched
}
