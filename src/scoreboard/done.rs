//! What a thread has done since its worker started, and the sums of that over threads, workers and time.

use std::{
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use serde::{Deserialize, Serialize};

use super::{
    add,
    histogram::{Histogram, HistogramSlot},
};
use crate::sys::shared_struct;

/// Rows in which requests are counted by who answered them. A site with more applications than fit has the rest of them
/// together in the last one.
pub const ROWS: usize = 32;

/// Classes of status: 1xx to 5xx.
const CLASSES: usize = 5;

shared_struct! {
    /// One thread's part. It alone writes.
    pub(super) struct DoneSlot {
        pub(super) accepted: AtomicU64,
        pub(super) closed: AtomicU64,
        pub(super) refused: AtomicU64,
        pub(super) requests: AtomicU64,
        pub(super) received: AtomicU64,
        pub(super) sent: AtomicU64,
        pub(super) application_us: AtomicU64,
        pub(super) lock_us: AtomicU64,
        pub(super) client_us: AtomicU64,
        pub(super) exceptions: AtomicU64,
        pub(super) files: AtomicU64,
        pub(super) read_errors: AtomicU64,
        pub(super) write_errors: AtomicU64,
        statuses: [[AtomicU64; CLASSES]; ROWS],
        pub(super) latency: HistogramSlot,
        queued: HistogramSlot,
    }
}

/// A request that has been answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answered {
    /// Status of the response.
    pub status: u16,
    /// Bytes of the response, head included.
    pub sent: u64,
    /// Set when an application was asked.
    pub asked: Option<Asked>,
}

/// How an application was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Which: 0 is that of `[app]`, the first `[[mount]]` is 1.
    pub application: u32,
    /// From when the request was there, as far as that is known, until the application was called.
    pub queued_us: u64,
    /// Waiting for the interpreter lock.
    pub lock_us: u64,
    /// Waiting for the client, to read from it or to send to it.
    pub client_us: u64,
}

/// What was done, by one thread or by many. Counters begin with the worker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections closed. Of a worker, all accepted minus all closed are the open ones.
    pub closed: u64,
    /// Connections ended because what came was no request that we take, or came too late. They are no requests.
    pub refused: u64,
    /// Requests answered.
    pub requests: u64,
    /// Bytes received.
    pub received: u64,
    /// Bytes of responses, heads included.
    pub sent: u64,
    /// Time in which the application worked on requests, in microseconds: neither waiting for the interpreter lock nor for
    /// the client.
    pub application_us: u64,
    /// Time spent waiting for the interpreter lock.
    pub lock_us: u64,
    /// Time spent waiting for clients while an application was at their request.
    pub client_us: u64,
    /// Exceptions of the application that met no handler.
    pub exceptions: u64,
    /// Requests answered with a file, without the application.
    pub files: u64,
    /// Requests whose client spoilt their body or left before its end.
    pub read_errors: u64,
    /// Responses that their client did not take.
    pub write_errors: u64,
    /// Responses by who answered and by the first digit of their status, 1xx to 5xx. Row 0 is ours (files, redirections,
    /// programs, errors), row 1 is that of `[app]`, row 2 the first `[[mount]]`, and the last one the rest of them.
    pub statuses: Rows,
    /// How long requests took, from their complete head to the end of the answer.
    pub latency: Histogram,
    /// How long requests waited for the application, from when they were there, as far as that is known.
    pub queued: Histogram,
}

/// Counts of responses by row and class of status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows([[u64; CLASSES]; ROWS]);

