//! What became of every request, and what may have become of it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::ledger::{Entries, Ledger};

/// A draining worker leaves idle connections a second; a client that was quiet for less must not find its connection
/// closed without a word.
const QUIET: Duration = Duration::from_millis(900);

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// With its own number, by this process.
    Answered(u32),
    /// The connection was closed instead, after these bytes.
    Closed(String),
    /// With this status.
    Refused(u16),
    /// Nothing came within the patience of a client, which is long.
    Silent,
    /// With something that does not belong to it.
    Wrong(String),
}

/// One request.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) number: u64,
    /// Who has answered on this connection before.
    pub(crate) before: Option<u32>,
    pub(crate) begun: Instant,
    pub(crate) ended: Instant,
    pub(crate) outcome: Outcome,
}

/// A connection that was closed while its client asked for nothing.
#[derive(Debug)]
pub(crate) struct QuietEnd {
    pub(crate) worker: Option<u32>,
    /// For how long the client had been quiet when it saw it.
    pub(crate) quiet: Duration,
    /// What came before the end, though nobody had asked.
    pub(crate) surplus: Vec<u8>,
}

/// All that some clients have seen.
#[derive(Debug, Default)]
pub(crate) struct Account {
    pub(crate) records: Vec<Record>,
    pub(crate) quiet_ends: Vec<QuietEnd>,
}

/// A worker whose end costs the requests that are in it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Death {
    pub(crate) worker: u32,
    /// Before it.
    pub(crate) from: Instant,
    /// After it; `None`: some time after `from`.
    pub(crate) to: Option<Instant>,
}

impl Account {
    /// Both of them.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.records.extend(other.records);
        self.quiet_ends.extend(other.quiet_ends);
        self
    }

    /// How many requests each worker has answered.
    pub(crate) fn by_worker(&self) -> BTreeMap<u32, usize> {
        let mut counts = BTreeMap::new();
        for record in &self.records {
            if let Outcome::Answered(worker) = record.outcome {
                *counts.entry(worker).or_default() += 1;
            }
        }
        counts
    }

    /// Every request was answered, by what it asked for and once; every connection ended in agreement.
    #[track_caller]
    pub(crate) fn check_spotless(&self, ledger: &Ledger) {
        self.check_lost_only_in(&[], ledger);
    }

    /// The same but for requests that were in one of these workers, or on their way to it, when it died. Gives what
    /// became of those.
    #[track_caller]
    pub(crate) fn check_lost_only_in(&self, deaths: &[Death], ledger: &Ledger) -> Vec<&Record> {
        let entries = ledger.read();
        let (kept, lost): (Vec<_>, Vec<_>) = self
            .records
            .iter()
            .partition(|record| matches!(record.outcome, Outcome::Answered(_)));
        assert!(!kept.is_empty());
        for record in kept {
            let Outcome::Answered(worker) = record.outcome else {
                continue;
            };
            assert_eq!(
                entries.begun.get(&record.number),
                Some(&vec![worker]),
                "{record:?}"
            );
        }
        let unexplained: Vec<_> = lost
            .iter()
            .filter(|record| !is_explained(record, deaths, &entries))
            .collect();
        let total = self.records.len();
        assert!(
            unexplained.is_empty(),
            "{} of {total} requests: {unexplained:#?}",
            unexplained.len()
        );
        let twice: Vec<_> = entries
            .begun
            .iter()
            .filter(|(_, pids)| pids.len() > 1)
            .collect();
        assert!(twice.is_empty(), "executed more than once: {twice:?}");
        self.check_quiet_ends(deaths);
        lost
    }

    #[track_caller]
    fn check_quiet_ends(&self, deaths: &[Death]) {
        let rude: Vec<_> = self
            .quiet_ends
            .iter()
            .filter(|end| !deaths.iter().any(|death| Some(death.worker) == end.worker))
            .filter(|end| end.quiet < QUIET || !end.surplus.is_empty())
            .collect();
        assert!(rude.is_empty(), "closed without a word: {rude:#?}");
    }
}

fn is_explained(record: &Record, deaths: &[Death], entries: &Entries) -> bool {
    if matches!(record.outcome, Outcome::Silent | Outcome::Wrong(_)) {
        return false;
    }
    let began_in = entries.begun.get(&record.number).map(|pids| pids[0]);
    match began_in.or(record.before) {
        Some(worker) => deaths
            .iter()
            .any(|death| death.worker == worker && death.is_within(record)),
        // A new connection, accepted by somebody whose application has not seen the request.
        None => deaths.iter().any(|death| death.is_within(record)),
    }
}

impl Death {
    /// Whether it falls into the time of the request.
    fn is_within(&self, record: &Record) -> bool {
        record.ended >= self.from && self.to.is_none_or(|to| record.begun <= to)
    }
}
