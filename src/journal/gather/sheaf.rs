//! The lines that one thread has gathered, as that thread has them: what it writes from, and the rules for when.

use std::sync::Arc;

use super::{
    Gathered,
    slot::{Batch, ROOM, Taken},
};

/// A line is gathered when the one before it is younger than this, because whoever answers fewer requests can bear a write
/// for each. And as old as this are lines when they are written.
const PATIENCE_US: u64 = 1_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Sheaf {
    gathered: Arc<Gathered>,
    /// Which slot is this thread's.
    place: usize,
    batch: Batch,
    text: Vec<u8>,
    lines: u64,
    /// When the first of them came.
    since_us: u64,
    /// When the last line came, gathered or not.
    last_us: u64,
}

impl Sheaf {
    pub(super) fn new(gathered: Arc<Gathered>, place: usize) -> Self {
        let batch = gathered.slot(place).begin();
        Self {
            gathered,
            place,
            batch,
            text: Vec::new(),
            lines: 0,
            since_us: 0,
            last_us: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes in a line that came then, or has `write` write it, with those that came before it and with how many lines
    /// that are.
    pub(super) fn add(&mut self, line: &[u8], now_us: u64, write: impl Fn(&[u8], u64)) {
        let is_busy = now_us.saturating_sub(self.last_us) < PATIENCE_US;
        self.last_us = now_us;
        if self.text.len() + line.len() > ROOM {
            self.write(&write);
        }
        if line.len() > ROOM || !is_busy && self.is_empty() {
            return write(line, 1);
        }
        self.append(line, now_us);
        if now_us.saturating_sub(self.since_us) >= PATIENCE_US {
            self.write(&write);
        }
    }

    /// Has `write` write the lines, unless the supervisor has done it.
    pub(super) fn write(&mut self, write: impl Fn(&[u8], u64)) {
        if self.is_empty() {
            return;
        }
        let slot = self.gathered.slot(self.place);
        self.batch = match slot.claim(self.batch) {
            Ok(batch) => {
                write(&self.text, self.lines);
                slot.release(batch)
            }
            Err(Taken(next)) => next,
        };
        self.clear();
    }

    fn append(&mut self, line: &[u8], now_us: u64) {
        loop {
            if self.is_empty() {
                self.since_us = now_us;
            }
            self.text.extend_from_slice(line);
            self.lines += 1;
            let slot = self.gathered.slot(self.place);
            match slot.add(self.batch, &self.text, now_us) {
                Ok(batch) => {
                    self.batch = batch;
                    return;
                }
                Err(Taken(next)) => {
                    self.batch = next;
                    self.clear();
                }
            }
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.lines = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A thread, and what it has written.
    struct Thread {
        sheaf: Sheaf,
        written: RefCell<Vec<(String, u64)>>,
    }

    impl Thread {
        fn new() -> Self {
            let gathered = Arc::new(Gathered::create(1, 1).unwrap());
            Self {
                sheaf: Sheaf::new(gathered, 0),
                written: RefCell::default(),
            }
        }

        #[track_caller]
        fn check(&mut self, line: &str, now_us: u64, expected: &[(&str, u64)]) {
            let note = |text: &[u8], lines| {
                let text = String::from_utf8(text.to_vec()).unwrap();
                self.written.borrow_mut().push((text, lines));
            };
            match line {
                "" => self.sheaf.write(note),
                line => self.sheaf.add(line.as_bytes(), now_us, note),
            }
            let written = self.written.take();
            let found = written.iter().map(|(text, lines)| (text.as_str(), *lines));
            assert_eq!(found.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_line_that_comes_alone_is_written_at_once() {
        let mut thread = Thread::new();
        thread.check("a\n", 1_000_000, &[("a\n", 1)]);
        thread.check("b\n", 1_001_000, &[("b\n", 1)]);
        thread.check("", 0, &[]);
    }

    #[test]
    fn lines_that_come_fast_are_written_together() {
        let mut thread = Thread::new();
        thread.check("a\n", 1_000_000, &[("a\n", 1)]);
        thread.check("b\n", 1_000_999, &[]);
        thread.check("c\n", 1_001_300, &[]);
        thread.check("", 0, &[("b\nc\n", 2)]);
        thread.check("", 0, &[]);
    }

    #[test]
    fn no_line_is_gathered_for_long() {
        let mut thread = Thread::new();
        thread.check("a\n", 1_000_000, &[("a\n", 1)]);
        thread.check("b\n", 1_000_010, &[]);
        thread.check("c\n", 1_001_010, &[("b\nc\n", 2)]);
    }

    #[test]
    fn what_does_not_fit_is_written_before_and_alone() {
        let mut thread = Thread::new();
        let long = format!("{}\n", "x".repeat(ROOM));
        let full = &long[1..];
        thread.check("a\n", 1_000_000, &[("a\n", 1)]);
        thread.check("b\n", 1_000_001, &[]);
        thread.check(full, 1_000_002, &[("b\n", 1)]);
        thread.check("c\n", 1_000_003, &[(full, 1)]);
        thread.check(&long, 1_000_004, &[("c\n", 1), (&long, 1)]);
    }

    #[test]
    fn what_the_supervisor_has_taken_is_not_written_again() {
        let mut thread = Thread::new();
        let gathered = Arc::clone(&thread.sheaf.gathered);
        let take = || gathered.take_old(0, u64::MAX).concat();
        thread.check("a\n", 1_000_000, &[("a\n", 1)]);
        thread.check("b\n", 1_000_001, &[]);
        assert_eq!(take(), b"b\n");
        thread.check("", 0, &[]);
        thread.check("c\n", 1_000_002, &[]);
        assert_eq!(take(), b"c\n");
        thread.check("d\n", 1_000_003, &[]);
        thread.check("", 0, &[("d\n", 1)]);
    }
}
