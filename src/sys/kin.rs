//! Starting a program whose parent is chosen: this process, or this process's own parent.
//!
//! Apart from `process` because nothing else needs clone(2) itself. A service manager counts a main process as its own
//! only when it is the parent, and this process adopts whoever is orphaned below it; so a program that is to become the main
//! process in our place has to be born as our sibling.

use std::{
    ffi::{CStr, CString},
    fs::File,
    io::{self, Read},
    mem,
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd},
    ptr,
};

use rustix::pipe::{PipeFlags, pipe_with};

use super::{process::close_all_on_exec, signal::forget_signals};

/// What the child uses until the exec. It makes some system calls and calls nothing deep.
const STACK: usize = 64 << 10;
/// Exit code of a child whose exec has failed, as shells have it.
const NOT_EXECUTED: libc::c_int = 127;

/// Who is the parent of a new process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinship {
    /// This process.
    Child,
    /// The parent of this process. The kernel refuses it to a process 1.
    Sibling,
}

/// A program and what it is given.
#[derive(Debug)]
pub struct Image {
    /// The file.
    pub path: CString,
    /// With the name by which it is called first.
    pub arguments: Vec<CString>,
    /// Of the form `NAME=value`, all there are.
    pub environment: Vec<CString>,
}

/// A process that was started.
#[derive(Debug)]
pub struct Kin {
    /// Its number.
    pub pid: i32,
    /// Refers to it, also when the number is somebody else's (pidfd_open(2)).
    pub pidfd: OwnedFd,
}

/// What the new process needs between its birth and the exec; everything in it is alive in the memory that it has copied.
struct Birth {
    path: *const libc::c_char,
    arguments: *const *const libc::c_char,
    environment: *const *const libc::c_char,
    stdin: RawFd,
    /// Where it tells of an exec that fails.
    failure: RawFd,
}

/// Starts a program with `stdin` as its standard input, our standard output and error, and no other descriptor; no signal is
/// handled, ignored or blocked in it.
///
/// # Errors
/// There is no process, or the program cannot be executed.
pub fn spawn_kin(image: &Image, stdin: BorrowedFd<'_>, kinship: Kinship) -> io::Result<Kin> {
    let (arguments, environment) = (pointers(&image.arguments), pointers(&image.environment));
    let (failure, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    let birth = Birth {
        path: image.path.as_ptr(),
        arguments: arguments.as_ptr(),
        environment: environment.as_ptr(),
        stdin: stdin.as_raw_fd(),
        failure: writer.as_raw_fd(),
    };
    let kin = clone(&birth, kinship)?;
    drop(writer);
    // The end of the pipe without a word is the exec that has closed it.
    let mut errno = [0; mem::size_of::<libc::c_int>()];
    match File::from(failure).read_exact(&mut errno) {
        Ok(()) => Err(io::Error::from_raw_os_error(libc::c_int::from_ne_bytes(
            errno,
        ))),
        Err(_) => Ok(kin),
    }
}

/// As exec wants them: ended by a null pointer.
fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    let texts = texts.iter().map(|text| CStr::as_ptr(text));
    texts.chain([ptr::null()]).collect()
}

fn clone(birth: &Birth, kinship: Kinship) -> io::Result<Kin> {
    // Of this type, so that its end is aligned as every processor wants it.
    let mut stack = vec![0_u128; STACK / mem::size_of::<u128>()];
    let top = stack.as_mut_ptr_range().end;
    let parent = match kinship {
        Kinship::Child => 0,
        Kinship::Sibling => libc::CLONE_PARENT,
    };
    let flags = libc::CLONE_PIDFD | parent | libc::SIGCHLD;
    let mut pidfd: libc::c_int = -1;
    // SAFETY: without CLONE_VM the new process has a copy of our memory and changes nothing of ours; in it the function runs on
    // a stack that nobody else uses, and `birth` with all that it points to is alive, since we wait here. With CLONE_PIDFD
    // the argument behind `birth` is where the number of the descriptor is written.
    let pid = unsafe {
        let birth = ptr::from_ref(birth).cast_mut().cast();
        libc::clone(begin, top.cast(), flags, birth, &raw mut pidfd)
    };
    if pid == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has made the descriptor for us, close-on-exec, and nobody else knows it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Kin { pid, pidfd })
}

/// The new process until the exec. Everything here is async-signal-safe: it makes system calls and allocates nothing.
extern "C" fn begin(birth: *mut libc::c_void) -> libc::c_int {
    close_all_on_exec();
    forget_signals();
    // SAFETY: `clone` passes a Birth that is alive in our copy of its memory, whose pointers are texts that end with a zero,
    // and lists of them that end with a null pointer. A descriptor that is standard input already stays open at the exec only
    // without the flag, which dup2(2) leaves then.
    unsafe {
        let birth = &*birth.cast::<Birth>();
        if birth.stdin == libc::STDIN_FILENO {
            libc::fcntl(birth.stdin, libc::F_SETFD, 0);
        } else {
            libc::dup2(birth.stdin, libc::STDIN_FILENO);
        }
        libc::execve(birth.path, birth.arguments, birth.environment);
        let errno: libc::c_int = *libc::__errno_location();
        libc::write(
            birth.failure,
            (&raw const errno).cast(),
            mem::size_of_val(&errno),
        );
        libc::_exit(NOT_EXECUTED)
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::process::{Pid, WaitOptions, waitpid};

    use super::*;

    fn image(path: &str, arguments: &[&str]) -> Image {
        let text = |text: &str| CString::new(text).unwrap();
        Image {
            path: text(path),
            arguments: arguments.iter().map(|argument| text(argument)).collect(),
            environment: vec![text("NAME=value")],
        }
    }

    /// What a shell command writes into its standard input, and its process.
    fn said(command: &str, kinship: Kinship) -> (String, Kin) {
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let image = image("/bin/sh", &["sh", "-c", command]);
        let kin = spawn_kin(&image, write.as_fd(), kinship).unwrap();
        drop(write);
        let mut text = String::new();
        File::from(read).read_to_string(&mut text).unwrap();
        (text, kin)
    }

    #[test]
    fn a_child_has_what_it_was_given_and_nothing_else() {
        let command = "echo $NAME $PPID >&0; /bin/ls /proc/self/fd >&0";
        let (text, kin) = said(command, Kinship::Child);
        // Standard input, output and error, and the directory that is read.
        assert_eq!(text, format!("value {}\n0\n1\n2\n3\n", std::process::id()));
        waitpid(Pid::from_raw(kin.pid), WaitOptions::empty()).unwrap();
    }

    #[test]
    fn a_sibling_has_our_parent() {
        let (text, kin) = said("echo $PPID $$ >&0", Kinship::Sibling);
        let parent = rustix::process::getppid().unwrap();
        assert_eq!(text, format!("{} {}\n", parent.as_raw_nonzero(), kin.pid));
    }

    #[test]
    fn what_cannot_be_executed_is_told() {
        let (_read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let error = |path| {
            let error = spawn_kin(&image(path, &["x"]), write.as_fd(), Kinship::Child);
            error.unwrap_err().raw_os_error()
        };
        assert_eq!(error("/no/such/program"), Some(libc::ENOENT));
        assert_eq!(error("/etc/passwd"), Some(libc::EACCES));
    }
}
