//! What can happen and what can be done: the words between the rules and the loop that waits.

use std::{fmt, time::Duration};

use crate::{config::Settings, ipc::LoadFailure};

/// Time since the supervisor started.
pub(crate) type Time = Duration;

/// Names a zygote for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ZygoteId(pub(crate) u32);

/// Names a worker for ever; a later one has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkerId(pub(crate) u64);

/// What the rules need to know of a generation's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// How many workers are to serve.
    pub(crate) processes: u32,
    /// How many slots its scoreboard has.
    pub(crate) slots: u32,
    /// `timeouts.start`
    pub(crate) start: Duration,
    /// `timeouts.reload-mercy`
    pub(crate) reload_mercy: Duration,
    /// `timeouts.worker-reload-mercy`
    pub(crate) worker_reload_mercy: Duration,
}

impl From<&Settings> for Plan {
    /// Twice as many slots as workers: each may be draining while its successor serves.
    fn from(settings: &Settings) -> Self {
        Self {
            processes: settings.workers.processes,
            slots: settings.workers.processes.saturating_mul(2),
            start: settings.timeouts.start.0,
            reload_mercy: settings.timeouts.reload_mercy.0,
            worker_reload_mercy: settings.timeouts.worker_reload_mercy.0,
        }
    }
}

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

/// Which signal asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StopSignal {
    /// SIGINT, a person at a terminal: the second one means at once.
    Interrupt,
    /// SIGTERM, the service manager, which has SIGKILL when it loses patience.
    Terminate,
}

/// Something has happened.
#[derive(Debug)]
pub(crate) enum Event {
    /// No process holds the other end of a worker's control socket any more.
    ControlClosed(WorkerId),
    /// A child was reaped.
    Exited { pid: i32, status: ExitStatus },
    /// A zygote has not made the worker for this slot.
    ForkRefused {
        zygote: ZygoteId,
        slot: u32,
        reason: String,
    },
    /// A zygote has made the worker for this slot.
    Forked {
        zygote: ZygoteId,
        slot: u32,
        pid: i32,
    },
    /// The application cannot be loaded.
    LoadFailed {
        zygote: ZygoteId,
        failure: LoadFailure,
    },
    /// The application is loaded.
    Loaded { zygote: ZygoteId, python: String },
    /// Somebody wants workers to be replaced: the one of this slot of the current generation, or all of them.
    RecycleRequested { slot: Option<u32> },
    /// SIGHUP.
    ReloadRequested,
    /// SIGUSR1.
    ReopenRequested,
    /// The answer to [`Action::ReadSettings`]; the error is one line.
    SettingsRead(Result<Plan, String>),
    /// The answer to [`Action::Spawn`], when there is no process.
    SpawnFailed { zygote: ZygoteId, reason: String },
    /// The answer to [`Action::Spawn`].
    Spawned { zygote: ZygoteId, pid: i32 },
    /// SIGTERM or SIGINT.
    StopRequested(StopSignal),
    /// Time has passed.
    Tick,
    /// The interpreter is none that hostler can use.
    Unsupported { zygote: ZygoteId, reason: String },
    /// A worker accepts no more connections.
    WorkerDraining(WorkerId),
    /// The application cannot be loaded in this worker.
    WorkerFailed {
        worker: WorkerId,
        failure: LoadFailure,
    },
    /// A worker accepts connections; its process as the scoreboard tells it.
    WorkerReady { worker: WorkerId, pid: Option<i32> },
}

/// Something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Tell a worker to finish its requests and to go.
    Drain(WorkerId),
    /// End with this code.
    Exit(u8),
    /// Ask a zygote for a worker in this slot.
    Fork {
        zygote: ZygoteId,
        generation: u32,
        worker: WorkerId,
        slot: u32,
    },
    /// A worker is gone: close its control socket.
    ForgetWorker(WorkerId),
    /// A zygote is gone: close its socket.
    ForgetZygote(ZygoteId),
    /// Send SIGKILL to a child.
    Kill { pid: i32 },
    /// Tell the service manager.
    Notify(Notice),
    /// Read the settings again, for a new generation of this number.
    ReadSettings { generation: u32 },
    /// Tell people.
    Report(Report),
    /// Nothing of a generation is left: let go of its listeners and its scoreboard.
    Retire { generation: u32 },
    /// Start a zygote.
    Spawn { zygote: ZygoteId, generation: u32 },
    /// Tell a zygote to go.
    Stop(ZygoteId),
}

/// A word to the service manager (sd_notify(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    /// What goes on may take so long from now.
    Extend(Duration),
    /// A start or a reload has ended.
    Ready,
    /// A reload begins.
    Reloading,
    /// The end begins.
    Stopping,
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

/// Something that people want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// Processes die as soon as they start; the next one is made after this time.
    BackingOff { generation: u32, delay: Duration },
    /// The zygote does not fork.
    ForkRefused { slot: u32, reason: String },
    /// The application cannot be loaded.
    LoadFailed(LoadFailure),
    /// The application was not loaded in time.
    LoadTimedOut { generation: u32, limit: Duration },
    /// The application is loaded.
    Loaded { generation: u32, python: String },
    /// The new generation has not come up, the old one serves on.
    ReloadFailed { reason: String },
    /// The new generation serves alone.
    Reloaded { generation: u32, workers: u32 },
    /// A reload begins.
    Reloading,
    /// The first generation serves.
    Serving { workers: u32 },
    /// The service could not start; why, another report has told.
    StartFailed,
    /// The service has ended; so many workers were killed.
    Stopped { killed: u32 },
    /// The service ends, with this much time for running requests.
    Stopping { workers: u32, mercy: Duration },
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
    /// A worker accepts connections.
    WorkerServing { worker: WorkerTag },
    /// The zygote died that was not asked to.
    ZygoteDied { generation: u32, status: ExitStatus },
    /// The zygote could not be started.
    ZygoteNotStarted { reason: String },
}
