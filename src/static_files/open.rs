//! Opening a file below a root, and nothing that is not below it.
//!
//! openat2(2) with RESOLVE_BENEATH makes the kernel refuse every path that leaves the root, also by a symbolic link that
//! is put there at this very moment. Links that lead out of the root although they may (`symlinks`, `safe`), links that
//! are absolute, and kernels or sandboxes without openat2 go the longer way: the file is found first (O_PATH, which has
//! no effect on devices and pipes), asked where it really is, and opened only if that is allowed.

use std::{
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, ResolveFlags, Stat, fstat, open, openat, openat2, readlink},
    io::Errno,
};
use tracing::warn;

/// A lookup that a concurrent rename disturbs is tried so often; openat2(2), EAGAIN.
const ATTEMPTS: usize = 16;
/// What is opened must not stop us, whatever it is, nor become our terminal.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// What was found below a root.
#[derive(Debug)]
pub(crate) enum Opened {
    /// It is there, and we may not read it.
    Denied,
    /// A directory.
    Directory,
    /// A regular file.
    File(OpenFile),
    /// Nothing that could be sent.
    Nothing,
}

/// A regular file that may be sent.
#[derive(Debug)]
pub(crate) struct OpenFile {
    /// Open for reading; its own position is not used.
    pub(crate) file: OwnedFd,
    /// Bytes.
    pub(crate) size: u64,
    /// Seconds since 1970 and nanoseconds of the last change.
    pub(crate) modified: (u64, u32),
}

/// Where links may lead to.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Anywhere.
    pub(super) free: bool,
    /// Below these directories.
    pub(super) safe: Vec<PathBuf>,
    /// What to do about one that leads elsewhere.
    advice: &'static str,
    /// Whether it was said that one led elsewhere.
    told: AtomicBool,
    /// Whether the kernel, or a sandbox, has refused openat2.
    is_missing: AtomicBool,
}

impl Links {
    pub(crate) fn new(free: bool, safe: Vec<PathBuf>) -> Self {
        Self {
            free,
            safe,
            advice: "static.safe and static.symlinks allow it",
            ..Self::default()
        }
    }

    /// Those that stay inside; `advice` says what to do about one that does not.
    pub(crate) fn inside(advice: &'static str) -> Self {
        Self {
            advice,
            ..Self::default()
        }
    }

    /// Opens `name`, which neither climbs nor is absolute, below `root`; both are looked up anew, so that a directory
    /// that was replaced is noticed. The root may be a single file, whose `name` is empty.
    pub(crate) fn open(&self, root: &Path, name: &[u8]) -> Opened {
        match self.try_open(root, name) {
            Ok(file) => judge(file),
            Err(Errno::ACCESS | Errno::PERM) => Opened::Denied,
            Err(Errno::XDEV) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    let name = String::from_utf8_lossy(name);
                    let advice = self.advice;
                    warn!(root = %root.display(), %name, advice, "a symbolic link leads out of its directory: the file is not served (told once)");
                }
                Opened::Nothing
            }
            Err(_) => Opened::Nothing,
        }
    }

    fn try_open(&self, root: &Path, name: &[u8]) -> Result<OwnedFd, Errno> {
        if name.is_empty() {
            // The settings name it: wherever it leads, it is meant.
            return open(root, READ, Mode::empty());
        }
        let directory = open(
            root,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        if !self.is_missing.load(Ordering::Relaxed) {
            match beneath(directory.as_fd(), name) {
                // Whether it is a sandbox that does not know the call, or a file that cannot be read, shows below.
                Err(Errno::XDEV | Errno::PERM) => {}
                Err(Errno::NOSYS) => self.is_missing.store(true, Ordering::Relaxed),
                result => return result,
            }
        }
        self.checked(directory.as_fd(), name)
    }

    /// Finds the file first, and opens it if it is where it may be.
    fn checked(&self, root: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
        let found = openat(root, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let is_allowed = self.free || {
            let place = place(found.as_fd())?;
            let safe = self.safe.iter().filter_map(|path| real(path).ok());
            place.starts_with(self::place(root)?)
                || safe.into_iter().any(|safe| place.starts_with(safe))
        };
        if !is_allowed {
            return Err(Errno::XDEV);
        }
        openat(CWD, magic_link(found.as_fd()), READ, Mode::empty())
    }
}

fn beneath(root: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 1..ATTEMPTS {
        match openat2(root, name, READ, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
    openat2(root, name, READ, Mode::empty(), resolve)
}

/// What the kernel calls the file of a descriptor, all links resolved.
fn place(file: BorrowedFd<'_>) -> Result<PathBuf, Errno> {
    let text = readlink(magic_link(file), Vec::new())?;
    Ok(PathBuf::from(std::ffi::OsStr::from_bytes(text.as_bytes())))
}

fn real(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}

fn magic_link(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

/// Pipes, devices and sockets are no files, whatever their directory is.
fn judge(file: OwnedFd) -> Opened {
    let Ok(status) = fstat(&file) else {
        return Opened::Nothing;
    };
    match FileType::from_raw_mode(status.st_mode) {
        FileType::Directory => Opened::Directory,
        FileType::RegularFile => Opened::File(OpenFile {
            file,
            size: u64::try_from(status.st_size).unwrap_or(0),
            modified: modified(&status),
        }),
        _ => Opened::Nothing,
    }
}

/// Files from before 1970 are from 1970.
fn modified(status: &Stat) -> (u64, u32) {
    let seconds = u64::try_from(status.st_mtime).unwrap_or(0);
    (seconds, status.st_mtime_nsec as u32)
}

#[cfg(test)]
mod tests;
