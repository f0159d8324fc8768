//! The way from Python objects that an application may keep (`wsgi.input`, `write`) to the exchange of their request.
//!
//! Such an object may be used from any thread of the application and long after its request, or in a child that the
//! application forked. So it does not own the exchange but looks it up here, under a lock, by the number of its
//! request; when the request is over the number is gone. The lock is never waited for with the interpreter lock held,
//! and no code of the application's runs while it is held. No greenlet is left while it is held either: the next one
//! would wait for it in the one thread that there is.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

use hostler::{
    serve::{Exchange, reader::BodySource},
    sys::Room,
};
use pyo3::prelude::*;

use crate::forked;

/// One per serving thread.
#[derive(Default)]
pub(crate) struct Link {
    current: Mutex<Current>,
    /// Whether there is an exchange, for those who hold the interpreter lock and must not wait.
    is_open: AtomicBool,
}

#[derive(Default)]
struct Current {
    /// Number of the request.
    serial: u64,
    exchange: Option<Target>,
}

struct Target(*mut Exchange<'static>);

#[expect(
    unsafe_code,
    reason = "a pointer says nothing of threads, the exchange behind it does"
)]
// SAFETY: `Exchange` is `Send` (asserted below), and the pointer is only followed under the lock of `Link::current`.
unsafe impl Send for Target {}

const fn assert_send<T: Send>() {}
const _: () = assert_send::<Exchange<'static>>();

/// For as long as it lives, a number leads to an exchange, which nobody uses otherwise.
pub(crate) struct Open<'l> {
    link: &'l Link,
    py: Python<'l>,
}

impl Drop for Open<'_> {
    /// Nobody reaches the exchange any more, also when a panic ends the request.
    fn drop(&mut self) {
        let mut current = self.link.lock(self.py);
        current.exchange = None;
        self.link.is_open.store(false, Ordering::Relaxed);
    }
}

impl Link {
    /// From now on `serial`, which was never used before, leads to `exchange`.
    pub(crate) fn open<'l>(
        &'l self,
        py: Python<'l>,
        serial: u64,
        exchange: &'l mut Exchange<'_>,
    ) -> Open<'l> {
        let mut current = self.lock(py);
        current.serial = serial;
        current.exchange = Some(Target(std::ptr::from_mut(exchange).cast()));
        self.is_open.store(true, Ordering::Relaxed);
        Open { link: self, py }
    }

    /// Whether the application is at a request. It changes under the interpreter lock only.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Relaxed)
    }

    /// Runs `act` on the exchange of request `serial`; `None` when that is over.
    pub(crate) fn with<R>(
        &self,
        py: Python<'_>,
        serial: u64,
        act: impl FnOnce(&mut Exchange<'_>) -> R,
    ) -> Option<R> {
        // In a child the lock may be held by a thread that only its parent has.
        if forked::is_child() {
            return None;
        }
        follow(&mut self.lock(py), serial, act)
    }

    /// The same for the request of the moment, whichever that is.
    pub(crate) fn with_current<R>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Exchange<'_>) -> R,
    ) -> Option<R> {
        if forked::is_child() {
            return None;
        }
        let mut current = self.lock(py);
        let serial = current.serial;
        follow(&mut current, serial, act)
    }

    /// The same for callers that do not hold the interpreter lock.
    fn with_detached<R>(&self, serial: u64, act: impl FnOnce(&mut Exchange<'_>) -> R) -> Option<R> {
        if forked::is_child() {
            return None;
        }
        follow(
            &mut self.current.lock().unwrap_or_else(PoisonError::into_inner),
            serial,
            act,
        )
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Current> {
        loop {
            match self.current.try_lock() {
                Ok(current) => return current,
                Err(TryLockError::Poisoned(current)) => return current.into_inner(),
                // Another thread of the application reads or writes; it may need the interpreter to come to an end.
                Err(TryLockError::WouldBlock) => {
                    py.detach(|| drop(self.current.lock()));
                }
            }
        }
    }
}

fn follow<R>(
    current: &mut Current,
    serial: u64,
    act: impl FnOnce(&mut Exchange<'_>) -> R,
) -> Option<R> {
    let target = current
        .exchange
        .as_ref()
        .filter(|_| current.serial == serial)?;
    #[expect(
        unsafe_code,
        reason = "the exchange lives on the stack of the serving thread, Python objects do not"
    )]
    // SAFETY: `open` got the pointer from a unique reference, which `Open` borrows until it takes the pointer away: so
    // it is valid and nobody else's; the lock that `current` is borrowed from makes this the only use of it.
    let exchange = unsafe { &mut *target.0 };
    Some(act(exchange))
}

/// `wsgi.input` of a request whose body comes while it is read.
#[derive(Clone)]
pub(crate) struct StreamedBody {
    pub(crate) link: Arc<Link>,
    pub(crate) serial: u64,
    /// Whether a greenlet reads, which has to wait for the client elsewhere: [`crate::green::await_body`].
    pub(crate) is_green: bool,
}

impl BodySource for StreamedBody {
    /// # Errors
    /// `WouldBlock`: a greenlet has to wait.
    fn read(&mut self, room: &mut Room<'_>) -> io::Result<usize> {
        self.link
            .with_detached(self.serial, |exchange| match self.is_green {
                true => exchange
                    .try_read_body(room)?
                    .ok_or_else(|| io::ErrorKind::WouldBlock.into()),
                false => exchange.read_body(room),
            })
            .unwrap_or_else(|| {
                Err(io::Error::other(
                    "the request is over, its body cannot be read any more",
                ))
            })
    }
}
