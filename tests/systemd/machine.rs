//! A machine with a systemd of its own (`box.py`), with hostler installed as a package would do it.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead, BufReader, Write},
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use crate::support::{PATIENCE, address::Address, root, site::PROGRAM};

/// Exit status of `box.py` when the machine cannot boot one.
const CANNOT: i32 = 77;

/// Which systemd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum System {
    /// The one of this machine.
    Here,
    /// Debian 13's, in the tree that `make tree` builds.
    Debian13,
}

/// A booted machine; it goes with the value.
pub(super) struct Machine {
    boot: Child,
    pid: u32,
    controllers: Vec<String>,
    /// The control group with all of the machine's memory.
    memory: PathBuf,
}

/// What a command inside has done.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Machine {
    /// Boots and installs. `None`, with a loud line, where there can be none; with `CI` set that is a failure.
    pub(super) fn boot(system: System) -> Option<Self> {
        Self::bare(system).inspect(Self::install)
    }

    /// Boots a machine without hostler.
    pub(super) fn bare(system: System) -> Option<Self> {
        let tree = match system {
            System::Here => PathBuf::from("/"),
            System::Debian13 => root().join("target/trees/trixie"),
        };
        if !tree.join("usr").exists() {
            skip("there is no tree of Debian 13; `make tree` builds one");
            return None;
        }
        let mut boot = Command::new("/usr/bin/python3")
            .arg(root().join("tests/systemd/box.py"))
            .args(["boot", "--root"])
            .arg(&tree)
            .arg("--bind")
            .arg(format!("{}:/opt/hostler", root().display()))
            .arg("--bind")
            .arg(format!("{}:/opt/build", build().display()))
            .arg("--bind")
            .arg(format!("{}:/opt/venv", venvs().display()))
            .args(["--bind", "/usr:/opt/usr"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(boot.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        if line.is_empty() {
            let output = boot.wait_with_output().unwrap();
            let reason = String::from_utf8_lossy(&output.stderr);
            let cannot = output.status.code() == Some(CANNOT) && std::env::var_os("CI").is_none();
            assert!(cannot, "no systemd was booted: {reason}");
            skip(&reason);
            return None;
        }
        let facts: Value = serde_json::from_str(&line).unwrap();
        let controllers = facts["controllers"].as_array().unwrap().iter();
        let machine = Self {
            boot,
            pid: u32::try_from(facts["pid"].as_u64().unwrap()).unwrap(),
            controllers: controllers
                .map(|name| name.as_str().unwrap().to_owned())
                .collect(),
            memory: facts["memory"].as_str().unwrap().into(),
        };
        machine.succeed(&["cp", "-r", "/opt/hostler/tests/apps/service", "/srv/app"]);
        Some(machine)
    }

    fn install(&self) {
        let install = "PREFIX=/usr /opt/hostler/packaging/install /opt/build && systemd-sysusers && \
             systemd-tmpfiles --create hostler.conf";
        self.succeed(&["sh", "-c", install]);
        self.succeed(&["systemctl", "daemon-reload"]);
    }

    /// Whether a limit on this resource is enforced here.
    pub(super) fn controls(&self, controller: &str) -> bool {
        self.controllers.iter().any(|name| name == controller)
    }

    /// Lets the machine as a whole have so much memory, in bytes.
    pub(super) fn limit_memory(&self, bytes: u64) {
        let files = ["memory.limit_in_bytes", "memory.max"].map(|name| self.memory.join(name));
        let file = files.iter().find(|file| file.exists()).unwrap();
        fs::write(file, bytes.to_string()).unwrap();
    }

    /// Writes a file.
    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.outside(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A file of the machine as this process sees it.
    pub(super) fn outside(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{path}", self.pid))
    }

    /// Runs a command as root; one that does not come back is ended (status 124).
    pub(super) fn run(&self, command: &[&str]) -> Done {
        let pid = self.pid.to_string();
        let output = Command::new("timeout")
            .args([
                "120", "nsenter", "-t", &pid, "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--",
            ])
            .args(command)
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LANG", "C.UTF-8")
            .env("SYSTEMD_PAGER", "")
            .stdin(Stdio::null())
            .output();
        output.unwrap().into()
    }

    /// Runs a command that must succeed; gives what it has written.
    #[track_caller]
    pub(super) fn succeed(&self, command: &[&str]) -> String {
        let done = self.run(command);
        assert_eq!(
            done.code,
            Some(0),
            "{command:?}: {}{}{}",
            done.stdout,
            done.stderr,
            self.log()
        );
        done.stdout
    }

    /// The settings of a site, read by systemd at once.
    pub(super) fn site(&self, name: &str, settings: &str) {
        self.write(&format!("/etc/hostler/{name}.toml"), settings);
        self.succeed(&["systemctl", "daemon-reload"]);
    }

    /// A property of a unit.
    pub(super) fn property(&self, unit: &str, property: &str) -> String {
        let property = format!("--property={property}");
        let value = self.succeed(&["systemctl", "show", "--value", &property, unit]);
        value.trim_end().to_owned()
    }

    /// Waits until a property of a unit is as wanted.
    #[track_caller]
    pub(super) fn wait_for(
        &self,
        unit: &str,
        property: &str,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let value = self.property(unit, property);
            if wanted(&value) {
                return value;
            }
            assert!(
                Instant::now() < deadline,
                "{property} of {unit} stays {value:?}{}",
                self.log()
            );
            pause();
        }
    }

    /// The journal's entries that match, as objects.
    pub(super) fn journal(&self, matches: &[&str]) -> Vec<Value> {
        self.succeed(&["journalctl", "--sync"]);
        let command = ["journalctl", "--quiet", "--all", "--output=json"];
        let entries = self.succeed(&[&command[..], matches].concat());
        let entries = entries.lines();
        entries
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// Waits for an entry whose message contains `text`.
    #[track_caller]
    pub(super) fn wait_for_entry(&self, matches: &[&str], text: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut entries = self.journal(matches).into_iter();
            let found = entries.find(|entry| {
                let message = entry["MESSAGE"].as_str();
                message.is_some_and(|message| message.contains(text))
            });
            if let Some(entry) = found {
                return entry;
            }
            assert!(
                Instant::now() < deadline,
                "{text:?} is not in the journal{}",
                self.log()
            );
            pause();
        }
    }

    /// The last lines of the journal, for a test that fails.
    pub(super) fn log(&self) -> String {
        let done = self.run(&["journalctl", "--no-pager", "--lines=60", "--output=cat"]);
        format!("\njournal:\n{}", done.stdout)
    }

    /// Does something with the machine's network in place of ours.
    pub(super) fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let network = fs::File::open(format!("/proc/{}/ns/net", self.pid)).unwrap();
        thread::scope(|scope| {
            let enter = || {
                // It is the thread that moves; threads that it starts begin where it is.
                let network = network.as_fd();
                move_into_link_name_space(network, Some(LinkNameSpaceType::Network)).unwrap();
                act()
            };
            scope.spawn(enter).join().unwrap()
        })
    }

    /// One GET, answered by JSON.
    pub(super) fn get(&self, port: u16, target: &str) -> Value {
        self.inside(|| address(port).get(target).json())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        drop(self.boot.stdin.take());
        let _ = self.boot.wait();
    }
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// A port of the machine.
pub(super) fn address(port: u16) -> Address {
    Address(format!("127.0.0.1:{port}"))
}

/// The directory with program and extension.
fn build() -> &'static Path {
    Path::new(PROGRAM).parent().unwrap()
}

/// What `make venvs` makes; elsewhere it may be a link.
fn venvs() -> PathBuf {
    let venvs = root().join("target/venv").canonicalize();
    venvs.expect("there is no target/venv; `make venvs` makes it")
}

/// Between two looks at something that does not say when it changes.
fn pause() {
    thread::park_timeout(Duration::from_millis(50));
}

/// Once for each reason, and past the test harness, which keeps what a successful test prints to itself.
fn skip(reason: &str) {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if SAID.lock().unwrap().insert(reason.to_owned()) {
        let line = format!(
            "\n*** SKIPPED, tests with a booted systemd: {}\n\n",
            reason.trim()
        );
        let _ = io::stderr().write_all(line.as_bytes());
    }
}
