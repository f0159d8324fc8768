//! The connections that wait for an event, addressed by a small number that epoll hands back.
//!
//! A slot's lock is the ownership of its connection: whoever has an event for it marks the slot and tries the lock; if
//! another thread has it, that thread sees the mark when it lets go. An event that arrives late, for a connection that
//! has gone, at worst makes the slot's new connection look at its socket once for nothing.

use std::sync::{
    Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence},
};

use super::{connection::Connection, timers::NEVER};

const CHUNK: usize = 256;
const CHUNKS: usize = 256;

/// The place of one connection.
pub(super) struct Slot {
    marked: AtomicBool,
    /// Whether an event said that the client of the slot's connection sends no more.
    ended: AtomicBool,
    connection: Mutex<Option<Box<Connection>>>,
    /// Milliseconds of CLOCK_MONOTONIC after which [`Slot::connection`] is given up.
    pub(super) deadline: AtomicU64,
}

impl Slot {
    fn new() -> Self {
        Self {
            marked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            connection: Mutex::new(None),
            deadline: AtomicU64::new(NEVER),
        }
    }

    /// Says that something happened to the connection; then look whether [`Slot::try_own`] gives it.
    ///
    /// The fence pairs with the one that owners pass between letting go and [`Slot::is_marked`]: of an owner that lets
    /// go and a marker that fails to own, at least one sees what the other did.
    pub(super) fn mark(&self, ended: bool) {
        if ended {
            self.ended.store(true, Ordering::Relaxed);
        }
        self.marked.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Whether something happened that no owner has taken up.
    pub(super) fn is_marked(&self) -> bool {
        self.marked.load(Ordering::Relaxed)
    }

    /// The owner takes up what happened so far; returns whether the client sends no more.
    pub(super) fn clear_mark(&self) -> bool {
        self.marked.store(false, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        self.ended.load(Ordering::Relaxed)
    }

    /// Ownership, unless another thread has it.
    pub(super) fn try_own(&self) -> Option<MutexGuard<'_, Option<Box<Connection>>>> {
        match self.connection.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn own(&self) -> MutexGuard<'_, Option<Box<Connection>>> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// All slots; they never move once made.
pub(super) struct Table {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    free: Mutex<Vec<u32>>,
    used: AtomicUsize,
}

impl Table {
    pub(super) fn new() -> Self {
        Self {
            chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(),
            free: Mutex::new(Vec::new()),
            used: AtomicUsize::new(0),
        }
    }

    /// A free slot, owned; `None` when all [`CHUNK`] × [`CHUNKS`] are taken.
    pub(super) fn reserve(&self) -> Option<(u32, &Slot, MutexGuard<'_, Option<Box<Connection>>>)> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let index = match free.pop() {
            Some(index) => index,
            None => {
                let used = self.used.load(Ordering::Relaxed);
                self.chunks
                    .get(used / CHUNK)?
                    .get_or_init(|| (0..CHUNK).map(|_| Slot::new()).collect());
                self.used.store(used + 1, Ordering::Release);
                used as u32
            }
        };
        drop(free);
        let slot = self.slot(index)?;
        let owned = slot.own();
        slot.ended.store(false, Ordering::Relaxed);
        Some((index, slot, owned))
    }

    /// The slot of a number that [`Table::reserve`] gave.
    pub(super) fn slot(&self, index: u32) -> Option<&Slot> {
        self.chunks
            .get(index as usize / CHUNK)?
            .get()?
            .get(index as usize % CHUNK)
    }

    /// Gives a slot back; its connection has been taken out.
    pub(super) fn release(&self, index: u32) {
        self.free
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(index);
    }

    /// Every slot that was ever used, with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Slot)> {
        (0..self.used.load(Ordering::Acquire) as u32)
            .filter_map(|index| Some((index, self.slot(index)?)))
    }
}
