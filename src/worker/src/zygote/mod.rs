//! The process that imports the application once and is forked for each worker.
//!
//! It has one thread, waits for the supervisor's messages with the interpreter lock released, and does nothing else.
//! It never serves, so it never ends the way an application expects: exit handlers (`atexit`) run in the workers at
//! their clean end, here they do not. What a worker does after the fork is in `worker`.

pub(crate) use interpreter::{flush_output, freeze};

mod fork;
mod interpreter;
mod threads;

use std::os::fd::OwnedFd;

use hostler::{
    affinity::Spread,
    ipc::{Channel, FromZygote, IpcError, LoadFailure, Start, ToZygote},
    journal::{self, Gathered, Identity, JournalError, Role},
    scoreboard::{Scoreboard, ScoreboardError},
    serve::Handover,
    sys::{self, PrivilegeError},
    tls::TlsError,
};
use pyo3::prelude::*;
use rustix::{
    fs::Mode,
    process::{Pid, Signal, getppid, set_parent_process_death_signal},
};

use crate::{
    app::{self, Applications},
    control::follow_log,
    green,
    https::Https,
    limits,
    loaded::Loaded,
    module, worker,
};

use self::fork::Side;

/// Why a zygote cannot start or go on. That an application cannot be loaded is not among it: that is an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ZygoteError {
    /// The kernel takes no death signal.
    #[error("cannot tie the process to the supervisor")]
    DeathSignal(#[source] std::io::Error),
    /// The number of descriptors does not fit the message.
    #[error("the first message came with {count} descriptors instead of {expected}")]
    Descriptors {
        /// How many came.
        count: usize,
        /// One for the scoreboard, one for the log and one for each of its files, one if its lines are gathered, two for HTTPS,
        /// one for each listener.
        expected: usize,
    },
    /// There is no first message.
    #[error("the supervisor went away before it said what to load")]
    Gone,
    /// The log.
    #[error("cannot set up the log")]
    Journal(#[from] JournalError),
    /// The memory for lines of the log.
    #[error("cannot map the memory in which lines of the log are gathered")]
    Lines(#[source] std::io::Error),
    /// Signal handlers cannot be installed.
    #[error("cannot set up signals")]
    Signals(#[source] std::io::Error),
    /// A worker could not be spoken with.
    #[error("a request to fork came without the descriptors of the worker")]
    NoEnds,
    /// The first message is something else, or it came again.
    #[error("the message to start with did not come first, or came twice")]
    NotStart,
    /// The channel.
    #[error("cannot talk to the supervisor")]
    Ipc(#[from] IpcError),
    /// The scoreboard.
    #[error("cannot use the scoreboard")]
    Scoreboard(#[from] ScoreboardError),
    /// What HTTPS needs.
    #[error("cannot take over what HTTPS needs")]
    Tls(#[from] TlsError),
    /// The program was updated and the extension was not, or the other way round.
    #[error(
        "this is the extension of hostler {ours}, started by hostler {theirs}: install both from one release"
    )]
    Version {
        /// Of the extension.
        ours: &'static str,
        /// Of the supervisor.
        theirs: String,
    },
}

/// What a zygote has and its workers inherit.
pub(crate) struct Zygote {
    pub(crate) start: Start,
    pub(crate) scoreboard: Scoreboard,
    /// Where workers gather lines for log files; `None`: they do not.
    pub(crate) gathered: Option<Gathered>,
    pub(crate) listeners: Vec<OwnedFd>,
    /// The way between the workers.
    pub(crate) handover: Option<Handover>,
    /// `None` without a listener for it.
    pub(crate) https: Option<Https>,
    /// `None` with `lazy-apps`.
    pub(crate) applications: Option<Applications>,
    /// To the supervisor; the zygote's alone.
    pub(crate) channel: Channel,
    /// The supervisor; `None`: it is in no namespace of ours.
    pub(crate) supervisor: Option<Pid>,
    /// Files of modules that the supervisor was told of.
    pub(crate) loaded: Loaded,
    spread: Spread,
    has_warned_of_threads: bool,
}

/// What the first message brings.
struct SetUp {
    start: Start,
    scoreboard: Scoreboard,
    gathered: Option<Gathered>,
    https: Option<Https>,
    listeners: Vec<OwnedFd>,
}

/// What a new worker has in common with the supervisor.
pub(crate) struct Ends {
    /// For messages.
    pub(crate) control: Channel,
    /// A pipe for the stacks of its threads.
    pub(crate) stacks: OwnedFd,
    /// A pipe for what is written to its descriptors 1 and 2.
    pub(crate) output: OwnedFd,
}

/// The whole life of a zygote, and in the processes that it makes the whole life of a worker: gives the exit code of
/// whichever this process has become. The caller ends it without any clean-up. An error is what happened before there
/// was a log; with it comes the channel, on which the caller tells it.
pub(crate) fn run(py: Python<'_>, channel: Channel) -> Result<i32, (ZygoteError, Channel)> {
    let mut zygote = Zygote::new(channel)?;
    let answer = match zygote.load(py) {
        Ok(python) => FromZygote::Ready { python },
        Err(failure) => FromZygote::Failed(failure),
    };
    if let Err(error) = zygote.channel.send(&answer, &[]) {
        return Ok(fatal(&error));
    }
    match answer {
        FromZygote::Ready { .. } => Ok(zygote.serve(py)),
        _ => Ok(1),
    }
}

/// The signals that the supervisor alone answers: Ctrl-C and a hang-up reach every process of a terminal, and a service
/// manager may send SIGTERM to all. Called again after every import, because applications install handlers of their
/// own, which would now stop a process that they do not know of.
pub(crate) fn leave_signals_to_supervisor() -> std::io::Result<()> {
    sys::ignore_by_handler(&[Signal::INT, Signal::TERM, Signal::HUP])
}

/// The way between the workers of a site that answers some requests without its application. With greenlets nobody stands
/// by, and a worker that has no place for one more request accepts nothing.
fn handover(start: &Start) -> Option<Handover> {
    let settings = &start.settings;
    let stands_by = settings.answers_alone() && !settings.workers.is_green();
    let made = stands_by.then(Handover::new);
    match made.transpose() {
        Ok(handover) => handover,
        Err(error) => {
            tracing::warn!(%error, "a request waits for the worker that has accepted it, although others may have time");
            None
        }
    }
}

impl Zygote {
    /// The zygote, or why there is none, and the channel on which the supervisor may be told of it.
    fn new(channel: Channel) -> Result<Self, (ZygoteError, Channel)> {
        match Self::set_up(&channel) {
            Ok(found) => Ok(Self {
                handover: handover(&found.start),
                start: found.start,
                scoreboard: found.scoreboard,
                gathered: found.gathered,
                listeners: found.listeners,
                https: found.https,
                applications: None,
                channel,
                supervisor: getppid(),
                loaded: Loaded::default(),
                spread: Spread::default(),
                has_warned_of_threads: false,
            }),
            Err(error) => Err((error, channel)),
        }
    }

    /// Waits for the first message and sets up all that does not concern Python.
    fn set_up(channel: &Channel) -> Result<SetUp, ZygoteError> {
        leave_signals_to_supervisor().map_err(ZygoteError::Signals)?;
        // These would kill, and a service manager may send them to all processes when the supervisor is meant. Set
        // before the application is imported, which may have a use for them.
        sys::ignore_by_handler(&[Signal::USR1, Signal::USR2]).map_err(ZygoteError::Signals)?;
        // An import that hangs does not see that the channel has ended. Workers do not inherit this.
        set_parent_process_death_signal(Some(Signal::KILL))
            .map_err(|errno| ZygoteError::DeathSignal(errno.into()))?;
        let (message, mut fds) = channel.recv()?.ok_or(ZygoteError::Gone)?;
        let ToZygote::Start(start) = message else {
            return Err(ZygoteError::NotStart);
        };
        let ours = env!("CARGO_PKG_VERSION");
        if start.version != ours {
            return Err(ZygoteError::Version {
                ours,
                theirs: start.version,
            });
        }
        let of_https = if start.https { 2 } else { 0 };
        let of_log = start.log_files.len() + usize::from(start.gathers);
        let expected = 2 + of_log + of_https + start.listeners.len();
        if fds.len() != expected {
            return Err(ZygoteError::Descriptors {
                count: fds.len(),
                expected,
            });
        }
        let listeners = fds.split_off(2 + of_log + of_https);
        let mut fds = fds.into_iter();
        let (Some(scoreboard), stderr) = (fds.next(), fds.next()) else {
            return Err(ZygoteError::Descriptors { count: 0, expected });
        };
        let scoreboard = Scoreboard::open(scoreboard)?;
        let log_files = start.log_files.iter().cloned();
        let log_files = log_files.zip(fds.by_ref()).collect();
        journal::init(
            &start.settings.log,
            Identity {
                site: start.site.clone(),
                role: Role::Zygote,
            },
            stderr,
            log_files,
        )?;
        let threads = start.settings.workers.threads;
        let gathered = fds.by_ref().take(usize::from(start.gathers)).next();
        let gathered = gathered.map(|fd| Gathered::open(fd, threads)).transpose();
        let https = match (fds.next(), fds.next()) {
            (Some(material), Some(keys)) => Some(Https::open(material, keys)?),
            _ => None,
        };
        Ok(SetUp {
            start: *start,
            scoreboard,
            gathered: gathered.map_err(ZygoteError::Lines)?,
            https,
            listeners,
        })
    }

    /// Makes the interpreter ready and imports the application; gives the interpreter's name.
    fn load(&mut self, py: Python<'_>) -> Result<String, LoadFailure> {
        let app = &self.start.settings.app;
        let _ = rustix::thread::set_name(c"hostler-zygote");
        sys::drop_privileges().map_err(no_privileges)?;
        if !self.start.settings.limits.dumpable {
            sys::forbid_dumps().map_err(no_privileges)?;
        }
        if let Some(umask) = self.start.settings.service.umask {
            rustix::process::umask(Mode::from_raw_mode(umask.0));
        }
        self.spread =
            Spread::new(self.start.settings.workers.cpu_affinity).map_err(no_processors)?;
        interpreter::prepare(py, app)?;
        module::install(py).map_err(|error| failed(py, "making the module hostler", &error))?;
        green::prepare(py, &self.start.settings)?;
        limits::prepare(py, &self.start.settings.limits);
        crate::threads::prepare(py, &self.start.settings.workers);
        app::import_all(py, &app.preload, "app.preload")?;
        if !app.lazy_apps {
            self.applications = Some(Applications::load(py, &self.start.settings)?);
            module::add_setting(py, app)?;
            leave_signals_to_supervisor().map_err(no_signals)?;
        }
        if self.start.settings.reload.py_autoreload {
            self.tell_files(py)
                .map_err(|error| failed(py, "listing the modules", &error))?;
        }
        freeze(py).map_err(|error| failed(py, "gc.freeze()", &error))?;
        Ok(interpreter::describe(py))
    }

    fn tell_files(&mut self, py: Python<'_>) -> PyResult<()> {
        for files in self.loaded.news(py)? {
            if let Err(error) = self.channel.send(&FromZygote::Modules(files), &[]) {
                tracing::warn!(error = %crate::chain(&error), "the supervisor cannot be told of modules");
            }
        }
        Ok(())
    }

    /// What a new worker does before it has threads. It serves without it too.
    fn bind(&self, group: usize) {
        if let Err(error) = self.spread.bind(group) {
            tracing::warn!(%error, "a worker cannot be bound to its processors (workers.cpu-affinity)");
        }
    }

    /// Answers the supervisor until it says stop or is gone, then exit code 0. In a worker: the worker's exit code.
    fn serve(mut self, py: Python<'_>) -> i32 {
        loop {
            let (slot, fds) = match py.detach(|| self.channel.recv::<ToZygote>()) {
                Ok(None | Some((ToZygote::Stop, _))) => return 0,
                Ok(Some((ToZygote::Fork { slot }, fds))) => (slot, fds),
                Ok(Some((ToZygote::Log(targets), fds))) => {
                    follow_log(&targets, &fds);
                    continue;
                }
                Ok(Some((ToZygote::Start(_), _))) => return fatal(&ZygoteError::NotStart),
                Err(error) => return fatal(&error),
            };
            let mut fds = fds.into_iter();
            let (Some(control), Some(stacks), Some(output)) = (fds.next(), fds.next(), fds.next())
            else {
                return fatal(&ZygoteError::NoEnds);
            };
            let ends = Ends {
                control: Channel::from_fd(control),
                stacks,
                output,
            };
            let group = self.spread.choose();
            let answer = match self.fork(py) {
                Ok(Side::Worker) => {
                    self.bind(group);
                    return worker::run(py, self, slot, ends);
                }
                Ok(Side::Zygote(pid)) => {
                    self.spread.note(pid, group);
                    FromZygote::Forked { slot, pid }
                }
                Err(reason) => FromZygote::ForkRefused { slot, reason },
            };
            if let Err(error) = self.channel.send(&answer, &[]) {
                return fatal(&error);
            }
        }
    }
}

fn no_processors(error: std::io::Error) -> LoadFailure {
    app::failure(format!(
        "cannot tell which processors there are (workers.cpu-affinity): {error}"
    ))
}

/// The end of a zygote that cannot go on; the supervisor sees it and makes another.
fn fatal(error: &dyn std::error::Error) -> i32 {
    tracing::error!(error = %crate::chain(error), "the zygote cannot go on");
    1
}

fn failed(py: Python<'_>, doing: &str, error: &PyErr) -> LoadFailure {
    app::failure_of(py, doing, error)
}

fn no_privileges(error: PrivilegeError) -> LoadFailure {
    app::failure(crate::chain(&error))
}

fn no_signals(error: std::io::Error) -> LoadFailure {
    app::failure(format!("cannot set up signals: {error}"))
}
