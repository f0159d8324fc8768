//! Standard error and log files: one write(2) for each entry, so that those of different processes do not mix.
//!
//! Nobody waits here either. A pipe or a terminal is opened once more for this alone, without O_NONBLOCK for whoever
//! shares it with us; what does not fit (also on a disk that is full) is dropped and counted, and the number is told with
//! the next that fits.

use std::{
    ffi::{CStr, CString},
    io::{self, IsTerminal},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, Mode, OFlags, fstat, open},
    io::{Errno, fcntl_dupfd_cloexec, retry_on_intr, write},
    net::{SendFlags, send},
    time::{ClockId, clock_gettime},
};
use tracing_subscriber::fmt::{
    format::Writer,
    time::{FormatTime, SystemTime},
};

use crate::sys::{local_time, replace_fd};

use super::{
    Priority,
    line::{self, Style},
    targets::Parts,
};

/// What is behind the descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A file, or something that never waits long.
    File,
    /// A pipe or a terminal.
    Pipe,
    /// As journald connects it.
    Socket,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Sink {
    fd: OwnedFd,
    kind: Kind,
    style: Style,
    /// How the time is written (strftime(3)), local time; `None`: as RFC 3339 has it, in UTC.
    timestamp: Option<CString>,
    lost: AtomicU64,
    /// An entry was written in part, and there is no line end behind it.
    torn: AtomicBool,
}

/// Standard error of this process, to be written to without waiting, also by processes that get the descriptor.
pub(super) fn open_own() -> io::Result<OwnedFd> {
    let stderr = io::stderr();
    if kind(stderr.as_fd())? == Kind::Pipe {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        // It may be a pipe of another user; then the writes look first, see below.
        if let Ok(fd) = open("/proc/self/fd/2", flags, Mode::empty()) {
            return Ok(fd);
        }
    }
    Ok(fcntl_dupfd_cloexec(stderr, 3)?)
}

impl Sink {
    /// The end of a file.
    pub(super) fn file(fd: OwnedFd, timestamp: Option<&str>) -> io::Result<Self> {
        let timestamp = timestamp.map(CString::new).transpose()?;
        Ok(Self {
            kind: kind(fd.as_fd())?,
            fd,
            style: Style::Plain,
            timestamp,
            lost: AtomicU64::new(0),
            torn: AtomicBool::new(false),
        })
    }

    /// Standard error; `to_journal` when it is read by journald.
    pub(super) fn stderr(fd: OwnedFd, to_journal: bool) -> io::Result<Self> {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let style = match fd.as_fd().is_terminal() {
            _ if to_journal => Style::Priority,
            true if !no_colour => Style::Coloured,
            _ => Style::Plain,
        };
        Ok(Self {
            kind: kind(fd.as_fd())?,
            fd,
            style,
            timestamp: None,
            lost: AtomicU64::new(0),
            torn: AtomicBool::new(false),
        })
    }

    /// Writes an entry, or counts it as lost.
    pub(super) fn write(&self, parts: Parts<'_>) {
        let lost = self.lost.load(Relaxed);
        let mut entry = String::new();
        if self.torn.load(Relaxed) {
            entry.push('\n');
        }
        if lost > 0 {
            let why = match self.kind {
                Kind::File => "they could not be written",
                Kind::Pipe | Kind::Socket => "nobody has read them",
            };
            let loss = Parts {
                priority: Priority::WARNING,
                role: super::role(),
                speaker: "",
                message: &format!("log entries were lost, {why}: {lost}"),
                is_bare: false,
            };
            entry.push_str(&self.line(loss));
        }
        entry.push_str(&self.line(parts));
        match retry_on_intr(|| self.write_at_once(entry.as_bytes())) {
            Ok(written) if written == entry.len() => {
                self.torn.store(false, Relaxed);
                if lost > 0 {
                    self.lost.fetch_sub(lost, Relaxed);
                }
            }
            Ok(written) => {
                self.torn.store(written > 0, Relaxed);
                self.lost.fetch_add(1, Relaxed);
            }
            Err(_) => _ = self.lost.fetch_add(1, Relaxed),
        }
    }

