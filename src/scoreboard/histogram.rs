//! How often something took how long: counters for steps of time, written on every request, so that finding the step takes
//! a few nanoseconds and no calculation with fractions.
//!
//! The steps are ten for each power of ten, 1 to 8 with a fraction of at most 1/3 between two of them. So they have in them
//! the 1, 2, 5 that people ask for, exactly, and percentiles between them are as good as a ruler with such marks.

use std::{
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use serde::{Deserialize, Serialize};

use super::add;
use crate::sys::shared_struct;

/// Upper bounds of the steps in microseconds, each of which belongs to its step. What is longer than the last one, 1000
/// seconds, has a step of its own behind it.
pub const BOUNDS: [u64; 88] = bounds();
/// How many steps there are.
pub const STEPS: usize = BOUNDS.len() + 1;

/// Those of a power of ten from 10 on, times ten.
const MARKS: [u64; 10] = [10, 12, 15, 20, 25, 30, 40, 50, 60, 80];
/// Below it there are whole microseconds only.
const FIRST: [u64; 7] = [1, 2, 3, 4, 5, 6, 8];
/// The first step that a time of so many bits can fall into.
const BY_BITS: [u8; 65] = by_bits();

shared_struct! {
    /// One that a single thread writes.
    pub(super) struct HistogramSlot {
        steps: [AtomicU64; STEPS],
        sum_us: AtomicU64,
    }
}

impl HistogramSlot {
    /// Something took so long.
    pub(super) fn record(&self, time_us: u64) {
        add(&self.steps[step(time_us)], 1);
        add(&self.sum_us, time_us);
    }

    /// How long altogether, in microseconds.
    pub(super) fn sum_us(&self) -> u64 {
        self.sum_us.load(Relaxed)
    }

    /// As it is at this moment.
    pub(super) fn read(&self) -> Histogram {
        Histogram {
            steps: self.steps.each_ref().map(|count| count.load(Relaxed)),
            sum_us: self.sum_us.load(Relaxed),
        }
    }

    pub(super) fn clear(&self) {
        let words = self.steps.iter().chain([&self.sum_us]);
        words.for_each(|word| word.store(0, Relaxed));
    }
}

/// One at one moment, or several of them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Sparse", into = "Sparse")]
pub struct Histogram {
    steps: [u64; STEPS],
    sum_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            steps: [0; STEPS],
            sum_us: 0,
        }
    }
}

impl Histogram {
    /// How often.
    pub fn count(&self) -> u64 {
        self.steps.iter().sum()
    }

    /// How long altogether, in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us
    }

    /// How often it took no longer than each of [`BOUNDS`].
    pub fn cumulative(&self) -> impl Iterator<Item = (u64, u64)> {
        let sums = self.steps.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        BOUNDS.into_iter().zip(sums)
    }

    /// So many of 1000 took no longer than this, in microseconds: 500 is the median, 990 the 99th percentile. Within a step
    /// times count as evenly spread; those beyond the last bound as that. `None` when there is nothing.
    pub fn per_mille(&self, share: u32) -> Option<u64> {
        let count = self.count();
        let rank = (u128::from(count) * u128::from(share))
            .div_ceil(1000)
            .max(1) as u64;
        let mut before = 0;
        for (number, &inside) in self.steps.iter().enumerate() {
            if inside > 0 && before + inside >= rank {
                let (lower, upper) = span(number);
                let part = u128::from(upper - lower) * u128::from(rank - before);
                return Some(lower + part.div_ceil(u128::from(inside)) as u64);
            }
            before += inside;
        }
        None
    }

    /// What has come since an earlier reading. Of a reading that is not earlier, because counting has begun anew, all.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let pairs = || self.steps.iter().zip(&earlier.steps);
        if self.sum_us < earlier.sum_us || pairs().any(|(now, before)| now < before) {
            return self.clone();
        }
        let mut steps = self.steps;
        for (step, before) in steps.iter_mut().zip(&earlier.steps) {
            *step -= before;
        }
        Self {
            steps,
            sum_us: self.sum_us - earlier.sum_us,
        }
    }
}

impl AddAssign<&Self> for Histogram {
    fn add_assign(&mut self, other: &Self) {
        for (sum, count) in self.steps.iter_mut().zip(&other.steps) {
            *sum = sum.wrapping_add(*count);
        }
        self.sum_us = self.sum_us.wrapping_add(other.sum_us);
    }
}

/// As it travels: most steps are empty.
#[derive(Serialize, Deserialize)]
struct Sparse {
    sum_us: u64,
    /// Number of a step, and its count.
    steps: Vec<(usize, u64)>,
}

impl From<Histogram> for Sparse {
    fn from(histogram: Histogram) -> Self {
        let steps = histogram.steps.into_iter().enumerate();
        Self {
            sum_us: histogram.sum_us,
            steps: steps.filter(|(_, count)| *count > 0).collect(),
        }
    }
}

impl From<Sparse> for Histogram {
    fn from(sparse: Sparse) -> Self {
        let mut histogram = Self {
            sum_us: sparse.sum_us,
            ..Self::default()
        };
        for (number, count) in sparse.steps {
            // One of another version may have more steps; what is beyond our last is long.
            histogram.steps[number.min(STEPS - 1)] = count;
        }
        histogram
    }
}

/// The number of the step that a time falls into. There are at most four bounds between two powers of two.
fn step(time_us: u64) -> usize {
    let bits = u64::BITS - time_us.leading_zeros();
    let first = usize::from(BY_BITS[bits as usize]);
    let beyond = BOUNDS[first..].iter().take_while(|bound| time_us > **bound);
    first + beyond.count()
}

/// The bounds between which a step lies.
fn span(number: usize) -> (u64, u64) {
    let last = BOUNDS[BOUNDS.len() - 1];
    let lower = number.checked_sub(1).map_or(0, |before| BOUNDS[before]);
    (lower, BOUNDS.get(number).copied().unwrap_or(last))
}

const fn bounds() -> [u64; 88] {
    let mut bounds = [0; 88];
    let mut at = 0;
    while at < FIRST.len() {
        bounds[at] = FIRST[at];
        at += 1;
    }
    let mut unit = 1;
    while at < bounds.len() {
        let number = (at - FIRST.len()) % MARKS.len();
        bounds[at] = MARKS[number] * unit;
        at += 1;
        if number == MARKS.len() - 1 {
            unit *= 10;
        }
    }
    bounds
}

const fn by_bits() -> [u8; 65] {
    let mut firsts = [0; 65];
    let mut bits = 1;
    while bits < firsts.len() {
        let smallest = 1 << (bits - 1);
        let mut first = firsts[bits - 1];
        while (first as usize) < BOUNDS.len() && BOUNDS[first as usize] < smallest {
            first += 1;
        }
        firsts[bits] = first;
        bits += 1;
    }
    firsts
}

/// Of these times, for tests.
#[cfg(test)]
impl FromIterator<u64> for Histogram {
    fn from_iter<T: IntoIterator<Item = u64>>(times: T) -> Self {
        let mut histogram = Self::default();
        for time_us in times {
            histogram.steps[step(time_us)] += 1;
            histogram.sum_us = histogram.sum_us.wrapping_add(time_us);
        }
        histogram
    }
}

#[cfg(test)]
mod tests;
