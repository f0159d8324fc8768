//! What people are told: the words between the rules and the log.

use std::{fmt, time::Duration};

use crate::{ipc::LoadFailure, supervisor::succession::Accession};

use super::{Cause, Running};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(formatter, "exit code {code}"),
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(formatter, "killed by {name}"),
                None => write!(formatter, "killed by signal {signal}"),
            },
        }
    }
}

/// Those that processes die of in practice (signal(7)).
fn signal_name(signal: i32) -> Option<&'static str> {
    let names = [
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGSYS, "SIGSYS"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGXCPU, "SIGXCPU"),
    ];
    names
        .iter()
        .find(|(number, _)| *number == signal)
        .map(|(_, name)| *name)
}

/// A worker as people know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WorkerTag {
    /// Slot of the scoreboard.
    pub(crate) slot: u32,
    /// The load that it comes from.
    pub(crate) generation: u32,
    /// Its process, 0 when it has never been told.
    pub(crate) pid: i32,
}

/// Why a worker is replaced that serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Bytes of address space, and the limit.
    AddressSpace { bytes: u64, limit: u64 },
    /// Somebody wants it.
    Asked,
    /// The application was refused memory in it.
    Exhausted,
    /// It has lived so long.
    Lifetime { age: Duration, limit: Duration },
    /// The application has raised an exception in it.
    Raised,
    /// It has answered so many.
    Requests { count: u64, limit: u64 },
    /// Bytes of resident memory, and the limit.
    Rss { bytes: u64, limit: u64 },
    /// There is not enough to do.
    Surplus,
}

impl Reason {
    /// As it is counted.
    pub(super) fn cause(self) -> Cause {
        match self {
            Self::AddressSpace { .. } | Self::Exhausted | Self::Rss { .. } => Cause::Memory,
            Self::Asked | Self::Raised => Cause::Asked,
            Self::Lifetime { .. } => Cause::Lifetime,
            Self::Requests { .. } => Cause::Requests,
            Self::Surplus => Cause::Surplus,
        }
    }
}

/// Something that people want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// Processes die as soon as they start; the next one is made after this time.
    BackingOff { generation: u32, delay: Duration },
    /// There is a new number of workers to come to.
    Adapting { from: u32, to: u32 },
    /// A worker took so much memory that it was killed at once.
    EvilReload {
        worker: WorkerTag,
        rss: u64,
        limit: u64,
    },
    /// Requests of a worker are past their deadline.
    Harakiri {
        worker: WorkerTag,
        requests: Vec<Running>,
    },
    /// A worker with such a request is gone.
    HarakiriEnded {
        worker: WorkerTag,
        status: ExitStatus,
        killed: bool,
    },
    /// There was nothing to do for so long; the service manager starts us again when there is.
    Idle { idle: Duration },
    /// The zygote does not fork.
    ForkRefused { slot: u32, reason: String },
    /// The supervisor that is to take over cannot begin.
    HeirFailed(LoadFailure),
    /// Every worker of a supervisor that has given way is gone; so many were killed.
    Left { killed: u32 },
    /// The application cannot be loaded.
    LoadFailed(LoadFailure),
    /// The application was not loaded in time.
    LoadTimedOut { generation: u32, limit: Duration },
    /// The application is loaded.
    Loaded { generation: u32, python: String },
    /// Memory is short, and an idle worker goes.
    MemoryPressure { from: u32, to: u32 },
    /// A worker goes because its successor serves.
    Recycled { worker: WorkerTag, reason: Reason },
    /// The new generation has not come up, the old one serves on.
    ReloadFailed { reason: String },
    /// The new generation serves alone.
    Reloaded { generation: u32, workers: u32 },
    /// A reload begins.
    Reloading,
    /// The first generation serves.
    Serving { generation: u32, workers: u32 },
    /// Every thread of every worker has been busy for so long, and nothing was answered.
    Stuck { time: Duration },
    /// What one of them is busy with.
    StuckWorker {
        worker: WorkerTag,
        requests: Vec<Running>,
    },
    /// The service could not start; why, another report has told as well.
    StartFailed { reason: String },
    /// The service has ended; so many workers were killed.
    Stopped { killed: u32 },
    /// The service ends, with this much time for running requests.
    Stopping { workers: u32, mercy: Duration },
    /// Another supervisor has taken over, and nobody new gets an answer from here.
    Succeeded(Accession),
    /// The interpreter is none that hostler can use.
    Unsupported(String),
    /// A worker died that was not asked to.
    WorkerDied {
        worker: WorkerTag,
        status: ExitStatus,
        serving: bool,
    },
    /// A worker that was asked to go is gone.
    WorkerEnded {
        worker: WorkerTag,
        status: ExitStatus,
    },
    /// A worker has not gone in the time that it had, and was killed.
    WorkerKilled { worker: WorkerTag },
    /// A worker has not begun to serve in time, and was killed.
    WorkerStartTimedOut { worker: WorkerTag, limit: Duration },
    /// A worker has stopped accepting by itself.
    WorkerLeaves { worker: WorkerTag },
    /// A signal has stopped a worker; it may go on later.
    WorkerStopped { worker: WorkerTag },
    /// A worker that was stopped goes on.
    WorkerContinued { worker: WorkerTag },
    /// A worker accepts connections.
    WorkerServing { worker: WorkerTag },
    /// The zygote died that was not asked to.
    ZygoteDied { generation: u32, status: ExitStatus },
    /// The zygote could not be started.
    ZygoteNotStarted { reason: String },
}
