//! What stays when a worker is replaced: counters of uWSGI go on over a respawn, and those of the scoreboard begin anew.

use std::ops::AddAssign;

use crate::scoreboard::{ThreadSnapshot, Totals};

/// One worker's place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Processes that there were in it.
    pub(crate) spawns: u64,
    /// When the last one was made, in seconds since 1970.
    pub(crate) last_spawn: u64,
    /// How often one of them was ended because of a request past its deadline.
    pub(crate) harakiris: u64,
    /// What those that are gone have done, all threads together.
    pub(crate) done: Totals,
    /// Those that are gone, thread by thread.
    pub(super) threads: Vec<Counts>,
}

/// Counters of a thread.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) requests: u64,
    pub(super) exceptions: u64,
    pub(super) files: u64,
    pub(super) read_errors: u64,
    pub(super) write_errors: u64,
    pub(super) bytes: u64,
    pub(super) busy_us: u64,
}

impl Tally {
    /// Another process comes into this place, whose predecessor has left these counters, thread by thread and together.
    pub(crate) fn spawn(&mut self, left: &[ThreadSnapshot], done: &Totals, now_unix: u64) {
        self.threads = self.with(left);
        self.done += done;
        self.spawns += 1;
        self.last_spawn = now_unix;
    }

    /// Those that are gone and this one together, thread by thread.
    pub(super) fn with(&self, threads: &[ThreadSnapshot]) -> Vec<Counts> {
        let mut sums = self.threads.clone();
        sums.resize(sums.len().max(threads.len()), Counts::default());
        for (sum, thread) in sums.iter_mut().zip(threads) {
            *sum += Counts::from(thread);
        }
        sums
    }
}

impl From<&ThreadSnapshot> for Counts {
    fn from(thread: &ThreadSnapshot) -> Self {
        Self {
            requests: thread.requests,
            exceptions: thread.exceptions,
            files: thread.files,
            read_errors: thread.read_errors,
            write_errors: thread.write_errors,
            bytes: thread.bytes,
            busy_us: thread.busy_us,
        }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.requests += other.requests;
        self.exceptions += other.exceptions;
        self.files += other.files;
        self.read_errors += other.read_errors;
        self.write_errors += other.write_errors;
        self.bytes += other.bytes;
        self.busy_us += other.busy_us;
    }
}
