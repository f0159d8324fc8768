//! What a worker may use (`[limits]`), and what happens when its memory is used up.
//!
//! An allocation of Python's beyond `limits.limit-as` is a MemoryError, with which Python can deal. One of ours would
//! end the process, so there is a reserve that is given up when a MemoryError has to be told of.

use std::{
    fs,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use hostler::{
    config::Limits,
    ipc::{FromWorker, LoadFailure},
};
use pyo3::prelude::*;
use rustix::{
    io::Errno,
    param::page_size,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};

use crate::{allocator::ON_TOP, app::failure, control::Control};

/// Enough for a traceback, its event and a message. Large enough, too, for malloc to give it back to the kernel.
const RESERVE: usize = 1 << 20;
/// A worker that has answered with an error counts as out of memory above this share of its address space, since the
/// frameworks catch MemoryError themselves.
const FULL: (u64, u64) = (7, 8);

/// What tells of an exception is loaded while there is room, before any worker is forked; without it only the exception's
/// name is told. Who has no limit of memory loads it when there is something to tell.
pub(crate) fn prepare(py: Python<'_>, limits: &Limits) {
    if limits.limit_as.0 > 0 || getrlimit(Resource::As).current.is_some() {
        let _ = py.import("traceback");
    }
}

/// Sets the limits of this process, which is a worker that has not served yet.
pub(crate) fn apply(limits: &Limits) -> Result<(), LoadFailure> {
    if limits.limit_as.0 > 0 {
        let limit = limits.limit_as.0;
        // The hard limit leaves room for what the worker itself needs when this one is reached.
        let most = limit.saturating_add(ON_TOP);
        let most = getrlimit(Resource::As)
            .maximum
            .map_or(most, |hard| most.min(hard.max(limit)));
        let both = Rlimit {
            current: Some(limit),
            maximum: Some(most),
        };
        setrlimit(Resource::As, both)
            .map_err(|error| refused("limits.limit-as", "LimitAS=", error, Resource::As))?;
    }
    if limits.max_fd > 0 {
        // The hard limit stays: what may go to that is a matter of the service manager.
        let soft = Rlimit {
            current: Some(limits.max_fd),
            maximum: getrlimit(Resource::Nofile).maximum,
        };
        setrlimit(Resource::Nofile, soft)
            .map_err(|error| refused("limits.max-fd", "LimitNOFILE=", error, Resource::Nofile))?;
    }
    Ok(())
}

fn refused(key: &str, unit: &str, error: Errno, resource: Resource) -> LoadFailure {
    let hard = getrlimit(resource)
        .maximum
        .map_or_else(|| "none".to_owned(), |most| most.to_string());
    failure(format!(
        "{key} cannot be set: {error} (the service's own limit is {hard}; its unit sets that by {unit})"
    ))
}

/// The memory of a worker whose address space is limited.
pub(crate) struct Memory {
    limit: u64,
    reserve: Mutex<Vec<u8>>,
    told: AtomicBool,
    control: Arc<Control>,
}

impl Memory {
    pub(crate) fn new(limits: &Limits, control: &Arc<Control>) -> Self {
        let memory = Self {
            limit: limits.limit_as.0,
            reserve: Mutex::default(),
            told: AtomicBool::new(false),
            control: Arc::clone(control),
        };
        memory.restore();
        memory
    }

    /// A MemoryError has come out of the application: from here on there is room to tell of it.
    pub(crate) fn make_room(&self) {
        drop(std::mem::take(&mut *self.reserved()));
    }

    /// The MemoryError was told of: a successor is asked for.
    pub(crate) fn exhausted(&self) {
        if self.limit > 0 && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                limit = self.limit,
                "memory has run out (limits.limit-as); the worker will be replaced"
            );
            self.control.tell(&FromWorker::Exhausted);
        }
    }

    /// A request was answered with this status, perhaps by a framework that has caught a MemoryError. What it used is
    /// free again, if it can be.
    pub(crate) fn answered(&self, status: u16) {
        if self.limit == 0 || status < 500 {
            return;
        }
        if self.is_full() {
            self.make_room();
            self.exhausted();
        }
        self.restore();
    }

    fn is_full(&self) -> bool {
        // proc_pid_statm(5): the first number is the address space, in pages.
        let pages = fs::read_to_string("/proc/self/statm")
            .ok()
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        pages.is_some_and(|pages| pages * page_size() as u64 >= self.limit / FULL.1 * FULL.0)
    }

    fn restore(&self) {
        let mut reserve = self.reserved();
        if self.limit > 0 && reserve.capacity() == 0 {
            // Without it the next MemoryError may find no room; the worker is being replaced anyway.
            let _ = reserve.try_reserve_exact(RESERVE);
        }
    }

    fn reserved(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
