//! What is logged: as entries with fields for the journal, or as lines on standard error and in files.
//!
//! Three kinds of things come here: events of our own (`tracing`, by way of `event`), requests (`access`), and what
//! the application says (`words`, cut into entries by `splitter`). They go to the same `targets`.
//!
//! Supervisor, zygote and workers call [`init`] once after their exec; a worker, which comes from a fork, then only
//! says who it is by [`set_role`]. There are no threads in here, and no buffers but that of `gather`, so that a fork at any
//! moment is safe, and nobody waits for whoever reads the log. An entry of more than one line (a traceback) has all of it in its
//! message: that is what `journalctl` shows.

mod access;
mod clock;
mod content;
mod datagrams;
mod digits;
mod entry;
mod escape;
mod event;
#[cfg(test)]
mod fake;
mod files;
mod form;
mod gather;
mod journald;
mod level;
mod line;
mod priority;
mod sink;
mod splitter;
mod syslog;
mod targets;
mod template;
mod uwsgi_line;
mod words;

use std::{
    env, io,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::fs::MetadataExt,
    },
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicI64, AtomicU32, Ordering::Relaxed},
    },
};

use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::layer::SubscriberExt;

use crate::config::{Log, LogTarget};

pub use access::{Access, Details, WorkerMemory, access, access_is_detailed, slow};
pub use files::LogFiles;
pub use gather::{Gathered, Gathering, has_gathered, leave_gathered, write_gathered};
pub use level::set_level;
pub use priority::Priority;
pub use splitter::Splitter;
pub use words::{Code, Stream, Words, say};

use self::{
    event::Events,
    form::Form,
    journald::Journald,
    level::Level,
    sink::Sink,
    targets::{Outlet, Places, Targets},
};