impl DoneSlot {
    /// A request that began at `began_us` is answered.
    pub(super) fn end(&self, began_us: u64, now_us: u64, answered: &Answered) {
        let took = now_us.saturating_sub(began_us);
        self.latency.record(took);
        let class = usize::from(answered.status / 100).clamp(1, CLASSES);
        add(&self.statuses[row(answered.asked)][class - 1], 1);
        add(&self.requests, 1);
        add(&self.sent, answered.sent);
        if let Some(asked) = &answered.asked {
            self.queued.record(asked.queued_us);
            let waited = asked.lock_us + asked.client_us;
            add(&self.application_us, took.saturating_sub(waited));
            // Most requests wait for nobody.
            if waited > 0 {
                add(&self.lock_us, asked.lock_us);
                add(&self.client_us, asked.client_us);
            }
        }
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            accepted: self.accepted.load(Relaxed),
            closed: self.closed.load(Relaxed),
            refused: self.refused.load(Relaxed),
            requests: self.requests.load(Relaxed),
            received: self.received.load(Relaxed),
            sent: self.sent.load(Relaxed),
            application_us: self.application_us.load(Relaxed),
            lock_us: self.lock_us.load(Relaxed),
            client_us: self.client_us.load(Relaxed),
            exceptions: self.exceptions.load(Relaxed),
            files: self.files.load(Relaxed),
            read_errors: self.read_errors.load(Relaxed),
            write_errors: self.write_errors.load(Relaxed),
            statuses: Rows(
                self.statuses
                    .each_ref()
                    .map(|row| row.each_ref().map(|count| count.load(Relaxed))),
            ),
            latency: self.latency.read(),
            queued: self.queued.read(),
        }
    }

    pub(super) fn clear(&self) {
        let single = [
            &self.accepted,
            &self.closed,
            &self.refused,
            &self.requests,
            &self.received,
            &self.sent,
            &self.application_us,
            &self.lock_us,
            &self.client_us,
            &self.exceptions,
            &self.files,
            &self.read_errors,
            &self.write_errors,
        ];
        let words = single.into_iter().chain(self.statuses.iter().flatten());
        words.for_each(|word| word.store(0, Relaxed));
        self.latency.clear();
        self.queued.clear();
    }
}

impl Totals {
    /// Calls `each` with every counter of this one and that of the other.
    fn pair(&mut self, other: &Self, mut each: impl FnMut(&mut u64, u64)) {
        each(&mut self.accepted, other.accepted);
        each(&mut self.closed, other.closed);
        each(&mut self.refused, other.refused);
        each(&mut self.requests, other.requests);
        each(&mut self.received, other.received);
        each(&mut self.sent, other.sent);
        each(&mut self.application_us, other.application_us);
        each(&mut self.lock_us, other.lock_us);
        each(&mut self.client_us, other.client_us);
        each(&mut self.exceptions, other.exceptions);
        each(&mut self.files, other.files);
        each(&mut self.read_errors, other.read_errors);
        each(&mut self.write_errors, other.write_errors);
        let rows = self.statuses.0.iter_mut().flatten();
        let others = other.statuses.0.iter().flatten();
        rows.zip(others)
            .for_each(|(mine, other)| each(mine, *other));
    }

    /// What was done since an earlier reading. A counter that is behind it has begun anew, and counts from there.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = self.clone();
        since.pair(earlier, |now, before| {
            *now = now.checked_sub(before).unwrap_or(*now)
        });
        since.latency = self.latency.since(&earlier.latency);
        since.queued = self.queued.since(&earlier.queued);
        since
    }
}

impl AddAssign<&Self> for Totals {
    fn add_assign(&mut self, other: &Self) {
        self.pair(other, |sum, count| *sum = sum.wrapping_add(count));
        self.latency += &other.latency;
        self.queued += &other.queued;
    }
}

impl Rows {
    /// Responses of one row by the first digit of their status, 1xx to 5xx.
    ///
    /// # Panics
    /// There are no more than [`ROWS`].
    pub fn row(&self, row: usize) -> [u64; CLASSES] {
        self.0[row]
    }

    /// Responses of all rows by the first digit of their status.
    pub fn classes(&self) -> [u64; CLASSES] {
        let mut sums = [0; CLASSES];
        for row in &self.0 {
            for (sum, count) in sums.iter_mut().zip(row) {
                *sum += count;
            }
        }
        sums
    }
}

fn row(asked: Option<Asked>) -> usize {
    let application = |asked: Asked| asked.application as usize;
    asked.map_or(0, |asked| application(asked).min(ROWS - 2) + 1)
}

#[cfg(test)]
mod tests;
