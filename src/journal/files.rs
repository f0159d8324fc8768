//! Log files and sockets, as the supervisor has them: opened for all processes, opened anew, and files put aside when they
//! are large.
//!
//! Nobody else opens one: zygote and workers may be another user, and get the descriptors by message. An entry is
//! written at the end of whatever file its process has at that moment, so nothing is lost while the others are told:
//! it is in the file that was put aside.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io::{self, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    process::Signal,
};

use crate::{
    config::{Log, LogTarget},
    sys::ignore_by_handler,
};

use super::{JournalError, datagrams, sink};

/// Every log file of a service, and every socket for its log; they stay open as long as it.
#[derive(Debug, Default)]
pub struct LogFiles {
    files: Vec<Opened>,
    sockets: Vec<(LogTarget, OwnedFd)>,
}

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    file: File,
    mode: u32,
    /// In bytes; 0: it may be as large as it likes.
    max_size: u64,
    backups: u32,
    /// It could not be put aside, which was said.
    is_stuck: bool,
}

impl LogFiles {
    /// Those that the settings name.
    ///
    /// # Errors
    /// One of them cannot be opened or made.
    pub fn open(log: &Log) -> Result<Self, JournalError> {
        let mut files = Self::default();
        files.add(log)?;
        Ok(files)
    }

    /// And those that other settings name; these also say what may become of them.
    ///
    /// # Errors
    /// One of them cannot be opened or made; nothing has changed then.
    pub fn add(&mut self, log: &Log) -> Result<(), JournalError> {
        let mut new: Vec<Opened> = Vec::new();
        let mut sockets: Vec<(LogTarget, OwnedFd)> = Vec::new();
        for target in log.to.iter().chain(&log.access_to) {
            let LogTarget::File(path) = target else {
                let mut known = self.sockets.iter().chain(&sockets);
                if !known.any(|(known, _)| known == target) {
                    let socket = socket(target)?;
                    sockets.extend(socket.map(|socket| (target.clone(), socket)));
                }
                continue;
            };
            if !self.files.iter().chain(&new).any(|one| one.path == *path) {
                new.push(Opened::new(path, log)?);
            }
        }
        self.sockets.extend(sockets);
        if !new.is_empty() {
            // A limit of the size of files (LimitFSIZE=) is an error of write(2) then, and not the end.
            ignore_by_handler(&[Signal::XFSZ]).map_err(JournalError::Signals)?;
        }
        self.files.extend(new);
        for one in &mut self.files {
            one.mode = log.mode.0;
            one.max_size = log.max_size.0;
            one.backups = log.backups;
        }
        Ok(())
    }

    /// Whether any of them is put aside when it is large.
    pub fn are_limited(&self) -> bool {
        self.files.iter().any(|one| one.max_size > 0)
    }

    /// Whether any is a socket whose peer may have to be found again.
    pub fn have_peers(&self) -> bool {
        self.sockets
            .iter()
            .any(|(target, _)| datagrams::is_path(target))
    }

    /// Connects sockets anew whose peers have been found to be gone.
    pub fn heal(&self) {
        for (target, socket) in &self.sockets {
            datagrams::heal(target, socket.as_fd());
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.sockets.is_empty()
    }

    /// What they are in the settings.
    pub fn targets(&self) -> Vec<LogTarget> {
        let files = self
            .files
            .iter()
            .map(|one| LogTarget::File(one.path.clone()));
        let sockets = self.sockets.iter().map(|(target, _)| target.clone());
        files.chain(sockets).collect()
    }

    /// The descriptors, in the same order.
    pub fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let files = self.files.iter().map(|one| one.file.as_fd());
        files.chain(self.sockets.iter().map(|(_, socket)| socket.as_fd()))
    }

    /// Targets, and descriptors for [`super::init`].
    ///
    /// # Errors
    /// There are too many open files.
    pub fn duplicates(&self) -> Result<Vec<(LogTarget, OwnedFd)>, JournalError> {
        let duplicate = |(target, fd): (LogTarget, BorrowedFd<'_>)| {
            let duplicate = fd.try_clone_to_owned();
            let duplicate = duplicate.map_err(JournalError::Replace)?;
            Ok((target, duplicate))
        };
        self.targets()
            .into_iter()
            .zip(self.fds())
            .map(duplicate)
            .collect()
    }

