//! Threads that make way for each other.
//!
//! When threads outnumber processors the kernel interrupts each at its tick, whatever it is at, and lets the next one run
//! as long. With four threads and ticks of 4 ms a request that was interrupted waits for 12 ms, in which the other threads
//! answer thousands. So a thread with nothing in hand looks now and then whether another one is at the same event as at
//! the last look, and lets it run (sched_yield(2)).

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use rustix::thread::sched_yield;

/// Time between two looks of a thread.
const LOOK_US: u64 = 100;
/// How often a thread makes way for one event: whoever has it may as well wait for something else than a processor.
const TIMES: u32 = 16;

/// How far each thread of the loop is.
pub(super) struct Turns(Box<[Turn]>);

/// Counts up when the thread begins to wait and when it comes back: odd while it has something in hand, and at first. On a
/// line of its own, since its thread writes it all the time.
#[repr(align(128))]
struct Turn(AtomicU32);

/// What a thread has seen of the others.
#[derive(Default)]
pub(super) struct Looks {
    last_us: u64,
    seen: Vec<Seen>,
}

#[derive(Clone, Copy, Default)]
struct Seen {
    turn: u32,
    /// How often it was made way for.
    times: u32,
}

impl Turns {
    pub(super) fn new(threads: u32) -> Self {
        Self((0..threads).map(|_| Turn(AtomicU32::new(1))).collect())
    }

    /// The thread comes back from waiting, or is about to wait.
    pub(super) fn step(&self, thread: u32) {
        let turn = &self.0[thread as usize].0;
        turn.store(turn.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// For a thread with nothing in hand: lets others run that do not get on.
    pub(super) fn make_way(&self, looks: &mut Looks, now_us: u64) {
        if self.0.len() == 1 || now_us - looks.last_us < LOOK_US {
            return;
        }
        looks.last_us = now_us;
        if looks.note(self.0.iter().map(|turn| turn.0.load(Relaxed))) {
            sched_yield();
        }
    }
}

impl Looks {
    /// Whether one of them has been at the same event since the last look.
    fn note(&mut self, turns: impl ExactSizeIterator<Item = u32>) -> bool {
        self.seen.resize(turns.len(), Seen::default());
        let mut is_any_stuck = false;
        for (seen, turn) in self.seen.iter_mut().zip(turns) {
            if seen.turn != turn {
                *seen = Seen { turn, times: 0 };
            } else if turn % 2 == 1 && seen.times < TIMES {
                seen.times += 1;
                is_any_stuck = true;
            }
        }
        is_any_stuck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_stays_at_an_event_is_made_way_for() {
        let mut looks = Looks::default();
        assert!(!looks.note([1, 4].into_iter()), "seen for the first time");
        assert!(looks.note([1, 4].into_iter()));
        assert!(
            !looks.note([3, 5].into_iter()),
            "both are at something else"
        );
        assert!(looks.note([4, 5].into_iter()));
    }

    #[test]
    fn who_waits_for_events_is_left_alone() {
        let mut looks = Looks::default();
        for _ in 0..3 {
            assert!(!looks.note([2, 8].into_iter()));
        }
    }

    #[test]
    fn what_takes_long_is_made_way_for_so_many_times() {
        let mut looks = Looks::default();
        looks.note([7].into_iter());
        for _ in 0..TIMES {
            assert!(looks.note([7].into_iter()));
        }
        assert!(!looks.note([7].into_iter()));
    }

    #[test]
    fn a_thread_that_waits_has_nothing_in_hand() {
        let (turns, mut looks) = (Turns::new(2), Looks::default());
        let mut stays = || looks.note(turns.0.iter().map(|turn| turn.0.load(Relaxed)));
        assert!(!stays() && stays(), "at first they prepare to serve");
        turns.step(0);
        assert!(stays());
        turns.step(1);
        assert!(!stays() && !stays());
    }
}
