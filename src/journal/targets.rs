//! Where entries go: the journal, standard error, or both.

use super::{Priority, Role, entry::Entry, journald::Journald, stderr::Stderr};

/// Those of a process.
#[derive(Debug)]
pub(super) struct Targets {
    pub(super) site: String,
    pub(super) journald: Option<Journald>,
    pub(super) stderr: Stderr,
    pub(super) to_stderr: bool,
}

/// One entry as every target needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) priority: Priority,
    pub(super) role: Role,
    /// Who says it within the process, empty for hostler itself; the fields have it too.
    pub(super) speaker: &'a str,
    pub(super) message: &'a str,
}

impl Targets {
    /// Gives an entry to all of them; `fields` adds what only the journal can hold.
    pub(super) fn put(&self, parts: Parts<'_>, fields: impl FnOnce(&mut Entry)) {
        let Parts {
            priority,
            role,
            speaker,
            message,
        } = parts;
        if let Some(journald) = &self.journald {
            let mut entry = Entry::new(message, priority, &self.site, role);
            fields(&mut entry);
            journald.send(entry.bytes(), |lost| self.loss(lost));
        }
        if self.to_stderr {
            self.stderr.write(priority, role, speaker, message);
        }
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
        Targets {
            site: "shop".to_owned(),
            journald: Some(fake.connect()),
            stderr: Stderr::new(null.into(), false).unwrap(),
            to_stderr: false,
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
        };
        fake.go();
        targets.put(parts, |_| {});
        fake.come_again();
        targets.put(parts, |_| {});
        assert!(fake.next().starts_with("MESSAGE=hello\n"));
        let told = fake.next();
        assert!(told.contains("did not take them: 1\n") && told.contains("\nHOSTLER_LOST=1\n"));
    }
}
