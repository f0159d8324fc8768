//! Where entries go: the journal, standard error, files, sockets, and any of them at once.

use std::{
    ffi::CString,
    io,
    os::fd::{AsFd, OwnedFd},
};

use crate::config::{Log, LogTarget};

use super::{
    JournalError, Priority, Role, clock,
    datagrams::Datagrams,
    entry::Entry,
    form::Form,
    gather,
    journald::Journald,
    line::{self, Style},
    sink::Sink,
    syslog::{self, Syslog},
};

/// Those of a process.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) site: String,
    pub(super) journald: Option<Journald>,
    pub(super) stderr: Sink,
    pub(super) outlets: Vec<Outlet>,
    /// Where the log goes.
    pub(super) log: Places,
    /// Where the entries of requests go.
    pub(super) access: Places,
    /// The form that these have; `None`: our own.
    pub(super) form: Option<Form>,
}

/// A file or a socket of the supervisor's.
#[derive(Debug)]
pub(super) struct Outlet {
    target: LogTarget,
    way: Way,
}

/// How entries get there.
#[derive(Debug)]
enum Way {
    File(Sink),
    /// As a line, with a time in this form.
    Lines(Datagrams, Option<CString>),
    /// As a message of syslog; `is_local`: in the form of this machine's own.
    Syslog {
        datagrams: Datagrams,
        syslog: Syslog,
        is_local: bool,
    },
}

/// Some of the targets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) journal: bool,
    pub(super) stderr: bool,
    /// Places among the outlets, of files.
    files: Vec<usize>,
    /// And of everything else.
    others: Vec<usize>,
}

/// One entry as every target needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) priority: Priority,
    pub(super) role: Role,
    /// Who says it within the process, empty for hostler itself; the fields have it too.
    pub(super) speaker: &'a str,
    pub(super) message: &'a str,
    /// The message is the line, with nothing in front of it.
    pub(super) is_bare: bool,
}

/// When a request was over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    /// In microseconds since 1970.
    pub(super) time_us: i64,
    /// By the clock of the scoreboard.
    pub(super) clock_us: u64,
}

impl Places {
    /// What a setting names, of these outlets.
    pub(super) fn new(targets: &[LogTarget], outlets: &[Outlet]) -> Self {
        let named = |outlet: &&Outlet| targets.contains(&outlet.target);
        let places = |is_file| {
            let outlets = (0..).zip(outlets);
            let found = outlets.filter(|(_, outlet)| named(outlet) && outlet.is_file() == is_file);
            found.map(|(place, _)| place).collect()
        };
        Self {
            journal: targets.contains(&LogTarget::Journal),
            stderr: targets.contains(&LogTarget::Stderr),
            files: places(true),
            others: places(false),
        }
    }
}

impl Outlet {
    /// By the supervisor's descriptor.
    pub(super) fn new(target: LogTarget, fd: OwnedFd, log: &Log) -> Result<Self, JournalError> {
        let datagrams = |fd| Datagrams::new(&target, fd);
        let syslog = || Syslog::new(log.syslog_facility, &log.syslog_identifier);
        let way = match &target {
            LogTarget::Unix(_) | LogTarget::Udp(_) => {
                // The settings let no NUL through.
                let time = log
                    .timestamp
                    .as_deref()
                    .and_then(|time| CString::new(time).ok());
                Way::Lines(datagrams(fd), time)
            }
            LogTarget::Syslog | LogTarget::SyslogUdp(_) | LogTarget::SyslogUnix(_) => Way::Syslog {
                datagrams: datagrams(fd),
                syslog: syslog(),
                is_local: target == LogTarget::Syslog,
            },
            LogTarget::File(path) => {
                let sink = Sink::file(fd, log.timestamp.as_deref());
                Way::File(sink.map_err(|source| JournalError::File {
                    path: path.clone(),
                    source,
                })?)
            }
            LogTarget::Journal | LogTarget::Stderr => {
                Way::File(Sink::file(fd, None).map_err(JournalError::Stderr)?)
            }
        };
        Ok(Self { target, way })
    }

    /// Whether lines for it can be gathered.
    fn is_file(&self) -> bool {
        matches!(&self.way, Way::File(sink) if sink.is_file())
    }

    fn has_fields(&self) -> bool {
        matches!(
            self.way,
            Way::Syslog {
                is_local: false,
                ..
            }
        )
    }

    /// Writes an entry, or counts it as lost.
    fn put(&self, site: &str, parts: Parts<'_>, fields: impl Fn(&mut Entry)) {
        match &self.way {
            Way::File(sink) => sink.write(parts),
            Way::Lines(datagrams, time) => {
                let line = |parts: Parts<'_>| {
                    let mut line = String::new();
                    line::put(&mut line, Style::Plain, parts, |line| {
                        clock::put(clock::now_us(), time.as_deref(), line);
                    });
                    line
                };
                datagrams.send(line(parts), |lost| with_loss(lost, line));
            }
            Way::Syslog {
                datagrams,
                syslog,
                is_local: true,
            } => datagrams.send(syslog.local(parts), |lost| {
                with_loss(lost, |parts| syslog.local(parts))
            }),
            Way::Syslog {
                datagrams, syslog, ..
            } => {
                let mut entry = syslog::element(site, parts.role);
                fields(&mut entry);
                datagrams.send(syslog.message(parts, &entry), |lost| {
                    let mut entry = syslog::element(site, super::role());
                    entry.put("HOSTLER_LOST", lost.to_string());
                    with_loss(lost, |parts| syslog.message(parts, &entry))
                });
            }
        }
    }

    fn replace(&self, fd: &OwnedFd) -> io::Result<()> {
        match &self.way {
            Way::File(sink) => sink.replace(fd.as_fd()),
            Way::Lines(datagrams, _) | Way::Syslog { datagrams, .. } => {
                datagrams.replace(fd.as_fd())
            }
        }
    }
}

