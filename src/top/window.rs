//! What happened between two readings: rates, and percentiles of the requests that were answered meanwhile.
//!
//! Workers are compared one by one, because each counts from its own beginning. What a worker did between the first
//! reading and its end is lost to the window.

use std::collections::BTreeMap;

use crate::{
    scoreboard::Histogram,
    supervisor::control::{Status, WorkerStatus},
};

/// What a worker is known by as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkerKey {
    pub(super) generation: u32,
    pub(super) worker: u32,
    pub(super) pid: i32,
}

impl From<&WorkerStatus> for WorkerKey {
    fn from(worker: &WorkerStatus) -> Self {
        Self {
            generation: worker.generation,
            worker: worker.worker,
            pid: worker.pid,
        }
    }
}

/// How a site was doing between two readings.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Window {
    /// All workers together.
    pub(super) site: Pace,
    /// Each of them.
    pub(super) workers: BTreeMap<WorkerKey, Pace>,
}

/// How fast requests were answered.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Pace {
    /// Requests a second.
    pub(super) rate: f64,
    /// Those of them that were answered with 500 or more.
    pub(super) errors: f64,
    /// Nothing when there was no request.
    pub(super) latency: Option<Latency>,
}

/// Half, 95 and 99 of 100 requests took no longer than this, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Latency {
    pub(super) p50: u64,
    pub(super) p95: u64,
    pub(super) p99: u64,
}

/// What was counted.
#[derive(Debug, Clone, Default)]
struct Counted {
    requests: u64,
    errors: u64,
    latency: Histogram,
}

impl Window {
    /// From one reading to a later one of the same service; nothing when they are not that.
    pub(super) fn between(before: &Status, after: &Status) -> Option<Self> {
        let length_us = after.now_us.checked_sub(before.now_us)?;
        if before.pid != after.pid || length_us == 0 {
            return None;
        }
        let known: BTreeMap<WorkerKey, &WorkerStatus> = { before.workers.iter() }
            .map(|worker| (worker.into(), worker))
            .collect();
        let mut sum = Counted::default();
        let mut workers = BTreeMap::new();
        for worker in &after.workers {
            let key = WorkerKey::from(worker);
            let counted = Counted::since(known.get(&key).copied(), worker, length_us);
            sum.requests += counted.requests;
            sum.errors += counted.errors;
            sum.latency += &counted.latency;
            workers.insert(key, counted.pace(length_us));
        }
        Some(Self {
            site: sum.pace(length_us),
            workers,
        })
    }
}

impl Latency {
    /// Of these requests; nothing when there are none.
    pub(super) fn of(histogram: &Histogram) -> Option<Self> {
        Some(Self {
            p50: histogram.per_mille(500)?,
            p95: histogram.per_mille(950)?,
            p99: histogram.per_mille(990)?,
        })
    }
}

impl Counted {
    /// A worker that was not there before has done all that it has done within the window, if it is that young.
    fn since(before: Option<&WorkerStatus>, after: &WorkerStatus, length_us: u64) -> Self {
        match before {
            Some(before) => Self {
                requests: after.requests.saturating_sub(before.requests),
                errors: after.errors.saturating_sub(before.errors),
                latency: after.latency.since(&before.latency),
            },
            None if after.age_us <= length_us => Self {
                requests: after.requests,
                errors: after.errors,
                latency: after.latency.clone(),
            },
            None => Self::default(),
        }
    }

    fn pace(&self, length_us: u64) -> Pace {
        let per_second = |count: u64| count as f64 * 1e6 / length_us as f64;
        Pace {
            rate: per_second(self.requests),
            errors: per_second(self.errors),
            latency: Latency::of(&self.latency),
        }
    }
}

#[cfg(test)]
mod tests;
