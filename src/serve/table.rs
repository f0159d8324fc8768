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

/// Ownership of the connection of a slot.
pub(super) type Place<'s> = MutexGuard<'s, Option<Box<Connection>>>;

/// Slots are made so many at a time.
const CHUNK: usize = 256;
const CHUNKS: usize = 256;

/// The place of one connection.
pub(super) struct Slot {
    marked: AtomicBool,
    /// Whether an event said that the client of the slot's connection sends no more.
    ended: AtomicBool,
    /// Whether its number is in the queue of those that wait for the application.
    left: AtomicBool,
    connection: Mutex<Option<Box<Connection>>>,
    /// Milliseconds of CLOCK_MONOTONIC after which the connection is given up.
    deadline: AtomicU64,
}

impl Slot {
    fn new() -> Self {
        Self {
            marked: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            left: AtomicBool::new(false),
            connection: Mutex::new(None),
            deadline: AtomicU64::new(NEVER),
        }
    }

    /// Says that something happened to the connection; then look whether [`Slot::try_own`] gives it.
    ///
    /// The fence pairs with the one in [`Slot::let_go`]: of an owner that lets go and a marker that fails to own, at
    /// least one sees what the other did.
    pub(super) fn mark(&self, ended: bool) {
        if ended {
            self.ended.store(true, Ordering::Relaxed);
        }
        self.marked.store(true, Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// Whether something happened that no owner has taken up.
    pub(super) fn is_marked(&self) -> bool {
        self.marked.load(Ordering::Relaxed)
    }

    /// The owner takes up what happened so far; returns whether the client sends no more.
    pub(super) fn clear_mark(&self) -> bool {
        // Reads the mark that it takes away, and with it sees all that the marker did before.
        self.marked.swap(false, Ordering::Acquire);
        self.ended.load(Ordering::Relaxed)
    }

    /// Ends ownership; the owner then has to look at [`Slot::is_marked`].
    pub(super) fn let_go(&self, place: Place<'_>) {
        drop(place);
        fence(Ordering::SeqCst);
    }

    /// Says whether its number is in the queue of those that wait for the application; gives what was said before.
    pub(super) fn note_left(&self, is_left: bool) -> bool {
        self.left.swap(is_left, Ordering::AcqRel)
    }

    /// When the connection is given up. Sequentially consistent with what [`super::timers::Timers`] does.
    pub(super) fn deadline(&self) -> u64 {
        self.deadline.load(Ordering::SeqCst)
    }

    /// Says when the connection is given up; [`NEVER`] when it has gone. The owner's to do.
    pub(super) fn set_deadline(&self, deadline: u64) {
        // Many requests fall into one tick of the clock, and a load costs less than a store that others must see.
        if self.deadline() != deadline {
            self.deadline.store(deadline, Ordering::SeqCst);
        }
    }

    /// Ownership, unless another thread has it.
    pub(super) fn try_own(&self) -> Option<Place<'_>> {
        match self.connection.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn own(&self) -> Place<'_> {
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
    pub(super) fn reserve(&self) -> Option<(u32, &Slot, Place<'_>)> {
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

    /// Every slot that was ever used.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Slot> {
        (0..self.used.load(Ordering::Acquire) as u32).filter_map(|index| self.slot(index))
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicU32, thread};

    use super::*;

    fn number(table: &Table) -> u32 {
        table.reserve().unwrap().0
    }

    #[test]
    fn a_number_is_used_again_once_it_is_free() {
        let table = Table::new();
        assert_eq!((number(&table), number(&table)), (0, 1));
        table.release(0);
        assert_eq!((number(&table), number(&table)), (0, 2));
        assert_eq!(table.iter().count(), 3);
    }

    #[test]
    fn it_is_full_one_day() {
        let table = Table::new();
        for expected in 0..CHUNK * CHUNKS {
            assert_eq!(number(&table) as usize, expected);
        }
        assert!(table.reserve().is_none());
        table.release(7);
        assert_eq!(number(&table), 7);
    }

    #[test]
    fn a_number_that_was_never_given_has_no_slot() {
        let table = Table::new();
        assert!(table.slot(0).is_none());
        assert_eq!(number(&table), 0);
        assert!(table.slot(u32::MAX).is_none());
    }

    #[test]
    fn a_new_connection_has_not_ended() {
        let table = Table::new();
        let (number, slot, place) = table.reserve().unwrap();
        slot.mark(true);
        assert!(slot.clear_mark());
        assert!(slot.clear_mark(), "once ended is ended for ever");
        slot.let_go(place);
        table.release(number);
        let (_, slot, _place) = table.reserve().unwrap();
        assert!(!slot.clear_mark());
    }

    /// Every thread makes an event and then does what the engine does with one. Whoever owns the slot last must have
    /// seen all events: otherwise a connection would wait for one that has come already.
    #[test]
    fn no_mark_is_lost() {
        let table = Table::new();
        let (_, slot, place) = table.reserve().unwrap();
        slot.let_go(place);
        let (made, seen) = (AtomicU32::new(0), AtomicU32::new(0));
        for round in 1..2_000 {
            let event = || {
                made.fetch_add(1, Ordering::Relaxed);
                slot.mark(false);
                while slot.is_marked() {
                    let Some(place) = slot.try_own() else {
                        return;
                    };
                    slot.clear_mark();
                    seen.store(made.load(Ordering::Relaxed), Ordering::Relaxed);
                    slot.let_go(place);
                }
            };
            thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(event))));
            assert_eq!(seen.load(Ordering::Relaxed), 3 * round);
        }
    }
}
