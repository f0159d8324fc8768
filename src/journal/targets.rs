//! Where entries go: the journal, standard error, files, and any of them at once.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
};

use crate::config::LogTarget;

use super::{Priority, Role, entry::Entry, form::Form, journald::Journald, sink::Sink};

/// Those of a process.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) site: String,
    pub(super) journald: Option<Journald>,
    pub(super) stderr: Sink,
    pub(super) files: Vec<LogFile>,
    /// Where the log goes.
    pub(super) log: Places,
    /// Where the entries of requests go.
    pub(super) access: Places,
    /// The form that these have; `None`: our own.
    pub(super) form: Option<Form>,
}

/// A file that entries are written to.
#[derive(Debug)]
pub(super) struct LogFile {
    pub(super) path: PathBuf,
    pub(super) sink: Sink,
}

/// Some of the targets.
#[derive(Debug, Clone, Default)]
pub(super) struct Places {
    pub(super) journal: bool,
    pub(super) stderr: bool,
    files: Vec<PathBuf>,
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

impl Places {
    /// What a setting names.
    pub(super) fn new(targets: &[LogTarget]) -> Self {
        let file = |target: &LogTarget| match target {
            LogTarget::File(path) => Some(path.clone()),
            _ => None,
        };
        Self {
            journal: targets.contains(&LogTarget::Journal),
            stderr: targets.contains(&LogTarget::Stderr),
            files: targets.iter().filter_map(file).collect(),
        }
    }
}

impl Targets {
    /// Gives an entry to each of `places`; `fields` adds what only the journal can hold.
    pub(super) fn put(&self, places: &Places, parts: Parts<'_>, fields: impl FnOnce(&mut Entry)) {
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
        for path in &places.files {
            if let Some(file) = self.files.iter().find(|file| file.path == *path) {
                file.sink.write(parts);
            }
        }
    }

    /// Entries for these files go to these descriptors from now on.
    pub(super) fn replace(&self, paths: &[PathBuf], fds: &[OwnedFd]) -> io::Result<()> {
        for (path, fd) in paths.iter().zip(fds) {
            if let Some(file) = self.files.iter().find(|file| file.path == *path) {
                file.sink.replace(fd.as_fd())?;
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
        let journal = Places::new(&[LogTarget::Journal]);
        Targets {
            site: "shop".to_owned(),
            journald: Some(fake.connect()),
            stderr: Sink::stderr(null.into(), false).unwrap(),
            files: Vec::new(),
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
