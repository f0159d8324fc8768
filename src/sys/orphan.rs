//! The end of a process whose parent has died, whatever its threads are at by then.
//!
//! Apart from `signal` because the process has one such will, made once, and because a timer executes it: the kernel
//! tells of the parent's end (PR_SET_PDEATHSIG), the handler winds up a timer that kills, and no thread has to be free for
//! either. Until the timer is over the process may finish what it has begun.

use std::{
    io, mem, ptr,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rustix::process::{Pid, Signal, set_parent_process_death_signal};

use super::signal::install;

/// What the kernel sends when a parent has ended.
// SAFETY: 39 is a signal on every Linux, above those that C libraries keep for themselves, as is said of
// `STACKS_SIGNAL`.
const ORPHANED: Signal = unsafe { Signal::from_raw_unchecked(39) };

/// Never changed once it is there, so that the handler may read it at any time.
static WILL: OnceLock<Will> = OnceLock::new();
/// A second winding would give more time.
static IS_WOUND: AtomicBool = AtomicBool::new(false);

struct Will {
    parent: Pid,
    /// A `timer_t`; what it points to, if it is a pointer, is the C library's.
    timer: usize,
    mercy: Duration,
}

/// From now on this process is killed `mercy` after the end of `parent`, which is its parent or is about to become that:
/// a parent before it may end without consequences. Processes that are forked from this one are not concerned. To be
/// called once, by the main thread.
///
/// # Errors
/// The kernel has no timer for us (timer_create(2): RLIMIT_SIGPENDING), or it was called before.
pub fn end_with_parent(parent: Pid, mercy: Duration) -> io::Result<()> {
    let timer = timer_that_kills()?;
    // A time of zero would stop the timer.
    let mercy = mercy.max(Duration::from_nanos(1));
    let will = Will {
        parent,
        timer: timer.addr(),
        mercy,
    };
    WILL.set(will)
        .map_err(|_| io::Error::from(io::ErrorKind::AlreadyExists))?;
    install(ORPHANED, orphaned)?;
    Ok(set_parent_process_death_signal(Some(ORPHANED))?)
}

/// What the end of the parent brings about, for whoever has heard of it in another way. Nothing, unless
/// [`end_with_parent`] was called.
pub fn parent_has_ended() {
    if let Some(will) = WILL.get()
        && !IS_WOUND.swap(true, Ordering::SeqCst)
    {
        will.wind();
    }
}

fn timer_that_kills() -> io::Result<libc::timer_t> {
    // SAFETY: sigevent is a plain C struct, for which all zeroes is a valid value.
    let mut event: libc::sigevent = unsafe { mem::zeroed() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = libc::SIGKILL;
    let mut timer: libc::timer_t = ptr::null_mut();
    // SAFETY: both structs outlive the call, which writes the second one.
    match unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(timer),
    }
}

impl Will {
    /// Async-signal-safe: it makes one system call and keeps errno as it was.
    fn wind(&self) {
        // SAFETY: itimerspec is a plain C struct, for which all zeroes is a valid value: once, and not again.
        let mut once: libc::itimerspec = unsafe { mem::zeroed() };
        once.it_value.tv_sec = self.mercy.as_secs().try_into().unwrap_or(libc::time_t::MAX);
        once.it_value.tv_nsec = self.mercy.subsec_nanos().into();
        // SAFETY: timer_settime(2) is async-signal-safe; the timer exists as long as this process, a forked one has none
        // of this number or no handler that is called; the old time is not asked for. errno belongs to the interrupted
        // thread and is put back.
        unsafe {
            let errno = libc::__errno_location();
            let saved = *errno;
            let timer = ptr::without_provenance_mut(self.timer);
            libc::timer_settime(timer, 0, &once, ptr::null_mut());
            *errno = saved;
        }
    }
}

/// The kernel tells of every end of a parent, that of the process in the middle of a double fork too.
extern "C" fn orphaned(_signal: libc::c_int) {
    // SAFETY: getppid(2) has no conditions and is async-signal-safe.
    let parent = unsafe { libc::getppid() };
    if WILL
        .get()
        .is_some_and(|will| will.parent.as_raw_nonzero().get() != parent)
    {
        parent_has_ended();
    }
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read, os::fd::AsFd};

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::retry_on_intr,
        pipe::{PipeFlags, pipe_with},
        process::{WaitOptions, getpid, waitpid},
    };

    use super::*;
    use crate::sys::{Fork, ThreadRule, exit_without_cleanup, fork};

    /// Long enough that it is not what ends a process by itself.
    const LONG: Timespec = Timespec {
        tv_sec: 60,
        tv_nsec: 0,
    };

    fn wait_for(fd: impl AsFd) {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let _ = retry_on_intr(|| poll(&mut fds, Some(&LONG)));
    }

    /// A child makes a grandchild with a will, and ends when that has it. Everything in between is a system call.
    #[test]
    fn an_orphan_ends_although_it_does_nothing() {
        let (mut life, alive) = pipe_with(PipeFlags::CLOEXEC)
            .map(|(read, write)| (File::from(read), write))
            .unwrap();
        let (ready, has_will) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let Fork::Parent(child) = fork(ThreadRule::AllowMany).unwrap() else {
            let parent = getpid();
            if let Ok(Fork::Child) = fork(ThreadRule::AllowMany) {
                let _ = end_with_parent(parent, Duration::from_millis(1));
                let _ = rustix::io::write(&has_will, b".");
                wait_for(&life);
                let _ = rustix::io::write(&alive, b"it has waited to the end");
                exit_without_cleanup(0);
            }
            wait_for(&ready);
            exit_without_cleanup(0);
        };
        waitpid(Some(child), WaitOptions::empty()).unwrap();
        drop(alive);
        let mut said = String::new();
        life.read_to_string(&mut said).unwrap();
        assert_eq!(said, "");
    }
}
