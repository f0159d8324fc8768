//! From the zygote to a worker that is the supervisor's child.
//!
//! The zygote forks, its child forks again and ends at once; the worker, whose parent is gone, becomes the child of the
//! nearest subreaper, which is the supervisor. So there is one process that sees every worker's end with its true
//! status, also when the zygote is gone. The supervisor is told of the worker only when it is its parent already.
//! (clone(2) with CLONE_PARENT would save the process in the middle, and with it all that the C library does around a
//! fork: the locks of malloc, and its own idea of the thread's id.)

use std::{
    fs::File,
    io::{self, Read, Write},
    os::fd::OwnedFd,
};

use hostler::sys::{self, Fork, ForkError, ThreadRule};
use pyo3::{ffi, prelude::*};
use rustix::{
    pipe::{PipeFlags, pipe_with},
    process::{Pid, WaitOptions, waitpid},
};

use super::{Zygote, interpreter, threads};

/// Which process the caller is now.
pub(super) enum Side {
    /// The new one.
    Worker,
    /// The old one, with the id of the new one.
    Zygote(i32),
}

impl Zygote {
    /// Makes one worker, or says in words for the site's owner why there is none.
    pub(super) fn fork(&mut self, py: Python<'_>) -> Result<Side, String> {
        let rule = self.thread_rule(py)?;
        // What a library has printed and not yet written would be written by every worker once more.
        interpreter::flush_output(py);
        fork_twice(py, rule).map_err(|error| crate::chain(&error))
    }

    /// Looks for further threads, which would not exist in the worker.
    fn thread_rule(&mut self, py: Python<'_>) -> Result<ThreadRule, String> {
        let allowed = self.start.settings.app.fork_with_threads;
        if allowed && self.has_warned_of_threads {
            return Ok(ThreadRule::AllowMany);
        }
        let others = threads::others(py)
            .map_err(|error| format!("cannot list the threads of the zygote: {error}"))?;
        if others.is_empty() {
            return Ok(if allowed {
                ThreadRule::AllowMany
            } else {
                ThreadRule::OnlyOne
            });
        }
        let others = others.join(", ");
        if !allowed {
            return Err(format!(
                "importing the application started threads, which a fork does not copy: {others}; set app.lazy-apps = true, so that each worker imports it for itself, or app.fork-with-threads = true if the workers can do without these threads"
            ));
        }
        self.has_warned_of_threads = true;
        tracing::warn!(threads = %others, "forking although there are threads, which the workers will not have");
        Ok(ThreadRule::AllowMany)
    }
}

/// Why there is no worker.
#[derive(Debug, thiserror::Error)]
enum WorkerError {
    #[error("cannot make a worker")]
    Fork(#[from] ForkError),
    #[error("cannot make a worker: the process in the middle of the double fork ended without one")]
    Middle(#[source] io::Error),
    #[error("cannot make a pipe")]
    Pipe(#[source] io::Error),
}

/// Python's own hooks are around the first fork, as they are around `os.fork()`: they hold the import lock meanwhile,
/// run what was given to `os.register_at_fork` (`random`, `logging` and `threading` rely on it) and tell the child's
/// interpreter that it has one thread.
fn fork_twice(_py: Python<'_>, rule: ThreadRule) -> Result<Side, WorkerError> {
    let (receiver, sender) =
        pipe_with(PipeFlags::CLOEXEC).map_err(|errno| WorkerError::Pipe(errno.into()))?;
    #[expect(unsafe_code, reason = "pyo3 has no safe way to fork")]
    // SAFETY: the interpreter lock is held, and one of the two calls that undo this follows on every path.
    unsafe {
        ffi::PyOS_BeforeFork();
    }
    let forked = sys::fork(rule);
    if let Ok(Fork::Child) = forked {
        in_the_middle(sender);
        #[expect(unsafe_code, reason = "pyo3 has no safe way to fork")]
        // SAFETY: this is the child (of a child) of the process that called PyOS_BeforeFork, on the thread that did.
        unsafe {
            ffi::PyOS_AfterFork_Child();
        }
        return Ok(Side::Worker);
    }
    #[expect(unsafe_code, reason = "pyo3 has no safe way to fork")]
    // SAFETY: this is the process that called PyOS_BeforeFork, on the thread that did.
    unsafe {
        ffi::PyOS_AfterFork_Parent();
    }
    drop(sender);
    if let Fork::Parent(child) = forked? {
        reap(child);
    }
    worker_id(receiver)
        .map(Side::Zygote)
        .map_err(WorkerError::Middle)
}

/// The process between zygote and worker, which leaves the worker's id in the pipe: returns only in the worker.
fn in_the_middle(sender: OwnedFd) {
    let id = match sys::fork(ThreadRule::AllowMany) {
        Ok(Fork::Child) => return,
        Ok(Fork::Parent(pid)) => pid.as_raw_nonzero().get(),
        Err(_) => sys::exit_without_cleanup(1),
    };
    // The zygote has the other end open and waits; if it was killed meanwhile, nobody needs the number.
    let _ = File::from(sender).write_all(&id.to_ne_bytes());
    sys::exit_without_cleanup(0);
}

/// Waits for a child that ends by itself. An application that ignores SIGCHLD has it reaped by the kernel.
pub(super) fn reap(child: Pid) {
    let _ = rustix::io::retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()));
}

fn worker_id(receiver: OwnedFd) -> io::Result<i32> {
    let mut id = [0; size_of::<i32>()];
    File::from(receiver).read_exact(&mut id)?;
    Ok(i32::from_ne_bytes(id))
}
