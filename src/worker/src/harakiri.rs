//! What happens in a worker to requests that are past their deadline, once the supervisor has said so.
//!
//! The client is told by whoever hears the supervisor's word (`serve::watch`). The thread that is stuck gets an
//! exception, again and again while it does not come back, from a thread of our own, because that may have to wait for
//! the interpreter lock, and nothing else shall wait for it. Two ways lead into Python:
//!
//! - The main thread gets a signal. Python interrupts what it waits in (PEP 475), calls our handler there, and the
//!   handler raises.
//! - Any other thread gets an asynchronous exception, which is raised when it next runs Python code. Python has no way
//!   to interrupt what such a thread waits in; only our own waiting, for clients, is ended by the same signal.
//!
//! A thread that C code keeps, or that swallows the exception, ends with its worker: `limits.harakiri-graceful` after
//! the first word the supervisor kills it.

use std::{
    ffi::c_long,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
    time::Duration,
};

use hostler::{
    serve::Watches,
    sys::{self, HARAKIRI_SIGNAL},
};
use pyo3::{exceptions::PyBaseException, ffi, prelude::*, types::PyCFunction};
use tracing::error;

use crate::{
    green::{self, Lanes},
    wsgi::Link,
};

pyo3::create_exception!(
    hostler,
    HarakiriError,
    PyBaseException,
    "The request took longer than it may, and was ended. Not an Exception, so that whoever catches those does not catch it."
);

/// Time for the clean-up of an application before the exception is raised once more.
const AGAIN: Duration = Duration::from_millis(500);
const MESSAGE: &str = "the request took longer than it may";

/// The threads of a worker as far as they can be stuck.
pub(crate) struct Harakiri {
    watches: Arc<Watches>,
    threads: Box<[OnceLock<PythonThread>]>,
    /// Where greenlets serve instead.
    greenlets: OnceLock<Arc<Lanes>>,
    striker: Mutex<Option<thread::Thread>>,
}

struct PythonThread {
    /// As `threading.get_ident()` has it.
    ident: c_long,
    link: Arc<Link>,
}

impl Harakiri {
    pub(crate) fn new(watches: Arc<Watches>, threads: u32) -> Self {
        Self {
            watches,
            threads: (0..threads).map(|_| OnceLock::new()).collect(),
            greenlets: OnceLock::new(),
            striker: Mutex::new(None),
        }
    }

    /// The calling thread serves as this number; its requests are found by `link`.
    pub(crate) fn attach(&self, _py: Python<'_>, number: u32, link: &Arc<Link>) {
        if let Some(place) = self.threads.get(number as usize) {
            let link = Arc::clone(link);
            // Each number is attached once.
            let _ = place.set(PythonThread {
                ident: this_thread(),
                link,
            });
        }
    }

    /// The main thread alone serves, by greenlets in these lanes.
    pub(crate) fn attach_greenlets(&self, lanes: &Arc<Lanes>) {
        // A worker has one crew.
        let _ = self.greenlets.set(Arc::clone(lanes));
    }

    /// Makes the signal raise in the main thread, which is the calling one and serves as number 0.
    pub(crate) fn handle_signal(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let this = Arc::clone(self);
        let handler =
            PyCFunction::new_closure(py, Some(c"harakiri"), None, move |arguments, _| {
                let is_due = match this.greenlets.get() {
                    None => this.is_due(0),
                    Some(lanes) => green::strike(arguments.py(), lanes, &this.watches, MESSAGE)?,
                };
                match is_due {
                    true => Err(HarakiriError::new_err(MESSAGE)),
                    false => Ok(()),
                }
            })?;
        // What is below `signal`, which would make enumerations of all numbers.
        py.import("_signal")?
            .call_method1("signal", (HARAKIRI_SIGNAL.as_raw(), handler))
            .map(drop)
    }

    /// Ends the requests of these threads as far as they are still past their deadline.
    pub(crate) fn end(self: &Arc<Self>, threads: &[u32]) {
        let ended = threads
            .iter()
            .filter(|thread| self.watches.end_overdue(**thread));
        if ended.count() == 0 {
            return;
        }
        let mut striker = self.striker.lock().unwrap_or_else(PoisonError::into_inner);
        match &*striker {
            Some(thread) => thread.unpark(),
            None => *striker = self.start_striker(),
        }
    }

    fn start_striker(self: &Arc<Self>) -> Option<thread::Thread> {
        let this = Arc::clone(self);
        match sys::spawn_helper("hostler-strike", move || this.strike()) {
            Ok(thread) => Some(thread),
            Err(error) => {
                error!(%error, "the thread of a request that takes too long cannot be interrupted");
                None
            }
        }
    }

    /// Until the process ends, which it does soon: a worker that had to end a request drains.
    fn strike(&self) {
        loop {
            for (_, thread) in self.watches.stuck() {
                sys::signal_thread(thread, HARAKIRI_SIGNAL);
            }
            let has_threads = self.greenlets.get().is_none();
            if has_threads && self.watches.stuck().any(|(number, _)| number > 0) {
                Python::attach(|py| self.raise(py));
            }
            thread::park_timeout(AGAIN);
        }
    }

    fn raise(&self, py: Python<'_>) {
        for (number, _) in self.watches.stuck().filter(|(number, _)| *number > 0) {
            if let Some(thread) = self.thread(number).filter(|_| self.is_due(number)) {
                set_exception(thread.ident, py.get_type::<HarakiriError>().as_ptr());
            }
        }
    }

    /// Whether the application of this thread is at a request that was ended. Whoever asks holds the interpreter lock,
    /// and so does the thread when it leaves the application; so it cannot leave meanwhile.
    fn is_due(&self, number: u32) -> bool {
        self.watches.is_ended(number)
            && self
                .thread(number)
                .is_some_and(|thread| thread.link.is_open())
    }

    fn thread(&self, number: u32) -> Option<&PythonThread> {
        self.threads.get(number as usize)?.get()
    }
}

/// The calling thread has left the application: an exception that was not raised yet must not meet the next request.
pub(crate) fn forgive(_py: Python<'_>) {
    set_exception(this_thread(), std::ptr::null_mut());
}

#[expect(unsafe_code, reason = "pyo3 has no way to name a thread")]
fn this_thread() -> c_long {
    // SAFETY: it only looks at the calling thread.
    unsafe { ffi::PyThread_get_thread_ident() as c_long }
}

/// The caller holds the interpreter lock.
#[expect(unsafe_code, reason = "pyo3 has no way to raise in another thread")]
fn set_exception(ident: c_long, exception: *mut ffi::PyObject) {
    // SAFETY: the interpreter lock is held; the exception is a class, of which the interpreter takes a reference of its
    // own, or null, which clears; a thread that does not exist is ignored.
    unsafe { ffi::PyThreadState_SetAsyncExc(ident, exception) };
}
