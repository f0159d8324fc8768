//! Standard error and log files: one write(2) for each entry, so that those of different processes do not mix.
//!
//! Nobody waits here either. A pipe or a terminal is opened once more for this alone, without O_NONBLOCK for whoever
//! shares it with us; what does not fit (also on a disk that is full) is dropped and counted, and the number is told with
//! the next that fits.

use std::{
    ffi::CString,
    io::{self, IsTerminal},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use memchr::memchr_iter;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, Mode, OFlags, fstat, open},
    io::{Errno, fcntl_dupfd_cloexec, retry_on_intr, write},
    net::{SendFlags, send},
};

use crate::sys::replace_fd;

use super::{
    Priority, clock,
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

    /// Whether whoever has many lines may write them together: it is a file, where a short write is a full disk.
    pub(super) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// Writes an entry, or counts it as lost.
    pub(super) fn write(&self, parts: Parts<'_>) {
        let mut entry = String::new();
        self.put(parts, clock::now_us(), &mut entry);
        self.write_lines(entry.as_bytes(), 1);
    }

    /// Writes so many entries, or counts as lost what does not get there.
    pub(super) fn write_lines(&self, text: &[u8], entries: u64) {
        let (lost, torn) = (self.lost.load(Relaxed), self.torn.load(Relaxed));
        let result = match lost > 0 || torn {
            false => retry_on_intr(|| self.write_at_once(text)),
            true => {
                let report = self.report(lost, torn);
                let all = [report.as_bytes(), text].concat();
                let written = retry_on_intr(|| self.write_at_once(&all));
                self.note_report(written, report.len(), lost)
            }
        };
        match result {
            Ok(written) if written == text.len() => {}
            Ok(written) => {
                let (there, rest) = text.split_at(written);
                let is_torn = there.last().is_some_and(|last| *last != b'\n');
                self.torn.store(is_torn, Relaxed);
                let ends = memchr_iter(b'\n', rest).count() as u64;
                self.lost.fetch_add(entries.min(ends), Relaxed);
            }
            Err(_) => _ = self.lost.fetch_add(entries, Relaxed),
        }
    }

    /// What stands before the next entry when one was torn, or entries were lost.
    fn report(&self, lost: u64, torn: bool) -> String {
        let mut report = String::new();
        if torn {
            report.push('\n');
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
            self.put(loss, clock::now_us(), &mut report);
        }
        report
    }

    /// What was written beside a report of so many bytes.
    fn note_report(
        &self,
        written: Result<usize, Errno>,
        report: usize,
        lost: u64,
    ) -> Result<usize, Errno> {
        let written = written?;
        if written >= report {
            self.torn.store(false, Relaxed);
            self.lost.fetch_sub(lost, Relaxed);
            return Ok(written - report);
        }
        self.torn.store(written > 0, Relaxed);
        Err(Errno::NOSPC)
    }

    /// From now on entries go to `file`. Who is in the middle of one ends it where it has begun.
    pub(super) fn replace(&self, file: BorrowedFd<'_>) -> io::Result<()> {
        replace_fd(&self.fd, file)
    }

    /// Composes an entry of this time, in microseconds since 1970.
    pub(super) fn put(&self, parts: Parts<'_>, time_us: i64, entry: &mut String) {
        let time = |entry: &mut String| clock::put(time_us, self.timestamp.as_deref(), entry);
        line::put(entry, self.style, parts, time);
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

/// Whether a descriptor is one for which lines are gathered.
pub(super) fn is_file(fd: BorrowedFd<'_>) -> bool {
    kind(fd).is_ok_and(|kind| kind == Kind::File)
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

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        os::fd::AsRawFd,
    };

    use super::*;
    use crate::journal::Role;

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
