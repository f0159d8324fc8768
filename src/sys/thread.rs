//! Threads of our own beside those of the application, and signals for single threads.

use std::{io, mem, ptr, thread};

use rustix::{process::Signal, thread::Pid};

/// A helper does little; what it needs counts against RLIMIT_AS of its process.
const STACK: usize = 256 << 10;
/// What a thread itself does wrong; all other signals are for the others.
const FAULTS: [libc::c_int; 5] = [
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGTRAP,
];

/// Starts a thread that no signal interrupts, so that those for the process reach the application's threads.
pub fn spawn_helper(name: &str, act: impl FnOnce() + Send + 'static) -> io::Result<thread::Thread> {
    let builder = thread::Builder::new()
        .name(name.to_owned())
        .stack_size(STACK);
    let started = builder.spawn(|| {
        block_signals();
        act();
    })?;
    Ok(started.thread().clone())
}

/// The calling thread, as pthread_self(3) has it; Python's `threading.get_ident()` is the same.
pub fn thread_ident() -> u64 {
    // SAFETY: it has no conditions.
    unsafe { libc::pthread_self() }
}

/// Sends a signal to one thread of this process. One that has ended needs it no more.
pub fn signal_thread(thread: Pid, signal: Signal) {
    let process = rustix::process::getpid();
    // SAFETY: tgkill(2) takes numbers, and sends nothing to threads of other processes.
    unsafe {
        libc::syscall(
            libc::SYS_tgkill,
            process.as_raw_nonzero().get(),
            thread.as_raw_nonzero().get(),
            signal.as_raw(),
        )
    };
}

fn block_signals() {
    // SAFETY: a signal set is plain data, which sigfillset makes valid; the numbers are signals, the set outlives the
    // calls, and the old mask is not asked for.
    unsafe {
        let mut set: libc::sigset_t = mem::zeroed();
        libc::sigfillset(&mut set);
        for fault in FAULTS {
            libc::sigdelset(&mut set, fault);
        }
        libc::pthread_sigmask(libc::SIG_BLOCK, &set, ptr::null_mut());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::sys::STACKS_SIGNAL;

    /// The mask of blocked signals, from the right: signal 1, 2, 3 ...
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
        u64::from_str_radix(mask.unwrap().trim(), 16).unwrap()
    }

    #[test]
    fn a_helper_gets_no_signals_but_its_own_faults() {
        let (tell, told) = mpsc::channel();
        spawn_helper("test", move || tell.send(blocked()).unwrap()).unwrap();
        let blocked = told.recv().unwrap();
        let is_blocked = |signal: libc::c_int| blocked >> (signal - 1) & 1 == 1;
        assert!(is_blocked(libc::SIGTERM) && is_blocked(STACKS_SIGNAL.as_raw()));
        assert!(!is_blocked(libc::SIGSEGV));
    }
}