/// Where journald listens, when it is not journald; for tests.
const SOCKET_VARIABLE: &str = "HOSTLER_JOURNAL_SOCKET";

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// `log.to` names the journal, and journald does not answer.
    #[error("cannot connect to the journal at {path}; remove \"journal\" from [log] to")]
    Connect {
        /// Where it should listen.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A file of `log.to` cannot be written to.
    #[error("cannot open the log file {}; correct [log] to, or who may write there", path.display())]
    File {
        /// Its path.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A socket of `log.to` cannot be made.
    #[error("cannot send the log to {target}; correct [log] to, or start who listens there")]
    Peer {
        /// As the settings have it.
        target: LogTarget,
        /// What the kernel said, or the resolver.
        source: io::Error,
    },
    /// journald does not answer any more.
    #[error("cannot connect to the journal anew")]
    Reconnect(#[source] io::Error),
    /// This process cannot go over to files that were opened anew.
    #[error("cannot write to the log files that were opened anew")]
    Replace(#[source] io::Error),
    /// A file that is too large stays as it is.
    #[error("cannot put aside the log file {}, which grows on until it is opened anew; who runs the service must be allowed to make files in its directory", path.display())]
    Rotate {
        /// Its path.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A signal handler cannot be installed.
    #[error("cannot set up signals")]
    Signals(#[source] io::Error),
    /// Standard error cannot be looked at.
    #[error("cannot use standard error")]
    Stderr(#[source] io::Error),
    /// Lines that a worker could not write cannot be written for it.
    #[error("cannot write to the log file {}", path.display())]
    Write {
        /// Its path.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// `init` was called before in this process.
    #[error("the log is set up already")]
    Twice(#[source] SetGlobalDefaultError),
}

/// Which part of hostler a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The parent of all.
    Supervisor,
    /// The worker of this slot of the scoreboard.
    Worker(u32),
    /// The process that loads the application and makes workers.
    Zygote,
}

/// What the log is told once of a process.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Name of the site, `HOSTLER_SITE` in the journal.
    pub site: String,
    /// Part of hostler, `HOSTLER_ROLE` and `HOSTLER_WORKER` in the journal.
    pub role: Role,
}

static TARGETS: OnceLock<Targets> = OnceLock::new();
static ROLE: AtomicI64 = AtomicI64::new(SUPERVISOR);
/// The number of this process; 0: nobody has said yet who it is.
static PROCESS: AtomicU32 = AtomicU32::new(0);
const SUPERVISOR: i64 = -1;
const ZYGOTE: i64 = -2;

/// From now on everything goes where `log` says. `stderr` is the supervisor's standard error, given on by [`stderr`];
/// `None`: this is the supervisor. `files` are those of the supervisor's [`LogFiles`].
pub fn init(
    log: &Log,
    identity: Identity,
    stderr: Option<OwnedFd>,
    files: Vec<(LogTarget, OwnedFd)>,
) -> Result<(), JournalError> {
    set_role(identity.role);
    let stderr = stderr.map_or_else(sink::open_own, Ok);
    let stderr = stderr.map_err(JournalError::Stderr)?;
    let connected = is_journal(stderr.as_fd());
    let outlet = |(target, fd)| Outlet::new(target, fd, log);
    let outlets: Vec<Outlet> = files.into_iter().map(outlet).collect::<Result<_, _>>()?;
    let (places, access, journald) = places(log, &outlets, connected, identity.role)?;
    set_level(log.level);
    let targets = Targets {
        site: identity.site,
        stderr: Sink::stderr(stderr, connected).map_err(JournalError::Stderr)?,
        outlets,
        journald,
        log: places,
        access,
        form: Form::new(log),
    };
    // Somebody who calls this twice is told below.
    let targets = TARGETS.get_or_init(|| targets);
    let subscriber = tracing_subscriber::registry()
        .with(Level)
        .with(Events(targets));
    tracing::subscriber::set_global_default(subscriber).map_err(JournalError::Twice)
}

/// Where the log and the entries of requests go, with the journal if one of them goes there. `connected`: standard
/// error leads to the journal.
fn places(
    log: &Log,
    outlets: &[Outlet],
    connected: bool,
    role: Role,
) -> Result<(Places, Places, Option<Journald>), JournalError> {
    let mut places = Places::new(&log.to, outlets);
    let by_default = log.to.is_empty();
    let access = Places::new(&log.access_to, outlets);
    let demanded = places.journal || access.journal;
    let journald = match demanded || by_default && connected {
        true => connect(role, demanded)?,
        false => None,
    };
    if by_default {
        places.journal = connected && journald.is_some();
        places.stderr = !places.journal;
    }
    let access = match log.access_to.is_empty() {
        true => places.clone(),
        false => access,
    };
    Ok((places, access, journald))
}

/// The journal; none if nobody has `demanded` it and it does not answer.
fn connect(role: Role, demanded: bool) -> Result<Option<Journald>, JournalError> {
    let path = env::var(SOCKET_VARIABLE).unwrap_or_else(|_| journald::SOCKET.to_owned());
    match Journald::connect(&path) {
        Ok(journald) => Ok(Some(journald)),
        Err(_) if !demanded => Ok(None),
        // The supervisor has found it at its start. A reload does not fail because journald is away for a moment.
        Err(_) if role != Role::Supervisor => Journald::disconnected(&path)
            .map(Some)
            .map_err(JournalError::Reconnect),
        Err(source) => Err(JournalError::Connect { path, source }),
    }
}

/// The supervisor's standard error, for processes that shall write there too.
pub fn stderr() -> BorrowedFd<'static> {
    match TARGETS.get() {
        Some(targets) => targets.stderr.as_fd(),
        None => rustix::stdio::stderr(),
    }
}

/// Whether entries go to the journal, where they can have fields that nobody reads elsewhere.
pub fn has_fields() -> bool {
    TARGETS
        .get()
        .is_some_and(|targets| targets.journald.is_some())
}

/// Connects to the journal anew; gives whether there is such a connection. Standard error cannot be opened anew: only
/// who connected it knows to what. Files are opened anew by [`LogFiles`].
pub fn reconnect() -> Result<bool, JournalError> {
    let journald = TARGETS.get().and_then(|targets| targets.journald.as_ref());
    let Some(journald) = journald else {
        return Ok(false);
    };
    journald.reconnect().map_err(JournalError::Reconnect)?;
    Ok(true)
}

/// What goes to these files and sockets goes to these descriptors from now on, which the supervisor has opened anew.
pub fn replace(files: &[LogTarget], fds: &[OwnedFd]) -> io::Result<()> {
    TARGETS
        .get()
        .map_or(Ok(()), |targets| targets.replace(files, fds))
}

/// From now on this process speaks as another part of hostler.
pub fn set_role(role: Role) {
    let number = match role {
        Role::Supervisor => SUPERVISOR,
        Role::Worker(slot) => i64::from(slot),
        Role::Zygote => ZYGOTE,
    };
    ROLE.store(number, Relaxed);
    PROCESS.store(std::process::id(), Relaxed);
}

/// The number of this process, without asking the kernel for each line.
fn process() -> u32 {
    match PROCESS.load(Relaxed) {
        0 => std::process::id(),
        process => process,
    }
}

fn role() -> Role {
    match ROLE.load(Relaxed) {
        SUPERVISOR => Role::Supervisor,
        ZYGOTE => Role::Zygote,
        slot => Role::Worker(slot as u32),
    }
}

/// Whether this is the very stream that the service manager connected to the journal: `$JOURNAL_STREAM` holds its
/// device and inode (systemd.exec(5)), and is inherited by processes whose standard error goes elsewhere.
fn is_journal(stderr: BorrowedFd<'_>) -> bool {
    let stream = env::var("JOURNAL_STREAM").unwrap_or_default();
    let file = stderr.try_clone_to_owned().map(std::fs::File::from);
    let file = file.and_then(|file| file.metadata());
    file.is_ok_and(|file| names_stream(&stream, file.dev(), file.ino()))
}

fn names_stream(variable: &str, device: u64, inode: u64) -> bool {
    variable
        .split_once(':')
        .is_some_and(|(dev, ino)| dev.parse() == Ok(device) && ino.parse() == Ok(inode))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_compared_by_device_and_inode() {
        assert!(names_stream("8:123", 8, 123));
        assert!(!names_stream("8:124", 8, 123));
        assert!(!names_stream("9:123", 8, 123));
        assert!(!names_stream("8", 8, 123));
        assert!(!names_stream("", 0, 0));
    }

    #[test]
    fn a_role_survives_its_encoding() {
        for expected in [
            Role::Zygote,
            Role::Worker(0),
            Role::Worker(u32::MAX),
            Role::Supervisor,
        ] {
            set_role(expected);
            assert_eq!(role(), expected);
        }
    }
}
