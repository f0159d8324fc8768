//! One event as fields for the journal, or as one line on stderr.
//!
//! Supervisor, zygote and workers call [`init`] once after their exec; a worker, which comes from a fork, then only
//! says who it is by [`set_role`]. There are no threads and no buffers in here, so that a fork at any moment is safe.
//! Events of more than one line (tracebacks) have all of it in their message: that is what `journalctl` shows.

mod content;
mod journald;
mod level;
mod line;
mod stderr;

use std::{
    env, io,
    os::unix::fs::MetadataExt,
    sync::{
        OnceLock,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
};

use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::layer::SubscriberExt;

use crate::config::{Log, LogTarget};

pub use level::set_level;

use self::{
    journald::{Handle, JournaldLayer},
    level::Level,
    stderr::StderrLayer,
};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// `log.to` names the journal, and journald does not answer.
    #[error(
        "cannot connect to the journal at /run/systemd/journal/socket; remove \"journal\" from [log] to"
    )]
    Connect(#[source] io::Error),
    /// journald does not answer any more.
    #[error("cannot connect to the journal anew")]
    Reconnect(#[source] io::Error),
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

/// Who speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Name of the site, `HOSTLER_SITE` in the journal.
    pub site: String,
    /// Part of hostler, `HOSTLER_ROLE` and `HOSTLER_WORKER` in the journal.
    pub role: Role,
}

/// The connection to journald, if there is one.
static JOURNALD: OnceLock<Handle> = OnceLock::new();
static ROLE: AtomicI64 = AtomicI64::new(SUPERVISOR);
const SUPERVISOR: i64 = -1;
const ZYGOTE: i64 = -2;

/// From now on every `tracing` event of this process goes where `log` says.
pub fn init(log: &Log, identity: Identity) -> Result<(), JournalError> {
    set_role(identity.role);
    let connected = stderr_is_journal();
    let by_default = log.to.is_empty();
    let wanted = log.to.contains(&LogTarget::Journal) || by_default && connected;
    let journald = match wanted.then(|| JournaldLayer::connect(identity.site.clone())) {
        None => None,
        Some(Ok(layer)) => Some(layer),
        Some(Err(_)) if by_default => None,
        // The supervisor has found it at its start. A reload does not fail because journald is away for a moment.
        Some(Err(_)) if identity.role != Role::Supervisor => {
            Some(JournaldLayer::disconnected(identity.site).map_err(JournalError::Connect)?)
        }
        Some(Err(error)) => return Err(JournalError::Connect(error)),
    };
    set_level(log.level);
    if let Some(handle) = journald.as_ref().and_then(|layer| layer.handle().ok()) {
        // Somebody who calls this twice is told below.
        let _ = JOURNALD.set(handle);
    }
    let to_stderr = log.to.contains(&LogTarget::Stderr) || by_default && journald.is_none();
    let stderr = to_stderr.then(|| StderrLayer::new(connected));
    let subscriber = tracing_subscriber::registry()
        .with(Level)
        .with(journald)
        .with(stderr);
    tracing::subscriber::set_global_default(subscriber).map_err(JournalError::Twice)
}

/// Connects to the journal anew; gives whether there is such a connection. Standard error cannot be opened anew: only
/// who connected it knows to what.
pub fn reopen() -> Result<bool, JournalError> {
    let Some(handle) = JOURNALD.get() else {
        return Ok(false);
    };
    handle.reconnect().map_err(JournalError::Reconnect)?;
    Ok(true)
}

/// From now on this process speaks as another part of hostler.
pub fn set_role(role: Role) {
    let number = match role {
        Role::Supervisor => SUPERVISOR,
        Role::Worker(slot) => i64::from(slot),
        Role::Zygote => ZYGOTE,
    };
    ROLE.store(number, Relaxed);
}

fn role() -> Role {
    match ROLE.load(Relaxed) {
        SUPERVISOR => Role::Supervisor,
        ZYGOTE => Role::Zygote,
        slot => Role::Worker(slot as u32),
    }
}

/// Whether stderr is the very stream that the service manager connected to the journal: `$JOURNAL_STREAM` holds its
/// device and inode (systemd.exec(5)), and is inherited by processes whose stderr goes elsewhere.
fn stderr_is_journal() -> bool {
    let stream = env::var("JOURNAL_STREAM").unwrap_or_default();
    let stderr = std::fs::metadata("/proc/self/fd/2");
    stderr.is_ok_and(|file| names_stream(&stream, file.dev(), file.ino()))
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
