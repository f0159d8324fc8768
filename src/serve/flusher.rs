//! The thread that sends on while an application makes its next piece.
//!
//! PEP 3333 ("Buffering and Streaming") lets a server keep a piece of an answer as long as its "transmission will continue
//! while the application produces its next block". Who decides that pieces are kept is `exchange::gather`; here is who
//! keeps the promise. The thread that runs the application lends what it has kept, queue and all, before it goes back to
//! the application, and takes it back with the next piece, or with the end. What is lent for a [`TICK`] is sent by the
//! flusher, which knows no Python and is interrupted by nobody.
//!
//! It only reads what it sends and counts how far it came, so that objects of the interpreter are let go of by the thread
//! that has lent them. Between two ticks without anything new it goes to sleep, from which whoever lends wakes it.

use std::{
    io::{ErrorKind, IoSlice},
    iter::once,
    mem::{swap, take},
    os::fd::{AsRawFd, BorrowedFd, RawFd},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering, fence},
    },
    thread::{self, Thread},
    time::Duration,
};

use tracing::warn;

use super::output::Output;
use crate::sys;

#[cfg(test)]
mod tests;

/// Time between two looks: so long may a piece be kept.
const TICK: Duration = Duration::from_millis(1);
/// The same while nothing is lent but to clients that take nothing.
const LATER: Duration = Duration::from_millis(50);
/// Looks without anything new before it goes to sleep: waking it up costs more than a few looks.
const QUIET: u32 = 3;
/// Most pieces given to one sendmsg(2).
const PIECES: usize = 16;

/// The flusher of a worker. Dropping it ends the thread.
pub(super) struct Flusher(Arc<Shared>);

struct Shared {
    /// One for each thread that runs the application.
    loans: Box<[Loan]>,
    /// Started by the first loan; `None`: it cannot be.
    thread: OnceLock<Option<Thread>>,
    is_asleep: AtomicBool,
    has_ended: AtomicBool,
}

/// What one thread lends.
#[derive(Default)]
struct Loan {
    /// Locked for moments: by its thread to lend and to take back, by the flusher while it sends without waiting.
    lent: Mutex<Lent>,
    /// Whether anything was lent since the last look.
    has_news: AtomicBool,
}

#[derive(Default)]
struct Lent {
    /// The client's, valid as long as it is here.
    socket: Option<RawFd>,
    output: Output,
    /// What is behind the queue.
    staged: Vec<u8>,
    /// How much of both is gone.
    sent: usize,
    has_failed: bool,
}

/// The client's connection has failed meanwhile.
#[derive(Debug)]
pub(super) struct Failed;

/// One thread's way to the flusher.
#[derive(Clone, Copy)]
pub(super) struct Lender<'f> {
    shared: &'f Arc<Shared>,
    loan: &'f Loan,
}

/// What a look has found, from nothing to what is urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nothing,
    /// A socket that is full.
    Full,
    /// Something that goes on.
    News,
}

impl Flusher {
    /// For so many threads that run the application.
    pub(super) fn new(threads: u32) -> Self {
        Self(Arc::new(Shared {
            loans: (0..threads).map(|_| Loan::default()).collect(),
            thread: OnceLock::new(),
            is_asleep: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
        }))
    }

    /// The way of the thread with this number, if it runs the application.
    pub(super) fn lender(&self, thread: u32) -> Option<Lender<'_>> {
        Some(Lender {
            shared: &self.0,
            loan: self.0.loans.get(thread as usize)?,
        })
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.0.has_ended.store(true, Ordering::Relaxed);
        self.0.wake();
    }
}

