//! What a worker as a whole says about itself.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::sys::shared_struct;

/// Where a worker is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WorkerState {
    /// No worker has this slot.
    #[default]
    Empty,
    /// It exists, and does not accept connections yet.
    Starting,
    /// It accepts connections.
    Accepting,
    /// It finishes what it has and accepts no more.
    Draining,
}

impl WorkerState {
    const ALL: [Self; 4] = [Self::Empty, Self::Starting, Self::Accepting, Self::Draining];
}

shared_struct! {
    /// One worker's part, written by its main thread.
    pub struct WorkerSlot {
        state: AtomicU32,
        pid: AtomicU32,
        generation: AtomicU32,
    }
}

/// A slot at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerSnapshot {
    /// Where it is in its life.
    pub state: WorkerState,
    /// Its process id, 0 in an empty slot.
    pub pid: i32,
    /// The generation that it belongs to.
    pub generation: u32,
}

impl WorkerSlot {
    /// The first word of a new worker.
    pub fn start(&self, pid: i32, generation: u32) {
        self.pid.store(pid.cast_unsigned(), Relaxed);
        self.generation.store(generation, Relaxed);
        self.set_state(WorkerState::Starting);
    }

    /// The worker is now in this state.
    pub fn set_state(&self, state: WorkerState) {
        self.state.store(state as u32, Relaxed);
    }

    /// The slot at this moment.
    pub fn snapshot(&self) -> WorkerSnapshot {
        let state = self.state.load(Relaxed) as usize;
        WorkerSnapshot {
            state: WorkerState::ALL.get(state).copied().unwrap_or_default(),
            pid: self.pid.load(Relaxed).cast_signed(),
            generation: self.generation.load(Relaxed),
        }
    }

    pub(super) fn clear(&self) {
        for word in [&self.state, &self.pid, &self.generation] {
            word.store(0, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoreboard::Scoreboard;

    #[test]
    fn every_state_is_read_back() {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        for state in WorkerState::ALL {
            scoreboard.worker(0).set_state(state);
            assert_eq!(scoreboard.worker(0).snapshot().state, state);
        }
    }
}
