//! What has to be known to tell the metrics.

use serde::Serialize;

use crate::scoreboard::Totals;

/// A site at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Name of the site.
    pub(crate) site: String,
    /// What goes on, in a few words.
    pub(crate) state: String,
    /// Whether a worker accepts connections and nobody has asked for the end.
    pub(crate) is_ready: bool,
    /// The generation that serves; 1 is that of the start.
    pub(crate) generation: u32,
    /// When the supervisor started, in seconds since 1970.
    pub(crate) started_unix: u64,
    /// How long ago that is, in microseconds.
    pub(crate) uptime_us: u64,
    /// How many workers there should be.
    pub(crate) wanted: u32,
    /// All that was done since the supervisor started.
    pub(crate) done: Totals,
    /// The responses among that, by who answered.
    pub(crate) responses: Responses,
    /// Open connections.
    pub(crate) connections: u64,
    /// In the order of the settings.
    pub(crate) sockets: Vec<Socket>,
    /// The process that makes workers of the generation that serves, if there is one now.
    pub(crate) zygote: Option<i32>,
    /// In the order of generations and slots.
    pub(crate) workers: Vec<Worker>,
    /// How many workers went since the supervisor started, by cause.
    pub(crate) respawns: Vec<(&'static str, u64)>,
    /// Reloads that came to a good end.
    pub(crate) reloads_done: u64,
    /// Reloads that left everything as it was.
    pub(crate) reloads_failed: u64,
    /// Bytes that the workers would need more if each had imported the application for itself.
    pub(crate) preload_saved: Option<u64>,
}

/// Responses by who answered, as the path of the application or a word, and by the first digit of their status, 1xx to 5xx.
pub(crate) type Responses = Vec<(String, [u64; 5])>;

/// A listening socket.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Socket {
    /// Where it is bound.
    pub(crate) address: String,
    /// What is spoken on it.
    pub(crate) protocol: String,
    /// Connections that nobody has accepted yet.
    pub(crate) waiting: u32,
    /// How many of them there may be.
    pub(crate) limit: u32,
}

/// A process that serves, or is about to, or did.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Worker {
    /// Its number.
    pub(crate) worker: u32,
    /// Its generation; two generations have workers of the same number.
    pub(crate) generation: u32,
    /// Its process, 0 while there is none.
    pub(crate) pid: i32,
    /// `starting`, `serving`, `leaving`, `harakiri`, `killed` or `stopped`.
    pub(crate) state: &'static str,
    /// Since it exists, in microseconds.
    pub(crate) age_us: u64,
    /// Requests answered.
    pub(crate) requests: u64,
    /// Threads that call the application.
    pub(crate) threads: u32,
    /// What they are at, and those that answer without the application.
    pub(crate) running: Vec<Running>,
    /// What it takes, as far as the kernel says so.
    pub(crate) memory: Option<Memory>,
    /// Time that it has had a processor, in microseconds.
    pub(crate) cpu_us: Option<u64>,
}

/// A request that is being answered.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Running {
    /// Number of the thread; those of the application come first.
    pub(crate) thread: u32,
    /// Method and target, cut.
    pub(crate) request: String,
    /// Who asks.
    pub(crate) peer: String,
    /// For how long already, in microseconds.
    pub(crate) age_us: u64,
}

/// A worker's memory in bytes.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Memory {
    /// Resident, shared pages counted whole.
    pub(crate) rss: u64,
    /// Resident, shared pages divided by the number of their users.
    pub(crate) pss: u64,
    /// Resident and used by other processes too.
    pub(crate) shared: u64,
}

impl Worker {
    /// Threads that could call the application and are at a request.
    pub(super) fn busy(&self) -> u32 {
        let busy = self.running.iter();
        busy.filter(|running| running.thread < self.threads).count() as u32
    }
}