    /// From now on entries go to `file`. Who is in the middle of one ends it where it has begun.
    pub(super) fn replace(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        replace_fd(&self.fd, file)
    }

    fn line(&self, parts: Parts<'_>) -> String {
        let Parts {
            priority,
            role,
            speaker,
            message,
            is_bare,
        } = parts;
        if is_bare {
            return line::bare(self.style, priority, message);
        }
        let time = moment(self.timestamp.as_deref());
        line::format(self.style, priority, role, speaker, &time, message)
    }

    fn write_at_once(&self, bytes: &[u8]) -> Result<usize, Errno> {
        match self.kind {
            Kind::File => write(&self.fd, bytes),
            Kind::Socket => send(&self.fd, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
            Kind::Pipe => {
                let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
                match poll(&mut fds, Some(&Timespec::default()))? {
                    0 => Err(Errno::AGAIN),
                    _ => write(&self.fd, bytes),
                }
            }
        }
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn kind(fd: BorrowedFd<'_>) -> io::Result<Kind> {
    let kind = FileType::from_raw_mode(fstat(fd)?.st_mode);
    Ok(match kind {
        FileType::Socket => Kind::Socket,
        FileType::Fifo => Kind::Pipe,
        _ if fd.is_terminal() => Kind::Pipe,
        _ => Kind::File,
    })
}

/// Since 1970, for the clock of this machine's zone.
pub(super) fn seconds() -> i64 {
    clock_gettime(ClockId::Realtime).tv_sec
}

/// Now, in a form of strftime(3) and local time, or in our own.
pub(super) fn moment(form: Option<&CStr>) -> String {
    match form {
        Some(form) => local_time(seconds(), form),
        None => now(),
    }
}

/// UTC, to the millisecond (RFC 3339).
pub(super) fn now() -> String {
    const LENGTH: usize = "2000-01-01T00:00:00.000".len();
    let mut time = String::with_capacity(32);
    let written = SystemTime.format_time(&mut Writer::new(&mut time));
    if written.is_err() || time.len() < LENGTH {
        return String::new();
    }
    time.truncate(LENGTH);
    time.push('Z');
    time
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        os::fd::AsRawFd,
    };

    use super::*;
    use crate::journal::Role;

    #[test]
    fn time_has_milliseconds_and_a_zone() {
        let time = now();
        assert_eq!(time.len(), "2000-01-01T00:00:00.000Z".len());
        assert!(time.starts_with("20") && time.as_bytes()[19] == b'.' && time.ends_with('Z'));
    }

    /// This test would not end if anybody waited.
    #[test]
    fn a_pipe_that_nobody_reads_loses_entries_and_keeps_nobody() {
        let (reader, writer) = io::pipe().unwrap();
        let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = open(path, flags, Mode::empty()).unwrap();
        let stderr = Sink::stderr(fd, false).unwrap();
        let say = |message: &str| {
            stderr.write(Parts {
                priority: Priority::INFO,
                role: Role::Worker(0),
                speaker: "",
                message,
                is_bare: false,
            });
        };
        let text = "x".repeat(3000);
        (0..100).for_each(|_| say(&text));
        let lost = stderr.lost.load(Relaxed);
        assert!(lost > 0);
        let mut lines = BufReader::new(reader).lines().map(Result::unwrap);
        (lost..100).for_each(|_| assert!(lines.next().unwrap().ends_with(&text)));
        say("again");
        drop((stderr, writer));
        let rest: Vec<String> = lines.collect();
        let told = format!("nobody has read them: {lost}");
        assert!(rest.iter().any(|line| line.ends_with(&told)), "{rest:?}");
        assert!(
            rest.last().unwrap().ends_with("worker 0: again"),
            "{rest:?}"
        );
    }
}
