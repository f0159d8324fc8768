//! Making processes: fork that counts threads, and exec with chosen descriptors left open.

use std::{
    fs, io,
    os::fd::{AsRawFd, BorrowedFd, RawFd},
    os::unix::process::CommandExt,
    process::{Child, Command},
};

use rustix::process::{Pid, Signal, set_parent_process_death_signal, setsid};

use super::{Account, signal::forget_signals};

/// Which side of a fork the caller is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// The new process.
    Child,
    /// The process that called, with the new one's id.
    Parent(Pid),
}

/// What `fork` does about further threads of the calling process. They do not exist in the child, but the locks
/// which they held stay locked there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThreadRule {
    /// Fork anyway; the site has said that it knows.
    AllowMany,
    /// Refuse.
    OnlyOne,
}

/// Why there is no child.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    /// The kernel refused (fork(2): EAGAIN and ENOMEM are limits).
    #[error("cannot fork")]
    Fork(#[source] io::Error),
    /// Threads could not be counted.
    #[error("cannot count the threads in /proc/self/task")]
    Proc(#[source] io::Error),
    /// More than one thread, and the rule says one.
    #[error("the process has {count} threads, and a fork would copy only one of them")]
    Threads {
        /// How many there are.
        count: usize,
    },
}

/// Duplicates the process (fork(2)); the locks of the C library are taken care of, those of Python are the caller's.
pub fn fork(rule: ThreadRule) -> Result<Fork, ForkError> {
    if rule == ThreadRule::OnlyOne {
        let count = thread_count().map_err(ForkError::Proc)?;
        if count != 1 {
            return Err(ForkError::Threads { count });
        }
    }
    // SAFETY: no memory is shared with the child, so nothing becomes invalid there. With further threads a lock may
    // stay locked for ever, which can hang the child and break nothing else; the caller has asked for it by the rule.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(ForkError::Fork(io::Error::last_os_error())),
        pid => Ok(Pid::from_raw(pid).map_or(Fork::Child, Fork::Parent)),
    }
}

/// How many threads this process has, those that Python does not know of included.
pub fn thread_count() -> io::Result<usize> {
    fs::read_dir("/proc/self/task")?.try_fold(0, |count, entry| entry.map(|_| count + 1))
}

/// Ends the process without running exit handlers (_exit(2)): for the middle process of a double fork, whose handlers
/// and buffers belong to its parent.
pub fn exit_without_cleanup(code: i32) -> ! {
    // SAFETY: _exit takes any code and does not return.
    unsafe { libc::_exit(code) }
}

