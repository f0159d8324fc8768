//! What is said between supervisor, zygote and workers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::{LogTarget, Protocol, Settings};

/// Supervisor to zygote.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToZygote {
    /// Make one worker for this slot of the scoreboard. Descriptors: the worker's control socket; the end of a pipe to
    /// which it writes the stacks of its threads, see [`crate::sys::STACKS_SIGNAL`]; the end of a pipe that becomes its
    /// standard output and standard error.
    Fork {
        /// Slot of the scoreboard.
        slot: u32,
    },
    /// These files and sockets for the log were opened anew. Descriptors: one for each.
    Log(Vec<LogTarget>),
    /// The first message: load the application. Descriptors: the scoreboard, the supervisor's standard error for the
    /// log; each file and socket for it; the memory for its lines, if there is one; with HTTPS a sealed file of certificates and private keys ([`crate::tls::Material`]), and the keys of session
    /// tickets; then each listener.
    Start(Box<Start>),
    /// End; the workers stay.
    Stop,
}

/// All that a zygote needs to know.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    /// Version of the program; a zygote of another version refuses.
    pub version: String,
    /// Name of the site, for the log.
    pub site: String,
    /// Counts reloads; the first is 1.
    pub generation: u32,
    /// The checked settings.
    pub settings: Settings,
    /// One per descriptor of a file or socket for the log, in the same order.
    pub log_files: Vec<LogTarget>,
    /// One per listener descriptor, in the same order.
    pub listeners: Vec<ListenerInfo>,
    /// Whether there is memory among the descriptors in which lines for the log are gathered.
    pub gathers: bool,
    /// Whether there are certificates among the descriptors.
    pub https: bool,
}

/// What a worker must know of a listening socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerInfo {
    /// What is spoken on it.
    pub protocol: Protocol,
    /// Which `[[listen]]` of the settings it is of, counted from 0.
    pub section: usize,
    /// As bound, with the true port: `127.0.0.1:8000`, `[::1]:8000`, `/run/x.sock`, `@name`.
    pub address: String,
}

/// Zygote to supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromZygote {
    /// The application cannot be loaded.
    Failed(LoadFailure),
    /// No worker was made.
    ForkRefused {
        /// Slot of the scoreboard.
        slot: u32,
        /// Why, and what to do.
        reason: String,
    },
    /// A worker exists; it will speak on its own control socket.
    Forked {
        /// Slot of the scoreboard.
        slot: u32,
        /// Its process, a child of the supervisor.
        pid: i32,
    },
    /// Files of modules that were loaded, with `reload.py-autoreload` only: as many messages as it takes, before
    /// `Ready`.
    Modules(Vec<PathBuf>),
    /// The application is loaded (or lazy), workers may be asked for.
    Ready {
        /// Version and path of the interpreter.
        python: String,
    },
    /// The interpreter is none that hostler can use; said by the few lines that load the extension.
    Unsupported {
        /// One line: what it is, and what is needed.
        reason: String,
    },
}

/// Why an application cannot be loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadFailure {
    /// One line.
    pub reason: String,
    /// Python's traceback, empty when there is none.
    pub traceback: String,
}

/// Supervisor to worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToWorker {
    /// Stop accepting, finish what runs, end. The end of the socket says the same.
    Drain,
    /// The requests of these threads are past their deadline: answer their clients for them if nothing was sent yet,
    /// raise an exception in the threads, and drain.
    Harakiri {
        /// Numbers of the threads, as in the scoreboard.
        threads: Vec<u32>,
    },
    /// These files and sockets for the log were opened anew. Descriptors: one for each.
    Log(Vec<LogTarget>),
}

/// Worker to supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromWorker {
    /// It accepts no more connections.
    Draining,
    /// Memory has run out (`limits.limit-as`): it serves on, but should be replaced. Said once.
    Exhausted,
    /// The application cannot be loaded in this worker (`lazy-apps`).
    Failed(LoadFailure),
    /// Files of modules that were loaded since the fork or the last such message, with `reload.py-autoreload` only.
    Modules(Vec<PathBuf>),
    /// The application has raised an exception (`workers.reload-on-exception`): it serves on, but should be replaced.
    /// Said once.
    Raised,
    /// It accepts connections.
    Ready,
    /// It has woken up, as it was asked to tell, at this time of the scoreboard's clock.
    Rung {
        /// In microseconds.
        at_us: u64,
    },
}