impl Lender<'_> {
    /// Whether there is a thread to lend to; the first call starts it.
    pub(super) fn is_ready(self) -> bool {
        let start = || {
            let shared = Arc::clone(self.shared);
            match sys::spawn_helper("hostler-flusher", move || shared.run()) {
                Ok(thread) => Some(thread),
                Err(error) => {
                    warn!(%error, "no thread can be started that sends pieces together; each is sent alone");
                    None
                }
            }
        };
        self.shared.thread.get_or_init(start).is_some()
    }

    /// Lends a queue of bytes, and what is staged behind it, until it is taken back; `socket` stays open until then. Both
    /// are empty after.
    pub(super) fn lend(self, socket: BorrowedFd<'_>, output: &mut Output, staged: &mut Vec<u8>) {
        {
            let mut lent = self.loan.lock();
            swap(&mut lent.output, output);
            swap(&mut lent.staged, staged);
            lent.socket = Some(socket.as_raw_fd());
        }
        self.loan.has_news.store(true, Ordering::Release);
        // It pairs with the one in `Shared::sleep`: of a loan and a thread that falls asleep at least one sees the other.
        fence(Ordering::SeqCst);
        if self.shared.is_asleep.load(Ordering::Relaxed) {
            self.shared.wake();
        }
    }

    /// Takes back what is not sent; what was staged meanwhile is behind it. Gives how many of the staged bytes are gone.
    ///
    /// # Errors
    /// The connection has failed, and nothing comes back.
    pub(super) fn take_back(
        self,
        output: &mut Output,
        staged: &mut Vec<u8>,
    ) -> Result<usize, Failed> {
        self.loan.lock().give_back(output, staged)
    }

    /// The same for whoever must not wait for the moment that a send takes; `None`: the flusher is just at it.
    pub(super) fn try_take_back(
        self,
        output: &mut Output,
        staged: &mut Vec<u8>,
    ) -> Option<Result<usize, Failed>> {
        let lent = self.loan.try_lock()?;
        Some({ lent }.give_back(output, staged))
    }
}

impl Loan {
    fn lock(&self) -> MutexGuard<'_, Lent> {
        self.lent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Lent>> {
        match self.lent.try_lock() {
            Ok(lent) => Some(lent),
            Err(TryLockError::Poisoned(lent)) => Some(lent.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl Lent {
    fn give_back(&mut self, output: &mut Output, staged: &mut Vec<u8>) -> Result<usize, Failed> {
        self.socket = None;
        self.staged.append(staged);
        swap(&mut self.output, output);
        swap(&mut self.staged, staged);
        let sent = take(&mut self.sent);
        if take(&mut self.has_failed) {
            output.clear();
            staged.clear();
            return Err(Failed);
        }
        let of_staged = output.note_sent(sent);
        staged.drain(..of_staged);
        Ok(of_staged)
    }

    /// Sends what the socket takes at once.
    fn send_on(&mut self) -> Found {
        let Some(socket) = self.socket.filter(|_| !self.has_failed) else {
            return Found::Nothing;
        };
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        let mut skip = self.sent;
        for bytes in self.output.bytes().chain(once(self.staged.as_slice())) {
            let gone = skip.min(bytes.len());
            skip -= gone;
            if gone < bytes.len() && count < PIECES {
                pieces[count] = IoSlice::new(&bytes[gone..]);
                count += 1;
            }
        }
        if count == 0 {
            return Found::Nothing;
        }
        match sys::send_to(socket, &pieces[..count]) {
            Ok(sent) => {
                self.sent += sent;
                Found::News
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => Found::Full,
                ErrorKind::Interrupted => Found::News,
                _ => {
                    self.has_failed = true;
                    Found::Nothing
                }
            },
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut quiet = 0;
        while !self.has_ended.load(Ordering::Relaxed) {
            // First of all: what was lent just now is to gather.
            thread::park_timeout(TICK);
            let found = self.look();
            quiet = if found == Found::News { 0 } else { quiet + 1 };
            if quiet > QUIET {
                self.sleep((found == Found::Full).then_some(LATER));
            }
        }
    }

    fn look(&self) -> Found {
        let looks = self.loans.iter().map(|loan| {
            let has_news = loan.has_news.swap(false, Ordering::Acquire);
            // Its thread is at it, and lends anew.
            let found = loan
                .try_lock()
                .map_or(Found::News, |mut lent| lent.send_on());
            if has_news { Found::News } else { found }
        });
        looks.max().unwrap_or(Found::Nothing)
    }

    /// Sleeps until something is lent, so long at most.
    fn sleep(&self, limit: Option<Duration>) {
        self.is_asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        let has_news = self
            .loans
            .iter()
            .any(|loan| loan.has_news.load(Ordering::Relaxed));
        if has_news || self.has_ended.load(Ordering::Relaxed) {
            self.is_asleep.store(false, Ordering::Relaxed);
        }
        while self.is_asleep.load(Ordering::Relaxed) {
            match limit {
                None => thread::park(),
                Some(limit) => {
                    thread::park_timeout(limit);
                    self.is_asleep.store(false, Ordering::Relaxed);
                }
            }
        }
    }

    fn wake(&self) {
        fence(Ordering::SeqCst);
        if self.is_asleep.swap(false, Ordering::Relaxed)
            && let Some(Some(thread)) = self.thread.get()
        {
            thread.unpark();
        }
    }
}
