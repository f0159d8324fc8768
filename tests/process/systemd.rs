//! The service manager's protocol: what we tell it (sd_notify(3)), and the sockets it hands over (sd_listen_fds(3)).

use std::{fs, os::unix::net::UnixDatagram, process::Command};

use rustix::process::Signal;

use crate::support::{
    PATIENCE,
    site::{PROGRAM, program, serves},
};

use super::site;

/// A service manager's ear.
struct Manager {
    socket: UnixDatagram,
    _directory: tempfile::TempDir,
}

impl Manager {
    /// Listens, and has `command` told where.
    fn listen(command: &mut Command) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        command.env("NOTIFY_SOCKET", path);
        Self {
            socket,
            _directory: directory,
        }
    }

    /// Waits for a message with this assignment; gives the whole message.
    fn wait_for(&self, assignment: &str) -> String {
        let mut heard = Vec::new();
        loop {
            let mut buffer = [0; 4096];
            let Ok(length) = self.socket.recv(&mut buffer) else {
                panic!("no {assignment} in {heard:?}");
            };
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.lines().any(|line| line.starts_with(assignment)) {
                return message;
            }
            heard.push(message);
        }
    }
}

#[test]
fn the_service_manager_is_told() {
    let mut command = program();
    let manager = Manager::listen(&mut command);
    let mut running = site().start_by(command);
    manager.wait_for("READY=1");
    assert_eq!(running.get("/pid").status, 200);
    running.process.signal(Signal::HUP);
    assert!(manager.wait_for("RELOADING=1").contains("MONOTONIC_USEC="));
    manager.wait_for("READY=1");
    running.process.signal(Signal::TERM);
    manager.wait_for("STOPPING=1");
    assert!(running.process.wait().success());
}

/// READY=1 means that requests are answered, also when each worker still has to import the application.
#[test]
fn ready_comes_after_lazy_apps() {
    let mut command = program();
    let manager = Manager::listen(&mut command);
    let running = site().app_setting("lazy-apps = true").start_by(command);
    manager.wait_for("READY=1");
    assert!(running.process.output().contains("ready"));
}

#[test]
fn a_reload_that_fails_is_told_as_well() {
    let mut command = program();
    let manager = Manager::listen(&mut command);
    let running = site().start_by(command);
    manager.wait_for("READY=1");
    fs::write(running.file(), "[app]\nmodul = \"x\"\n").unwrap();
    running.process.signal(Signal::HUP);
    manager.wait_for("RELOADING=1");
    manager.wait_for("READY=1");
    assert_eq!(running.get("/pid").status, 200);
}

#[test]
fn the_watchdog_is_fed() {
    let mut command = program();
    let manager = Manager::listen(&mut command);
    command.env("WATCHDOG_USEC", "300000");
    let _running = site().start_by(command);
    for _ in 0..3 {
        manager.wait_for("WATCHDOG=1");
    }
}

/// The program, with a listening socket on a path as its descriptor 3.
fn with_socket(path: &str) -> Command {
    const LAUNCHER: &str = "
import os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
if listener.fileno() != 3:
    os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='http.socket')
os.execv(sys.argv[2], sys.argv[2:])
";
    let mut command = Command::new("/usr/bin/python3");
    command.args(["-c", LAUNCHER, path, PROGRAM]);
    command
}

#[test]
fn an_inherited_socket_is_served_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("inherited.sock");
    let path = path.to_str().unwrap();
    let settings = || site().listen("http", path);
    let mut running = settings().start_by(with_socket(path));
    assert_eq!(running.get("/pid").status, 200);
    running.process.signal(Signal::HUP);
    running
        .process
        .wait_for_nth("that it serves again", 2, |line| serves(line).then_some(()));
    assert_eq!(running.get("/pid").status, 200);
    let inherited = running.get("/env/LISTEN_FDS").json();
    assert!(
        inherited.is_null(),
        "the application is told of descriptors: {inherited}"
    );
    running.process.stop();
    assert!(
        fs::exists(path).unwrap(),
        "the socket is the service manager's"
    );
}

#[test]
fn an_inherited_socket_that_nobody_wants_ends_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("inherited.sock");
    let (mut process, _directory) = site().launch_by(with_socket(path.to_str().unwrap()));
    process.wait_for_text(path.to_str().unwrap());
    assert!(!process.wait().success());
}
