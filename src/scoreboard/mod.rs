//! The page of shared memory with one slot per worker.
//!
//! Workers write, the supervisor and whoever asks for the status read. Each value has one writer, so that an update is
//! a load and a store and never a locked instruction; what has to be read as a whole (a request line with its peer) is
//! guarded by a sequence number. Nothing in here decides anything.

mod done;
mod histogram;
mod slot;
mod thread;

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

use crate::sys::{SharedMemory, shared_struct};

pub use done::{Answered, Asked, ROWS, Rows, Totals};
pub use histogram::{BOUNDS, Histogram, STEPS};
pub use slot::{WorkerSlot, WorkerSnapshot, WorkerState};
pub use thread::{RunningRequest, ThreadSlot, ThreadSnapshot};

/// Changes with the layout of the slots, so that a process of another version does not misread them.
const LAYOUT: u64 = u64::from_be_bytes(*b"hostler6");

/// What is wrong with a scoreboard that was handed over.
#[derive(Debug, thiserror::Error)]
pub enum ScoreboardError {
    /// It is of another version, or something else.
    #[error("the shared memory does not hold a scoreboard of this version")]
    Layout,
    /// It cannot be mapped.
    #[error("cannot map the scoreboard")]
    Map(#[source] io::Error),
}

shared_struct! {
    /// The first bytes.
    struct Header {
        layout: AtomicU64,
        workers: AtomicU32,
        threads: AtomicU32,
        /// Whether the supervisor waits for a worker to wake up.
        bell: AtomicU32,
    }
}

/// The slots of one generation's workers and of their threads.
#[derive(Debug)]
pub struct Scoreboard {
    memory: SharedMemory,
    workers: usize,
    threads: usize,
}

impl Scoreboard {
    /// Makes an empty one with `threads` thread slots for each worker slot.
    pub fn create(workers: u32, threads: u32) -> io::Result<Self> {
        let (slots, per_slot) = (workers as usize, threads as usize);
        let memory = SharedMemory::create("hostler-scoreboard", Self::size(slots, per_slot))?;
        let scoreboard = Self {
            memory,
            workers: slots,
            threads: per_slot,
        };
        let header = scoreboard.header();
        header.layout.store(LAYOUT, Relaxed);
        header.workers.store(workers, Relaxed);
        header.threads.store(threads, Relaxed);
        Ok(scoreboard)
    }

    /// Maps one that another process has made.
    pub fn open(fd: OwnedFd) -> Result<Self, ScoreboardError> {
        let memory = SharedMemory::open(fd).map_err(ScoreboardError::Map)?;
        let [header] = memory
            .slice::<Header>(0, 1)
            .ok_or(ScoreboardError::Layout)?
        else {
            return Err(ScoreboardError::Layout);
        };
        let workers = header.workers.load(Relaxed) as usize;
        let threads = header.threads.load(Relaxed) as usize;
        if header.layout.load(Relaxed) != LAYOUT || memory.len() < Self::size(workers, threads) {
            return Err(ScoreboardError::Layout);
        }
        Ok(Self {
            memory,
            workers,
            threads,
        })
    }

    /// The supervisor will not look before a worker wakes up and tells it.
    pub fn ask_to_ring(&self) {
        self.header().bell.store(1, Relaxed);
    }

    /// Whether it is the caller who has to tell it: true for the first worker that asks.
    pub fn has_to_ring(&self) -> bool {
        let bell = &self.header().bell;
        bell.load(Relaxed) != 0 && bell.swap(0, Relaxed) != 0
    }

    /// The slot of one worker.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn worker(&self, slot: u32) -> &WorkerSlot {
        &self.slice(size_of::<Header>(), self.workers)[slot as usize]
    }

    /// The slots of one worker's threads.
    ///
    /// # Panics
    /// When there is no such worker slot.
    pub fn threads(&self, slot: u32) -> &[ThreadSlot] {
        let first = slot as usize * self.threads;
        let start = size_of::<Header>() + self.workers * size_of::<WorkerSlot>();
        &self.slice(start, self.workers * self.threads)[first..first + self.threads]
    }

    /// The slot of one thread of a worker.
    ///
    /// # Panics
    /// When there is no such slot.
    pub fn thread(&self, slot: u32, index: u32) -> &ThreadSlot {
        &self.threads(slot)[index as usize]
    }

