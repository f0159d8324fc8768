//! From the zygote to a worker that is the supervisor's child.
//!
//! The zygote forks, its child forks again and ends at once; the worker, whose parent is gone, becomes the child of the
//! nearest subreaper, which is the supervisor. So there is one process that sees every worker's end with its true
//! status, also when the zygote is gone. (clone(2) with CLONE_PARENT would save the process in the middle, and with it
//! all that the C library does around a fork: the locks of malloc, and its own idea of the thread's id.)

use hostler::{
    ipc::{Channel, FromZygote},
    sys::{self, Fork, ForkError, ThreadRule},
};
use pyo3::{ffi, prelude::*};
use rustix::process::{Pid, WaitOptions, waitpid};

use super::{Zygote, interpreter, threads};

/// Which process the caller is now.
pub(super) enum Side {
    /// The new one.
    Worker,
    /// The old one; the supervisor has been told of the new one.
    Zygote,
}

impl Zygote {
    /// Makes one worker, or says in words for the site's owner why there is none.
    pub(super) fn fork(&mut self, py: Python<'_>, slot: u32) -> Result<Side, String> {
        let rule = self.thread_rule(py)?;
        // What a library has printed and not yet written would be written by every worker once more.
        interpreter::flush_output(py);
        fork_twice(py, rule, &self.channel, slot).map_err(|error| crate::chain(&error))
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

/// Python's own hooks are around the first fork, as they are around `os.fork()`: they hold the import lock meanwhile,
/// run what was given to `os.register_at_fork` (`random`, `logging` and `threading` rely on it) and tell the child's
/// interpreter that it has one thread.
fn fork_twice(
    _py: Python<'_>,
    rule: ThreadRule,
    channel: &Channel,
    slot: u32,
) -> Result<Side, ForkError> {
    #[expect(unsafe_code, reason = "pyo3 has no safe way to fork")]
    // SAFETY: the interpreter lock is held, and one of the two calls that undo this follows on every path.
    unsafe {
        ffi::PyOS_BeforeFork();
    }
    let forked = sys::fork(rule);
    if let Ok(Fork::Child) = forked {
        in_the_middle(channel, slot);
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
    if let Fork::Parent(child) = forked? {
        reap(child);
    }
    Ok(Side::Zygote)
}

/// The process between zygote and worker: returns only in the worker.
fn in_the_middle(channel: &Channel, slot: u32) {
    let message = match sys::fork(ThreadRule::AllowMany) {
        Ok(Fork::Child) => return,
        Ok(Fork::Parent(pid)) => FromZygote::Forked {
            slot,
            pid: pid.as_raw_nonzero().get(),
        },
        Err(error) => FromZygote::ForkRefused {
            slot,
            reason: crate::chain(&error),
        },
    };
    // A supervisor that is gone is noticed by zygote and worker, each on a socket of its own.
    let _ = channel.send(&message, &[]);
    sys::exit_without_cleanup(0);
}

/// The process in the middle ends by itself. An application that ignores SIGCHLD has it reaped by the kernel.
fn reap(child: Pid) {
    let _ = rustix::io::retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()));
}