/// What tells of entries that did not arrive, in the form of its target.
fn with_loss(lost: u64, form: impl FnOnce(Parts<'_>) -> String) -> String {
    form(Parts {
        priority: Priority::WARNING,
        role: super::role(),
        speaker: "",
        message: &format!("log entries were lost, nobody has taken them: {lost}"),
        is_bare: false,
    })
}

impl Targets {
    /// Gives an entry to each of `places`; `fields` adds what only the journal and syslog can hold.
    pub(super) fn put(&self, places: &Places, parts: Parts<'_>, fields: impl Fn(&mut Entry)) {
        self.put_beside_files(places, parts, fields);
        // What this thread has said of its requests stands before it.
        let is_shared = |file| self.access.files.contains(file);
        if places.files.iter().any(is_shared) {
            gather::write(|text, lines| self.write_requests(text, lines));
        }
        for sink in self.files(places) {
            sink.write(parts);
        }
    }

    /// The same for the entry of a request, whose line for files is gathered if this thread has many of them.
    pub(super) fn put_request(
        &self,
        parts: Parts<'_>,
        ended: Ended,
        line: &mut String,
        fields: impl Fn(&mut Entry),
    ) {
        let places = &self.access;
        self.put_beside_files(places, parts, fields);
        // All of them have the same line.
        if let Some(sink) = self.files(places).next() {
            line.clear();
            sink.put(parts, ended.time_us, line);
            let write = |text: &[u8], lines| self.write_requests(text, lines);
            gather::add(line.as_bytes(), ended.clock_us, write);
        }
    }

    /// Whether entries have fields in any of these places.
    pub(super) fn have_fields(&self, places: &Places) -> bool {
        let mut others = places.others.iter().map(|place| &self.outlets[*place]);
        (places.journal && self.journald.is_some()) || others.any(Outlet::has_fields)
    }

    /// Writes so many lines of requests to each file for them.
    pub(super) fn write_requests(&self, text: &[u8], lines: u64) {
        for sink in self.files(&self.access) {
            sink.write_lines(text, lines);
        }
    }

    fn put_beside_files(&self, places: &Places, parts: Parts<'_>, fields: impl Fn(&mut Entry)) {
        let Parts {
            priority,
            role,
            message,
            ..
        } = parts;
        if let Some(journald) = self.journald.as_ref().filter(|_| places.journal) {
            let mut entry = Entry::new(message, priority, &self.site, role);
            fields(&mut entry);
            journald.send(entry.bytes(), |lost| self.loss(lost));
        }
        if places.stderr {
            self.stderr.write(parts);
        }
        for place in &places.others {
            self.outlets[*place].put(&self.site, parts, &fields);
        }
    }

    fn files(&self, places: &Places) -> impl Iterator<Item = &Sink> {
        places
            .files
            .iter()
            .filter_map(|place| match &self.outlets[*place].way {
                Way::File(sink) => Some(sink),
                _ => None,
            })
    }

    /// Entries for these files and sockets go to these descriptors from now on.
    pub(super) fn replace(&self, targets: &[LogTarget], fds: &[OwnedFd]) -> io::Result<()> {
        for (target, fd) in targets.iter().zip(fds) {
            let outlets = self.outlets.iter();
            for outlet in outlets.filter(|outlet| outlet.target == *target) {
                outlet.replace(fd)?;
            }
        }
        Ok(())
    }

    /// The entry that tells of entries that did not arrive.
    fn loss(&self, lost: u64) -> Vec<u8> {
        let message = format!("log entries were lost, the journal did not take them: {lost}");
        let mut entry = Entry::new(&message, Priority::WARNING, &self.site, super::role());
        entry.put("HOSTLER_LOST", lost.to_string());
        entry.bytes().to_vec()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{super::fake::Fake, *};

    /// Targets that lead to a journal for tests alone.
    pub(in super::super) fn to(fake: &Fake) -> Targets {
        let null = std::fs::File::open("/dev/null").unwrap();
        let journal = Places::new(&[LogTarget::Journal], &[]);
        Targets {
            site: "shop".to_owned(),
            journald: Some(fake.connect()),
            stderr: Sink::stderr(null.into(), false).unwrap(),
            outlets: Vec::new(),
            log: journal.clone(),
            access: journal,
            form: None,
        }
    }

    #[test]
    fn what_was_lost_is_said() {
        let mut fake = Fake::new();
        let targets = to(&fake);
        let parts = Parts {
            priority: Priority::INFO,
            role: Role::Zygote,
            speaker: "",
            message: "hello",
            is_bare: false,
        };
        fake.go();
        targets.put(&targets.log, parts, |_| {});
        fake.come_again();
        targets.put(&targets.log, parts, |_| {});
        assert!(fake.next().starts_with("MESSAGE=hello\n"));
        let told = fake.next();
        assert!(told.contains("did not take them: 1\n") && told.contains("\nHOSTLER_LOST=1\n"));
    }
}