    /// All that the threads of a worker have done until this moment.
    ///
    /// # Panics
    /// When there is no such worker slot.
    pub fn totals(&self, slot: u32) -> Totals {
        let mut sum = Totals::default();
        for thread in self.threads(slot) {
            sum += &thread.totals();
        }
        sum
    }

    /// Whether the first `threads` threads of every worker that accepts connections have been at the same request for so
    /// long, so that nobody will take what comes next soon.
    pub fn is_kept(&self, threads: u32, now_us: u64, for_us: u64) -> bool {
        (0..self.len()).all(|slot| {
            let mut threads = self.threads(slot).iter().take(threads as usize);
            self.worker(slot).snapshot().state != WorkerState::Accepting
                || threads.all(|thread| thread.is_kept(now_us, for_us))
        })
    }

    /// How many worker slots there are.
    pub fn len(&self) -> u32 {
        self.workers as u32
    }

    /// Whether there are no worker slots.
    pub fn is_empty(&self) -> bool {
        self.workers == 0
    }

    /// Forgets what the last worker of a slot wrote. It must be gone.
    pub fn clear(&self, slot: u32) {
        self.worker(slot).clear();
        self.threads(slot).iter().for_each(ThreadSlot::clear);
    }

    fn header(&self) -> &Header {
        &self.slice(0, 1)[0]
    }

    fn size(workers: usize, threads: usize) -> usize {
        size_of::<Header>()
            + workers * (size_of::<WorkerSlot>() + threads * size_of::<ThreadSlot>())
    }

    #[expect(
        clippy::expect_used,
        reason = "the length was computed from, or compared with, the same numbers"
    )]
    fn slice<T: crate::sys::Shared>(&self, offset: usize, count: usize) -> &[T] {
        self.memory
            .slice(offset, count)
            .expect("the slots lie within the memory")
    }
}

impl AsFd for Scoreboard {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }
}

/// An addition by the only writer.
fn add(counter: &AtomicU64, count: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(count), Relaxed);
}

/// Microseconds of the clock that all slots use (CLOCK_MONOTONIC), the same in every process of the machine.
pub fn now_us() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reopened(scoreboard: &Scoreboard) -> Result<Scoreboard, ScoreboardError> {
        Scoreboard::open(scoreboard.as_fd().try_clone_to_owned().unwrap())
    }

    #[test]
    fn what_a_worker_writes_another_process_reads() {
        let here = Scoreboard::create(3, 2).unwrap();
        here.worker(2).start(4711, 5);
        here.thread(2, 1).begin(1000, 0, b"GET", b"/there", b"peer");
        let there = reopened(&here).unwrap();
        assert_eq!(there.worker(2).snapshot().pid, 4711);
        assert_eq!(
            there.thread(2, 1).snapshot().running.unwrap().line,
            "GET /there"
        );
        assert_eq!(there.thread(2, 0).snapshot(), ThreadSnapshot::default());
        assert_eq!(there.thread(1, 1).snapshot(), ThreadSnapshot::default());
    }

    #[test]
    fn a_cleared_slot_is_as_new() {
        let scoreboard = Scoreboard::create(2, 1).unwrap();
        scoreboard.worker(1).start(4711, 5);
        scoreboard
            .thread(1, 0)
            .begin(1000, 2000, b"GET", b"/", b"peer");
        scoreboard.clear(1);
        assert_eq!(scoreboard.worker(1).snapshot(), WorkerSnapshot::default());
        assert_eq!(
            scoreboard.thread(1, 0).snapshot(),
            ThreadSnapshot::default()
        );
    }

    #[test]
    fn other_layouts_are_refused() {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        scoreboard.slice::<Header>(0, 1)[0]
            .layout
            .store(LAYOUT + 1, Relaxed);
        assert!(matches!(
            reopened(&scoreboard),
            Err(ScoreboardError::Layout)
        ));
    }

    #[test]
    fn a_size_beyond_the_memory_is_refused() {
        let scoreboard = Scoreboard::create(1, 1).unwrap();
        scoreboard.slice::<Header>(0, 1)[0]
            .workers
            .store(2, Relaxed);
        assert!(matches!(
            reopened(&scoreboard),
            Err(ScoreboardError::Layout)
        ));
    }
}
