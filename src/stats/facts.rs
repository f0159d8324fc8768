//! What has to be known to make the document.

use crate::scoreboard::ThreadSnapshot;

use super::Tally;

/// A site at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The supervisor's process.
    pub(crate) pid: i32,
    /// Whose it is.
    pub(crate) uid: u32,
    /// Its group.
    pub(crate) gid: u32,
    /// Where the application runs.
    pub(crate) cwd: String,
    /// The clock of the scoreboard, in microseconds.
    pub(crate) now_us: u64,
    /// The same moment in seconds since 1970.
    pub(crate) now_unix: u64,
    /// In the order of the settings.
    pub(crate) sockets: Vec<Socket>,
    /// Where each application is mounted, empty for all paths.
    pub(crate) mounts: Vec<String>,
    /// In the order of their slots.
    pub(crate) workers: Vec<Worker>,
}

/// A listening socket.
#[derive(Debug, Clone, Default)]
pub(crate) struct Socket {
    /// Where it is bound.
    pub(crate) name: String,
    /// What is spoken on it.
    pub(crate) protocol: String,
    /// Connections that nobody has accepted yet.
    pub(crate) waiting: u32,
    /// How many of them there may be.
    pub(crate) limit: u32,
}

/// Whether there is a process in a worker's place, and what it is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    /// There is none.
    #[default]
    None,
    /// It accepts connections.
    Accepting,
    /// It does not accept yet, or does not any more.
    Closed,
    /// A signal has stopped it.
    Stopped,
}

/// A worker's place, with the process that is in it now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Worker {
    /// Slot of the scoreboard.
    pub(crate) slot: u32,
    /// The process, 0: none.
    pub(crate) pid: i32,
    /// What it is about.
    pub(crate) phase: Phase,
    /// Resident memory in bytes.
    pub(crate) rss: u64,
    /// Address space in bytes.
    pub(crate) vsz: u64,
    /// What its predecessors in this place have done.
    pub(crate) tally: Tally,
    /// What it has done and does, thread by thread; of a dead one what it had done.
    pub(crate) threads: Vec<ThreadSnapshot>,
}