/// Starts `command` with `fds` open in it under the same numbers; every other descriptor closes at the exec. With an
/// `account` it runs under that one.
///
/// The command is consumed because it remembers numbers that are valid only while `fds` are borrowed.
pub fn spawn_with_fds(
    mut command: Command,
    fds: &[BorrowedFd<'_>],
    account: Option<Account>,
) -> io::Result<Child> {
    let numbers: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let keep_open = move || {
        close_all_on_exec();
        account.as_ref().map_or(Ok(()), Account::enter)?;
        numbers.iter().try_for_each(|fd| clear_close_on_exec(*fd))
    };
    // SAFETY: the closure runs between fork and exec and does nothing but system calls, which are async-signal-safe.
    unsafe { command.pre_exec(keep_open) };
    command.spawn()
}

/// Starts `command` as the leader of a session and a process group of its own, with no descriptors but the standard ones
/// and with no signal handled, ignored or blocked. It is killed when the calling thread ends, so that nobody who is killed
/// leaves it behind. May be called beside other threads.
pub fn spawn_in_session(mut command: Command) -> io::Result<Child> {
    let begin = || {
        close_all_on_exec();
        forget_signals();
        set_parent_process_death_signal(Some(Signal::KILL))?;
        setsid()?;
        Ok(())
    };
    // SAFETY: the closure runs between fork and exec and does nothing but system calls, which are async-signal-safe.
    unsafe { command.pre_exec(begin) };
    command.spawn()
}

/// Our own descriptors are close-on-exec from birth; whoever started us may have left others open. A kernel before 5.11
/// does not know the flag, and then they stay as they are.
pub(super) fn close_all_on_exec() {
    let first = libc::STDERR_FILENO + 1;
    // SAFETY: close_range(2) with this flag closes nothing, it only marks descriptors.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
}

/// Lets go of what `fds` refer to, in a forked child that may not close them because the objects which own them still
/// exist in its memory: the numbers refer to /dev/null from then on.
pub fn replace_with_null(fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let null = fs::File::open("/dev/null")?;
    for fd in fds {
        // SAFETY: dup3(2) takes any two numbers; the one that it changes stays open, as its owner expects.
        if unsafe { libc::dup3(null.as_raw_fd(), fd.as_raw_fd(), libc::O_CLOEXEC) } == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

fn clear_close_on_exec(fd: RawFd) -> io::Result<()> {
    // SAFETY: F_SETFD changes one flag of a descriptor; a number that is not open gives EBADF.
    match unsafe { libc::fcntl(fd, libc::F_SETFD, 0) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::fd::AsFd, sync::mpsc, thread};

    use rustix::pipe::{PipeFlags, pipe_with};

    use super::*;

    #[test]
    fn fork_refuses_when_there_are_other_threads() {
        let (hold, held) = mpsc::channel::<()>();
        let other = thread::spawn(move || held.recv());
        assert!(matches!(
            fork(ThreadRule::OnlyOne),
            Err(ForkError::Threads { count: 2.. })
        ));
        drop(hold);
        assert!(other.join().unwrap().is_err());
    }

    #[test]
    fn a_replaced_descriptor_stays_open_and_refers_to_nothing() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        replace_with_null(&[write.as_fd()]).unwrap();
        // The pipe has no writer left.
        assert_eq!(rustix::io::read(&read, &mut [0; 1]).unwrap(), 0);
        assert!(rustix::io::fcntl_getfd(&write).is_ok());
    }

    #[test]
    fn a_session_begins_with_no_signal_blocked_or_ignored() {
        let (tell, told) = mpsc::channel();
        // The process would end with the thread that has started it.
        let act = move || {
            let mut command = Command::new("cat");
            command.arg("/proc/self/stat").arg("/proc/self/status");
            command.stdout(std::process::Stdio::piped());
            let child = spawn_in_session(command).unwrap();
            let pid = child.id();
            let output = child.wait_with_output().unwrap().stdout;
            tell.send((pid, String::from_utf8(output).unwrap()))
                .unwrap();
        };
        crate::sys::spawn_helper("test", act).unwrap();
        let (pid, text) = told.recv().unwrap();
        // proc(5): behind the name in brackets are state, parent, group, session.
        let behind = text.split_once(") ").unwrap().1;
        let leads: Vec<&str> = behind.split(' ').skip(2).take(2).collect();
        assert_eq!(leads, [pid.to_string(), pid.to_string()]);
        for name in ["SigBlk:", "SigIgn:"] {
            let mask = text.lines().find_map(|line| line.strip_prefix(name));
            let mask = u64::from_str_radix(mask.unwrap().trim(), 16).unwrap();
            // 32 and 33 are the C library's own, which changes them for nobody.
            assert_eq!(mask & !(0b11 << 31), 0, "{name} {mask:x}");
        }
    }

    #[test]
    fn spawned_program_has_only_the_descriptors_it_was_given() {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!(
            "echo passed >/proc/self/fd/{}; test ! -e /proc/self/fd/{}",
            write.as_raw_fd(),
            read.as_raw_fd()
        ));
        let mut child = spawn_with_fds(command, &[write.as_fd()], None).unwrap();
        drop(write);
        let mut text = String::new();
        std::fs::File::from(read).read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(text, "passed\n");
    }
}
