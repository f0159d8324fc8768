//! The lines of one thread in shared memory: how its owner adds to them, and how the supervisor takes them away.
//!
//! One word says whose they are: how many bytes there are, whether the owner is writing them to the files, and which
//! batch it is. Both sides change it by compare-and-exchange, so that a batch has exactly one writer; and the number of the
//! batch tells the supervisor whether what it has copied was still the same when it took it. Bytes are committed by the
//! length alone: what a killed owner had begun to add lies behind it and is nothing.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    fence,
};

use crate::sys::shared_struct;

const WORD: usize = size_of::<u64>();
/// So many words that a slot takes two pages.
const WORDS: usize = 1022;
/// Bytes of lines that a slot takes: some seventy lines, the cost of whose write is little for each of them.
pub(super) const ROOM: usize = WORDS * WORD;

/// The owner writes the lines to the files: nobody else shall.
const WRITING: u64 = 1 << 31;
const LENGTH: u64 = WRITING - 1;
/// What is above it counts batches.
const NEXT: u64 = 1 << 32;

shared_struct! {
    /// See the module.
    pub(super) struct Slot {
        word: AtomicU64,
        /// When the first of the lines was added, by the clock of the scoreboard.
        since_us: AtomicU64,
        text: [AtomicU64; WORDS],
    }
}

/// The word of a slot as its owner has left it. The slot's is another one when the supervisor has taken the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch(u64);

/// The supervisor has taken the lines of a batch; this is the next one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Taken(pub(super) Batch);

impl Slot {
    /// A new owner begins. Whoever owned it before is gone, and what it has left was taken.
    pub(super) fn begin(&self) -> Batch {
        let next = next(self.word.load(Acquire));
        self.word.store(next, Release);
        Batch(next)
    }

    /// Adds what `text` has more than the batch. It fits.
    pub(super) fn add(&self, batch: Batch, text: &[u8], now_us: u64) -> Result<Batch, Taken> {
        let length = (batch.0 & LENGTH) as usize;
        // Whoever sees one of these stores sees the word of this batch, and takes nothing of the one before.
        fence(Release);
        if length == 0 {
            self.since_us.store(now_us, Relaxed);
        }
        let first = length / WORD;
        let chunks = text[first * WORD..].chunks(WORD);
        for (word, chunk) in self.text[first..].iter().zip(chunks) {
            let mut bytes = [0; WORD];
            bytes[..chunk.len()].copy_from_slice(chunk);
            word.store(u64::from_ne_bytes(bytes), Relaxed);
        }
        let longer = batch.0 & !LENGTH | text.len() as u64;
        self.change(batch, longer)
    }

    /// From now on the lines are written by their owner.
    pub(super) fn claim(&self, batch: Batch) -> Result<Batch, Taken> {
        self.change(batch, batch.0 | WRITING)
    }

    /// They are in the files; gives the next batch, which is empty.
    pub(super) fn release(&self, batch: Batch) -> Batch {
        let next = next(batch.0);
        self.word.store(next, Release);
        Batch(next)
    }

    /// Takes the lines if nobody writes them and the first of them is `is_old`, by the time when it was added.
    pub(super) fn take_old(&self, is_old: impl FnOnce(u64) -> bool) -> Option<Vec<u8>> {
        let word = self.word.load(Acquire);
        if word & WRITING != 0 || word & LENGTH == 0 || !is_old(self.since_us.load(Relaxed)) {
            return None;
        }
        let text = self.read(word);
        fence(Acquire);
        let taken = self
            .word
            .compare_exchange(word, next(word), AcqRel, Relaxed);
        taken.is_ok().then_some(text)
    }

    /// Takes the lines of an owner that is gone. Those that it was about to write may be in the files already: better twice
    /// than never.
    pub(super) fn take_left(&self) -> Option<Vec<u8>> {
        let word = self.word.load(Acquire);
        if word & LENGTH == 0 {
            return None;
        }
        self.word.store(next(word), Release);
        Some(self.read(word))
    }

    fn change(&self, batch: Batch, word: u64) -> Result<Batch, Taken> {
        match self.word.compare_exchange(batch.0, word, AcqRel, Acquire) {
            Ok(_) => Ok(Batch(word)),
            Err(other) => Err(Taken(Batch(other))),
        }
    }

    /// As many bytes as the word says; one that a crash has spoilt says no more than there can be.
    fn read(&self, word: u64) -> Vec<u8> {
        let length = ROOM.min((word & LENGTH) as usize);
        let words = self.text.iter().take(length.div_ceil(WORD));
        let bytes = words.flat_map(|word| word.load(Relaxed).to_ne_bytes());
        bytes.take(length).collect()
    }
}

