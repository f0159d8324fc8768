//! What the application itself has written about the requests that it had (see `tests/apps/numbers`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::support::{PATIENCE, site::Site};

/// A file for one site.
pub(crate) struct Ledger(TempDir);

/// The entries of a ledger.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// Processes in which each request has begun: one, if all is well.
    pub(crate) begun: BTreeMap<u64, Vec<u32>>,
    /// Requests that came to their end.
    pub(crate) ended: BTreeSet<u64>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("hostler-test-").tempdir();
        Self(directory.unwrap())
    }

    /// A site whose application writes here.
    pub(crate) fn site(&self) -> Site {
        Site::app("numbers").env("TEST_LEDGER", self.file().to_str().unwrap())
    }

    /// Everything so far.
    pub(crate) fn read(&self) -> Entries {
        let text = fs::read_to_string(self.file()).unwrap_or_default();
        let mut entries = Entries::default();
        for line in text.lines() {
            let (number, pid) = line[1..].split_once(' ').unwrap();
            let number = number.parse().unwrap();
            if line.starts_with('+') {
                let pids = entries.begun.entry(number).or_default();
                pids.push(pid.parse().unwrap());
            } else {
                entries.ended.insert(number);
            }
        }
        entries
    }

    /// Waits until a request has begun, and gives the process that has it.
    pub(crate) fn wait_for(&self, number: u64) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(pids) = self.read().begun.get(&number) {
                return pids[0];
            }
            assert!(Instant::now() < deadline, "request {number} does not begin");
            thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("ledger")
    }
}
