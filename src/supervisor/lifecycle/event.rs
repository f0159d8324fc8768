//! What can happen and what can be done: the words between the rules and the loop that waits.

use std::{collections::BTreeMap, time::Duration};

use rustix::process::Signal;

use crate::{ipc::LoadFailure, supervisor::succession::Accession};

use super::{ExitStatus, Plan, Report, WorkerTag};

/// Time since the supervisor started.
pub(crate) type Time = Duration;

/// Names a zygote for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ZygoteId(pub(crate) u32);

/// Names a worker for ever; a later one has a greater number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WorkerId(pub(crate) u64);

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
    /// A child that was stopped goes on (SIGCONT).
    Continued { pid: i32 },
    /// No process holds the other end of a worker's control socket any more.
    ControlClosed(WorkerId),
    /// The supervisor before this one has given way; with a reload that was asked of it and is ours to do.
    Crowned { reload: bool },
    /// A worker has written the stacks of its threads.
    Dumped(WorkerId),
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
    /// The heir has told how the reload has ended that it was given to do.
    HeirAnswered,
    /// The heir needs so much longer.
    HeirExtends(Duration),
    /// The heir cannot begin.
    HeirFailed(LoadFailure),
    /// The heir says nothing more.
    HeirGone,
    /// The heir serves.
    HeirReady(Accession),
    /// The answer to [`Action::ReadSettings`] when another program lies where this one was started from: it was started to
    /// take over; its process, if that is a child.
    HeirStarted { child: Option<i32> },
    /// The heir, which is in charge, wants everybody to have finished in this time.
    HeirStops(Duration),
    /// The application cannot be loaded.
    LoadFailed {
        zygote: ZygoteId,
        failure: LoadFailure,
    },
    /// The application is loaded.
    Loaded { zygote: ZygoteId, python: String },
    /// The answer to [`Action::Look`].
    Looked(Look),
    /// The machine, or what the service may use of it, is short of memory.
    MemoryPressure,
    /// The supervisor before this one has finished, or died.
    PredecessorGone,
    /// Somebody wants workers to be replaced: the one of this slot of the current generation, or all of them.
    RecycleRequested { slot: Option<u32> },
    /// SIGHUP.
    ReloadRequested,
    /// SIGUSR1.
    ReopenRequested,
    /// After [`Action::AskToRing`]: a worker has woken up, so long ago.
    Rung { ago: Duration },
    /// The answer to [`Action::ReadSettings`]; the error is one line.
    SettingsRead(Result<Box<Plan>, String>),
    /// The answer to [`Action::Spawn`], when there is no process; `unusable` when the settings are to blame.
    SpawnFailed {
        zygote: ZygoteId,
        reason: String,
        unusable: bool,
    },
    /// The answer to [`Action::Spawn`].
    Spawned { zygote: ZygoteId, pid: i32 },
    /// A child was stopped by a signal (SIGSTOP, for example).
    Stopped { pid: i32 },
    /// SIGTERM or SIGINT.
    StopRequested(StopSignal),
    /// Time has passed.
    Tick,
    /// The interpreter is none that hostler can use.
    Unsupported { zygote: ZygoteId, reason: String },
    /// A worker accepts no more connections.
    WorkerDraining(WorkerId),
    /// The application was refused memory in this worker.
    WorkerExhausted(WorkerId),
    /// The application cannot be loaded in this worker.
    WorkerFailed {
        worker: WorkerId,
        failure: LoadFailure,
    },
    /// The application has raised an exception in this worker, and wants no more of it.
    WorkerRaised(WorkerId),
    /// A worker accepts connections; its process as the scoreboard tells it.
    WorkerReady { worker: WorkerId, pid: Option<i32> },
}

/// What one look at the workers has shown.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Every worker that there is.
    pub(crate) workers: BTreeMap<WorkerId, Facts>,
    /// Connections that nobody has accepted yet, on all listening sockets.
    pub(crate) queue: u32,
}

/// One worker at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// Requests answered since it started.
    pub(crate) requests: u64,
    /// Time that its threads spent with the requests that are answered.
    pub(crate) busy: Duration,
    /// What it works on.
    pub(crate) running: Vec<Running>,
    /// `None` when it was not asked for, or the process is gone.
    pub(crate) memory: Option<Memory>,
}

/// A request that is being answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Running {
    /// The thread that works on it.
    pub(crate) thread: u32,
    /// When it began, in microseconds; names it among those of its thread.
    pub(crate) began_us: u64,
    /// Its name, as far as anybody has asked for it.
    pub(crate) name: String,
    /// How long it has been running.
    pub(crate) age: Duration,
    /// From its beginning to its deadline; `None`: it has none.
    pub(crate) limit: Option<Duration>,
    /// Method and target.
    pub(crate) line: String,
    /// Who asks.
    pub(crate) peer: String,
}

/// What a process takes, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    /// Resident: in memory now, pages that it shares included.
    pub(crate) rss: u64,
    /// Address space.
    pub(crate) address_space: u64,
}

/// Something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Let the heir take charge; with a reload that is its to do.
    Abdicate { reload: bool },
    /// Have the first worker that wakes up tell us.
    AskToRing,
    /// Tell a worker to finish its requests and to go.
    Drain(WorkerId),
    /// Have a worker write the stacks of its threads, whoever holds the interpreter's lock.
    Dump { worker: WorkerId, pid: i32 },
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
    /// Tell a worker which threads' requests are past their deadline; it stops accepting.
    Harakiri { worker: WorkerId, threads: Vec<u32> },
    /// Tell the supervisor before this one that everything has to be finished in this time.
    HurryPredecessor(Duration),
    /// Send SIGKILL to a child.
    Kill { pid: i32 },
    /// Write into the log that requests of a worker are slow, each with the stack of its thread; `keep`: somebody else
    /// wants the stacks as well.
    LogSlow {
        worker: WorkerId,
        tag: WorkerTag,
        requests: Vec<Running>,
        keep: bool,
    },
    /// Write what a worker has told of its stacks into the log.
    LogStacks { worker: WorkerId, tag: WorkerTag },
    /// Look at what the workers are doing, and at their memory if it is wanted.
    Look { memory: bool },
    /// Tell the service manager.
    Notify(Notice),
    /// Tell the heir that there is nothing more to say to it.
    PartWithHeir,
    /// A generation is the current one now: what its settings change beyond its own processes takes effect.
    Promote { generation: u32 },
    /// Read the settings again, for a new generation of this number; or have another program do it, if one lies where this
    /// one was started from.
    ReadSettings { generation: u32 },
    /// Open the log anew.
    ReopenLog,
    /// Tell people.
    Report(Report),
    /// Nothing of a generation is left: let go of its listeners and its scoreboard.
    Retire { generation: u32 },
    /// Send the heir a signal.
    SignalHeir(Signal),
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
    /// Nobody answers any more; the service is to be started anew.
    Hangs,
    /// A start or a reload has ended.
    Ready,
    /// A reload begins.
    Reloading,
    /// The end begins.
    Stopping,
}