fn next(word: u64) -> u64 {
    (word & !(NEXT - 1)).wrapping_add(NEXT)
}

#[cfg(test)]
mod tests {
    use std::{
        array,
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicUsize},
        },
        thread,
    };

    use super::*;

    fn slot() -> Slot {
        Slot {
            word: AtomicU64::new(0),
            since_us: AtomicU64::new(0),
            text: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    fn left(slot: &Slot) -> String {
        String::from_utf8(slot.take_left().unwrap_or_default()).unwrap()
    }

    #[test]
    fn what_an_owner_has_added_is_left() {
        let slot = slot();
        let batch = slot.begin();
        let batch = slot.add(batch, b"first line\n", 1).unwrap();
        slot.add(batch, b"first line\nsecond\n", 2).unwrap();
        assert_eq!(left(&slot), "first line\nsecond\n");
        assert_eq!(left(&slot), "");
    }

    #[test]
    fn what_was_written_is_not_left() {
        let slot = slot();
        let batch = slot.add(slot.begin(), b"a\n", 1).unwrap();
        let batch = slot.release(slot.claim(batch).unwrap());
        assert_eq!(left(&slot), "");
        slot.add(batch, b"b\n", 1).unwrap();
        assert_eq!(left(&slot), "b\n");
    }

    #[test]
    fn what_was_being_written_is_left() {
        let slot = slot();
        let batch = slot.add(slot.begin(), b"a\n", 1).unwrap();
        slot.claim(batch).unwrap();
        assert_eq!(slot.take_old(|_| true), None);
        assert_eq!(left(&slot), "a\n");
    }

    #[test]
    fn old_lines_are_taken_from_an_owner_who_learns_of_it() {
        let slot = slot();
        let batch = slot.add(slot.begin(), b"a\n", 7).unwrap();
        assert_eq!(slot.take_old(|since_us| since_us != 7), None);
        assert_eq!(slot.take_old(|_| true).unwrap(), b"a\n");
        assert_eq!(slot.take_old(|_| true), None);
        let Err(Taken(next)) = slot.claim(batch) else {
            panic!("the owner may write what was taken");
        };
        slot.add(next, b"b\n", 8).unwrap();
        assert_eq!(left(&slot), "b\n");
    }

    #[test]
    fn a_spoilt_word_says_no_more_than_there_is() {
        let slot = slot();
        slot.word.store(u64::MAX, Relaxed);
        assert_eq!(slot.take_left().unwrap().len(), ROOM);
    }

    /// An owner and a supervisor that takes whatever it can, at the same time.
    #[test]
    fn every_line_is_written_once() {
        const LINES: usize = 20_000;
        let (slot, is_over) = (Arc::new(slot()), Arc::new(AtomicBool::new(false)));
        let taken = Arc::new(AtomicUsize::new(0));
        let supervisor = thread::spawn({
            let (slot, is_over, taken) = (slot.clone(), is_over.clone(), taken.clone());
            move || {
                let mut lines = Vec::new();
                while !is_over.load(Acquire) {
                    if let Some(text) = slot.take_old(|_| true) {
                        lines.extend(text);
                        taken.fetch_add(1, Relaxed);
                    }
                }
                lines
            }
        });
        let (mut batch, mut text, mut written) = (slot.begin(), Vec::new(), Vec::new());
        let mut number = 0;
        // As long as it takes until the two have met.
        while number < LINES || taken.load(Relaxed) == 0 {
            let line = format!("{number}\n");
            text.extend_from_slice(line.as_bytes());
            batch = slot.add(batch, &text, 0).unwrap_or_else(|Taken(next)| {
                text = line.into_bytes();
                slot.add(next, &text, 0).unwrap_or_else(|Taken(next)| {
                    // The line is new, and nobody can have taken it.
                    panic!("an empty batch was taken: {next:?}");
                })
            });
            if number % 5 == 0 {
                batch = match slot.claim(batch) {
                    Ok(batch) => {
                        written.extend_from_slice(&text);
                        slot.release(batch)
                    }
                    Err(Taken(next)) => next,
                };
                text.clear();
            }
            number += 1;
        }
        is_over.store(true, Release);
        written.extend(supervisor.join().unwrap());
        written.extend(slot.take_left().unwrap_or_default());
        let lines = String::from_utf8(written).unwrap();
        let mut numbers: Vec<usize> = lines.lines().map(|line| line.parse().unwrap()).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..number).collect::<Vec<_>>());
    }
}
