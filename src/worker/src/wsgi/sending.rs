//! Bytes of the application on their way to the client: copied when they are few, held when they are many, and always
//! sent without the interpreter lock where others want it.

use hostler::{
    scoreboard::now_us,
    serve::{Exchange, HELD_FROM, Held, Progress},
};
use pyo3::{prelude::*, types::PyBytes};

/// Who wants the interpreter lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lock {
    /// A lone thread, which keeps it unless it waits: letting go and taking again costs more than a send.
    Kept,
    /// Other threads: it is held only while Python runs.
    Shared,
    /// Other greenlets, which have the same thread: whoever waits must let the hub run, which nothing in here does.
    Green,
}

impl Lock {
    /// For so many threads that serve.
    pub(crate) fn of_threads(threads: u32) -> Self {
        match threads {
            1 => Self::Kept,
            _ => Self::Shared,
        }
    }

    /// Runs `act`, which does not wait, without the interpreter lock if others want that.
    pub(super) fn detached<'e, R: Send>(
        self,
        py: Python<'_>,
        exchange: &mut Exchange<'e>,
        act: impl FnOnce(&mut Exchange<'e>) -> R + Send,
    ) -> R {
        match self {
            Self::Green | Self::Kept => act(exchange),
            Self::Shared => detached(py, exchange, act),
        }
    }

    /// Waits for a client that is too slow for what is kept already; among greenlets the caller does, by
    /// [`crate::green::await_room`], once it has let go of the exchange.
    fn await_client(self, py: Python<'_>, exchange: &mut Exchange<'_>) -> Progress {
        match self {
            Self::Green => Progress::Full,
            Self::Kept | Self::Shared => detached(py, exchange, Exchange::wait),
        }
    }
}

/// Runs `act` without the interpreter lock, and notes how long it takes to get that back.
fn detached<'e, R: Send>(
    py: Python<'_>,
    exchange: &mut Exchange<'e>,
    act: impl FnOnce(&mut Exchange<'e>) -> R + Send,
) -> R {
    let (result, since) = py.detach(|| (act(exchange), now_us()));
    exchange.note_lock(since);
    result
}

/// Takes a piece of a body that comes piece by piece: it is on its way, or goes there while the next one is made (PEP 3333,
/// "Buffering and Streaming").
pub(super) fn stream(
    exchange: &mut Exchange<'_>,
    piece: &Bound<'_, PyBytes>,
    lock: Lock,
) -> Progress {
    let bytes = piece.as_bytes();
    let progress = if exchange.may_gather(bytes.len()) {
        match is_to_be_held(piece) {
            true => exchange.gather_held(HeldBytes::new(piece)),
            false => exchange.write(bytes),
        }
        Progress::Open
    } else {
        match stage(exchange, piece, lock) {
            Progress::Gone => Progress::Gone,
            // It has gone out with what was staged before it.
            progress if is_to_be_held(piece) && !exchange.is_compressing() => progress,
            _ => push(piece.py(), exchange, lock),
        }
    };
    exchange.await_piece();
    progress
}

/// Takes a piece of the body: a small one is staged, a large one is sent behind what is staged.
pub(super) fn stage(
    exchange: &mut Exchange<'_>,
    piece: &Bound<'_, PyBytes>,
    lock: Lock,
) -> Progress {
    let py = piece.py();
    if exchange.is_compressing() {
        // It takes longer than letting go of the lock.
        let bytes = piece.as_bytes();
        let flushed = detached(py, exchange, |exchange| {
            exchange.write(bytes);
            exchange.has_staged_enough().then(|| exchange.flush())
        });
        return match flushed {
            None => Progress::Open,
            Some(Progress::Full) => lock.await_client(py, exchange),
            Some(progress) => progress,
        };
    }
    if !is_to_be_held(piece) {
        exchange.write(piece.as_bytes());
        return if exchange.has_staged_enough() {
            push(py, exchange, lock)
        } else {
            Progress::Open
        };
    }
    let held = HeldBytes::new(piece);
    // Copying that much to the kernel takes longer than letting go of the lock.
    match detached(py, exchange, |exchange| exchange.write_held(held)) {
        Progress::Full => lock.await_client(py, exchange),
        progress => progress,
    }
}

/// Sends what is staged; waits for a client that is too slow, as [`Lock::await_client`] does.
fn push(py: Python<'_>, exchange: &mut Exchange<'_>, lock: Lock) -> Progress {
    match lock.detached(py, exchange, Exchange::flush) {
        Progress::Full => lock.await_client(py, exchange),
        progress => progress,
    }
}

/// Whether it is sent from where it is. A subclass may have a finalizer, and code of the application's must not run while the
/// exchange is in use.
fn is_to_be_held(piece: &Bound<'_, PyBytes>) -> bool {
    piece.as_bytes().len() >= HELD_FROM && piece.cast_exact::<PyBytes>().is_ok()
}

/// Bytes that the application made, on their way out. Dropped without the interpreter lock it is released later, by
/// whoever takes the lock next.
struct HeldBytes {
    object: Py<PyBytes>,
    start: *const u8,
    length: usize,
}

#[expect(
    unsafe_code,
    reason = "a pointer says nothing of threads, the object behind it does"
)]
// SAFETY: bytes objects never change, and `object` keeps the memory alive.
unsafe impl Send for HeldBytes {}

impl HeldBytes {
    fn new(bytes: &Bound<'_, PyBytes>) -> Box<Self> {
        let slice = bytes.as_bytes();
        Box::new(Self {
            start: slice.as_ptr(),
            length: slice.len(),
            object: bytes.clone().unbind(),
        })
    }
}

impl Held for HeldBytes {
    fn bytes(&self) -> &[u8] {
        let _alive = &self.object;
        #[expect(
            unsafe_code,
            reason = "the bytes are read without the interpreter lock"
        )]
        // SAFETY: memory of a bytes object neither moves nor changes while a reference is held, which `object` is.
        unsafe {
            std::slice::from_raw_parts(self.start, self.length)
        }
    }
}
