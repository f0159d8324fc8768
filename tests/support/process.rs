//! A child process whose output is collected line by line, and which never outlives its test.

use std::{
    io::{BufRead, BufReader, Read},
    os::fd::OwnedFd,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    process::{Pid, PidfdFlags, Signal},
};

use super::PATIENCE;

/// What the process has written so far, and whether it can write more.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    ended: bool,
}

/// A running process.
pub(crate) struct Process {
    name: String,
    child: Child,
    pidfd: OwnedFd,
    log: Arc<(Mutex<Log>, Condvar)>,
}

impl Process {
    /// Starts `command` with its output collected.
    pub(crate) fn start(name: &str, command: &mut Command) -> Self {
        Self::start_with(name, command, Stdio::null())
    }

    /// The same with this standard input.
    pub(crate) fn start_with(name: &str, command: &mut Command, stdin: Stdio) -> Self {
        let (output, writer) = std::io::pipe().unwrap();
        let child = command
            .stdin(stdin)
            .stdout(writer.try_clone().unwrap())
            .stderr(writer)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        // The command has our copies of the pipe's other end.
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let pidfd = rustix::process::pidfd_open(pid_of(&child), PidfdFlags::empty()).unwrap();
        let log = Arc::new((Mutex::new(Log::default()), Condvar::new()));
        thread::spawn({
            let log = Arc::clone(&log);
            move || collect(output, &log)
        });
        Self {
            name: name.to_owned(),
            child,
            pidfd,
            log,
        }
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything it has written so far.
    pub(crate) fn output(&self) -> String {
        locked(&self.log.0).lines.join("\n")
    }

    /// Waits for a line that `wanted` turns into something.
    pub(crate) fn wait_for<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.wait_for_nth(what, 1, wanted)
    }

    /// Waits for the `nth` such line, counted from 1.
    pub(crate) fn wait_for_nth<T>(
        &self,
        what: &str,
        nth: usize,
        wanted: impl Fn(&str) -> Option<T>,
    ) -> T {
        let deadline = Instant::now() + PATIENCE;
        let (log, changed) = &*self.log;
        let mut log = locked(log);
        loop {
            if let Some(found) = log
                .lines
                .iter()
                .filter_map(|line| wanted(line))
                .nth(nth - 1)
            {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if log.ended || left.is_zero() {
                let why = if log.ended {
                    "ended without"
                } else {
                    "did not write in time:"
                };
                panic!(
                    "{} {why} {what}; its log:\n{}",
                    self.name,
                    log.lines.join("\n")
                );
            }
            let waited = changed.wait_timeout(log, left);
            log = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for a line that contains `text`.
    pub(crate) fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(&format!("{text:?}"), |line| {
            line.contains(text).then(|| line.to_owned())
        })
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::pidfd_send_signal(&self.pidfd, signal).unwrap();
    }

    /// Waits for the end of the process; others that it has started may go on and hold its output.
    pub(crate) fn wait_alone(&mut self) -> ExitStatus {
        if !ends_within(&self.pidfd, PATIENCE) {
            panic!("{} does not end; its log:\n{}", self.name, self.output());
        }
        self.child.wait().unwrap()
    }

    /// Waits for the end of the process, and of its output.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let status = self.wait_alone();
        let (log, changed) = &*self.log;
        // Children of the process may hold its stderr for a moment longer.
        drop(
            changed
                .wait_timeout_while(locked(log), PATIENCE, |log| !log.ended)
                .unwrap(),
        );
        status
    }

    /// Asks it to stop and waits for its end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::TERM);
            if !ends_within(&self.pidfd, Duration::from_secs(10)) {
                let _ = self.child.kill();
            }
            let _ = self.child.wait();
        }
        if thread::panicking() {
            eprintln!("--- output of {}:\n{}\n---", self.name, self.output());
        }
    }
}

/// Watches any process for its end.
pub(crate) struct Watched(OwnedFd);

impl Watched {
    /// Watches the process that has this id now.
    pub(crate) fn new(pid: u64) -> Self {
        let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
        Self(rustix::process::pidfd_open(pid, PidfdFlags::empty()).unwrap())
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::pidfd_send_signal(&self.0, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) fn wait(&self) {
        assert!(ends_within(&self.0, PATIENCE), "the process does not end");
    }
}

/// The lock of a thread that failed is as good as any: the log only grows.
fn locked(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn ends_within(pidfd: &OwnedFd, time: Duration) -> bool {
    let timeout = Timespec::try_from(time).unwrap();
    rustix::event::poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&timeout)).unwrap() > 0
}

fn collect(output: impl Read, log: &(Mutex<Log>, Condvar)) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        locked(&log.0).lines.push(text);
        log.1.notify_all();
        line.clear();
    }
    locked(&log.0).ended = true;
    log.1.notify_all();
}
