//! Signal handlers of a worker, and of a command that has a terminal to give back: neither has a runtime that could own
//! them.
//!
//! Handlers and not SIG_IGN: an exec sets handlers back to the default, so that programs started by the application
//! are not deaf, while an ignored signal stays ignored. The supervisor's own signals are tokio's affair.

use std::{
    io, mem,
    os::fd::{IntoRawFd, OwnedFd, RawFd},
    ptr,
    sync::atomic::{AtomicI32, Ordering},
};

use rustix::process::{Signal, getpid};

/// A worker that gets this signal writes the stacks of all its Python threads to the pipe that it was given at its fork,
/// then [`STACKS_END`]; also while C code keeps the interpreter from everybody.
// SAFETY: 37 is a signal on every Linux, above those that C libraries keep for themselves (glibc two, musl three of 32
// on). A number and not SIGRTMIN + 3, so that libraries which count differently mean the same.
pub const STACKS_SIGNAL: Signal = unsafe { Signal::from_raw_unchecked(37) };

/// A thread of a worker gets this signal when the request that it is at was ended. Only the worker itself sends it.
// SAFETY: as above.
pub const HARAKIRI_SIGNAL: Signal = unsafe { Signal::from_raw_unchecked(38) };

/// The last line that is written for one [`STACKS_SIGNAL`].
pub const STACKS_END: &str = "\x04\n";

/// Written to by the handler; never closed once it is set.
static WAKE: AtomicI32 = AtomicI32::new(-1);
/// The process that is to be woken. Its children inherit handlers and descriptors, but not what is meant by them.
static OWNER: AtomicI32 = AtomicI32::new(0);

/// Where the stacks go; never closed once it is set.
static STACKS: AtomicI32 = AtomicI32::new(-1);

/// From now on each of `signals` adds 1 to `eventfd` and does nothing else. In a process that is forked later it has
/// its default effect.
///
/// There is one such descriptor in a process; it stays open until the process ends, because a handler may be running
/// on any thread at any time. System calls of the application are restarted (SA_RESTART).
pub fn wake_on_signals(eventfd: OwnedFd, signals: &[Signal]) -> io::Result<()> {
    WAKE.store(eventfd.into_raw_fd(), Ordering::SeqCst);
    OWNER.store(getpid().as_raw_nonzero().get(), Ordering::SeqCst);
    signals
        .iter()
        .try_for_each(|signal| install(*signal, add_one))
}

/// From now on [`STACKS_SIGNAL`] writes [`STACKS_END`] to `pipe`. Whoever writes the stacks themselves (the module
/// `faulthandler` of Python) does so before, and calls this handler as the one that it has replaced. Gives the number
/// under which the pipe stays open until the process ends.
pub fn end_stacks(pipe: OwnedFd) -> io::Result<RawFd> {
    let pipe = pipe.into_raw_fd();
    STACKS.store(pipe, Ordering::SeqCst);
    install(STACKS_SIGNAL, write_end)?;
    Ok(pipe)
}

/// No signal is handled, ignored or blocked any more: for a child between fork and exec, which would pass on what is
/// ignored or blocked, and until then would handle what is meant for its parent.
pub(super) fn forget_signals() {
    const LAST: libc::c_int = 64;
    // SAFETY: signal(2) takes any number and refuses what is no signal, or one whose effect is fixed. A signal set is
    // plain data, which sigemptyset makes valid; it outlives the call, and the old mask is not asked for.
    unsafe {
        for number in 1..=LAST {
            libc::signal(number, libc::SIG_DFL);
        }
        let mut none: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut none);
        libc::pthread_sigmask(libc::SIG_SETMASK, &none, ptr::null_mut());
    }
}

/// From now on `signals` have no effect in this process, and their default effect in programs that it starts.
pub fn ignore_by_handler(signals: &[Signal]) -> io::Result<()> {
    signals
        .iter()
        .try_for_each(|signal| install(*signal, nothing))
}

pub(super) fn install(signal: Signal, handler: extern "C" fn(libc::c_int)) -> io::Result<()> {
    // SAFETY: sigaction is a plain C struct, for which all zeroes is a valid value (no flags, empty mask).
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handler as *const () as libc::sighandler_t;
    action.sa_flags = libc::SA_RESTART;
    // SAFETY: the handler has the type of one without SA_SIGINFO, lives as long as the program and is
    // async-signal-safe; the old action is not asked for.
    match unsafe { libc::sigaction(signal.as_raw(), &action, ptr::null_mut()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

extern "C" fn nothing(_signal: libc::c_int) {}

extern "C" fn add_one(signal: libc::c_int) {
    // SAFETY: getpid(2), signal(2) and raise(3) are async-signal-safe; the signal, which is blocked while its handler
    // runs, arrives when this returns.
    unsafe {
        if libc::getpid() != OWNER.load(Ordering::SeqCst) {
            libc::signal(signal, libc::SIG_DFL);
            libc::raise(signal);
            return;
        }
    }
    // A full counter (EAGAIN) already means "woken".
    write_quietly(&WAKE, &1_u64.to_ne_bytes());
}

/// A pipe that is full has nobody who reads it.
extern "C" fn write_end(_signal: libc::c_int) {
    write_quietly(&STACKS, STACKS_END.as_bytes());
}

fn write_quietly(fd: &AtomicI32, bytes: &[u8]) {
    // SAFETY: write(2) is async-signal-safe and reads bytes that exist; errno belongs to the interrupted thread and is
    // put back.
    unsafe {
        let errno = libc::__errno_location();
        let saved = *errno;
        libc::write(
            fd.load(Ordering::SeqCst),
            bytes.as_ptr().cast(),
            bytes.len(),
        );
        *errno = saved;
    }
}

#[cfg(test)]
mod tests {
    use rustix::{
        event::{EventfdFlags, eventfd},
        process::{WaitOptions, kill_process, waitpid},
    };

    use super::*;
    use crate::sys::{Fork, ThreadRule, exit_without_cleanup, fork};

    /// The process is shared by all tests, so all there is to say of it is one test.

    #[test]
    fn the_end_of_the_stacks_is_written() {
        let (reader, writer) = std::io::pipe().unwrap();
        end_stacks(writer.into()).unwrap();
        kill_process(getpid(), STACKS_SIGNAL).unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(reader), &mut line).unwrap();
        assert_eq!(line, STACKS_END);
    }

    #[test]
    fn a_signal_wakes_its_process_and_ends_a_child_and_an_ignored_one_does_nothing() {
        let wake = eventfd(0, EventfdFlags::CLOEXEC).unwrap();
        wake_on_signals(
            rustix::io::fcntl_dupfd_cloexec(&wake, 0).unwrap(),
            &[Signal::USR1],
        )
        .unwrap();
        ignore_by_handler(&[Signal::USR2]).unwrap();
        kill_process(getpid(), Signal::USR2).unwrap();
        kill_process(getpid(), Signal::USR1).unwrap();
        let Fork::Parent(child) = fork(ThreadRule::AllowMany).unwrap() else {
            let _ = kill_process(getpid(), Signal::USR1);
            exit_without_cleanup(0);
        };
        let (_, status) = waitpid(Some(child), WaitOptions::empty()).unwrap().unwrap();
        assert_eq!(status.terminating_signal(), Some(Signal::USR1.as_raw()));
        let mut count = [0; 8];
        rustix::io::read(&wake, &mut count).unwrap();
        assert_eq!(u64::from_ne_bytes(count), 1);
    }
}