    /// Opens all of them anew, and makes those that are gone.
    ///
    /// # Errors
    /// The first that cannot be opened; it stays as it was, and so do those behind it.
    pub fn reopen(&mut self) -> Result<(), JournalError> {
        for one in &mut self.files {
            one.reopen()
                .map_err(|source| file_error(&one.path, source))?;
        }
        for (target, known) in &mut self.sockets {
            if let Some(new) = socket(target)? {
                *known = new;
            }
        }
        self.switch()
    }

    /// Puts aside what has become too large. Gives whether there are other descriptors now, and what did not work,
    /// which is given once.
    pub fn rotate(&mut self) -> (bool, Vec<JournalError>) {
        let (mut changed, mut errors) = (false, Vec::new());
        for one in &mut self.files {
            match one.rotate() {
                Ok(has_changed) => changed |= has_changed,
                Err(source) => {
                    one.is_stuck = true;
                    let path = one.path.clone();
                    errors.push(JournalError::Rotate { path, source });
                }
            }
        }
        if changed {
            errors.extend(self.switch().err());
        }
        (changed, errors)
    }

    /// Writes lines of requests that somebody else has gathered; gives what did not work.
    pub fn write_requests(&self, log: &Log, text: &[u8]) -> Vec<JournalError> {
        let named = |one: &&Opened| {
            let mut places = log.places_of_access().iter();
            places.any(|place| matches!(place, LogTarget::File(path) if *path == one.path))
        };
        let files = self.files.iter().filter(named);
        let errors = files.filter_map(|one| {
            // What is no file has had each line at once.
            let is_file = sink::is_file(one.file.as_fd());
            let source = is_file.then(|| (&one.file).write_all(text).err())??;
            let path = one.path.clone();
            Some(JournalError::Write { path, source })
        });
        errors.collect()
    }

    /// This process writes to them too.
    fn switch(&self) -> Result<(), JournalError> {
        let (targets, fds): (Vec<_>, Vec<_>) = self.duplicates()?.into_iter().unzip();
        super::replace(&targets, &fds).map_err(JournalError::Replace)
    }
}

impl Opened {
    fn new(path: &Path, log: &Log) -> Result<Self, JournalError> {
        let file = open(path, log.mode.0).map_err(|source| file_error(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            mode: log.mode.0,
            max_size: log.max_size.0,
            backups: log.backups,
            is_stuck: false,
        })
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.file = open(&self.path, self.mode)?;
        self.is_stuck = false;
        Ok(())
    }

    /// Gives whether it is another file now. The lock is for other services with the same file: who comes second finds
    /// that another file has its name, and takes that one.
    fn rotate(&mut self) -> io::Result<bool> {
        let seen = self.file.metadata()?;
        let is_due = self.max_size > 0 && seen.is_file() && seen.len() >= self.max_size;
        if !is_due || self.is_stuck {
            return Ok(false);
        }
        if flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_err() {
            return Ok(false);
        }
        let named = fs::metadata(&self.path);
        let is_ours =
            named.is_ok_and(|named| (named.dev(), named.ino()) == (seen.dev(), seen.ino()));
        let moved = if is_ours { self.put_aside() } else { Ok(()) };
        let reopened = moved.and_then(|()| self.reopen());
        if reopened.is_err() {
            // It is our file still, and the next one who tries may have more luck.
            let _ = flock(&self.file, FlockOperation::Unlock);
        }
        reopened.map(|()| true)
    }

    /// `site.log` becomes `site.log.1`, that one `site.log.2`, and so on.
    fn put_aside(&self) -> io::Result<()> {
        if self.backups == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.backups).rev() {
            match fs::rename(self.backup(number), self.backup(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.backup(1))
    }

    fn backup(&self, number: u32) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{number}"));
        path.into()
    }
}

/// The end of a file, which is made if there is none. A named pipe without a reader is an error, and nothing to wait
/// for.
fn open(path: &Path, mode: u32) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
    let mut options = OpenOptions::new();
    options
        .append(true)
        .custom_flags(flags.bits().cast_signed())
        .mode(mode);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            // Without the umask, which is for files of the application.
            file.set_permissions(Permissions::from_mode(mode))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.open(path),
        Err(error) => Err(error),
    }
}

fn socket(target: &LogTarget) -> Result<Option<OwnedFd>, JournalError> {
    datagrams::open(target).map_err(|source| JournalError::Peer {
        target: target.clone(),
        source,
    })
}

fn file_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
