//! The process that imports the application once and is forked for each worker.
//!
//! It has one thread, waits for the supervisor's messages with the interpreter lock released, and does nothing else.
//! It never serves, so it never ends the way an application expects: exit handlers (`atexit`) run in the workers at
//! their clean end, here they do not. What a worker does after the fork is in `worker`.

pub(crate) use interpreter::flush_output;

mod fork;
mod interpreter;
mod threads;

use std::os::fd::OwnedFd;

use hostler::{
    ipc::{Channel, FromZygote, IpcError, LoadFailure, Start, ToZygote},
    journal::{self, Identity, JournalError, Role},
    scoreboard::{Scoreboard, ScoreboardError},
    sys::{self, PrivilegeError},
};
use pyo3::prelude::*;
use rustix::process::Signal;

use crate::{app, worker};

/// Why a process cannot even begin to be a zygote. Only what happens before there is a log and a supervisor that
/// listens is told in this way.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The number of descriptors does not fit the message.
    #[error("the first message came with {count} descriptors instead of {expected}")]
    Descriptors {
        /// How many came.
        count: usize,
        /// One for the scoreboard, one for each listener.
        expected: usize,
    },
    /// There is no first message.
    #[error("the supervisor went away before it said what to load")]
    Gone,
    /// The log.
    #[error("cannot set up the log")]
    Journal(#[from] JournalError),
    /// Signal handlers cannot be installed.
    #[error("cannot set up signals")]
    Signals(#[source] std::io::Error),
    /// The first message is something else.
    #[error("the first message is not the one to start with")]
    NotStart,
    /// The channel.
    #[error("cannot talk to the supervisor")]
    Ipc(#[from] IpcError),
    /// The scoreboard.
    #[error("cannot use the scoreboard")]
    Scoreboard(#[from] ScoreboardError),
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
    pub(crate) listeners: Vec<OwnedFd>,
    /// `None` with `lazy-apps`.
    pub(crate) application: Option<Py<PyAny>>,
    channel: Channel,
    has_warned_of_threads: bool,
}

/// The whole life of a zygote, and in the processes that it makes the whole life of a worker: gives the exit code of
/// whichever this process has become. The caller ends it without any clean-up.
pub(crate) fn run(py: Python<'_>, channel: Channel) -> Result<i32, StartError> {
    let mut zygote = Zygote::new(channel)?;
    let answer = match zygote.load(py) {
        Ok(python) => FromZygote::Ready { python },
        Err(failure) => FromZygote::Failed(failure),
    };
    zygote.channel.send(&answer, &[])?;
    Ok(if matches!(answer, FromZygote::Ready { .. }) {
        zygote.serve(py)
    } else {
        1
    })
}

impl Zygote {
    /// Waits for the first message and sets up all that does not concern Python.
    fn new(channel: Channel) -> Result<Self, StartError> {
        // Ctrl-C and a hang-up reach every process of a terminal, and a service manager may send SIGTERM to all; the
        // supervisor alone decides what follows. SIGTERM and SIGINT of a worker are its own affair (`worker`).
        sys::ignore_by_handler(&[Signal::INT, Signal::TERM, Signal::HUP])
            .map_err(StartError::Signals)?;
        let (message, mut fds) = channel.recv()?.ok_or(StartError::Gone)?;
        let ToZygote::Start(start) = message else {
            return Err(StartError::NotStart);
        };
        let ours = env!("CARGO_PKG_VERSION");
        if start.version != ours {
            return Err(StartError::Version {
                ours,
                theirs: start.version,
            });
        }
        let expected = 1 + start.listeners.len();
        if fds.len() != expected {
            return Err(StartError::Descriptors {
                count: fds.len(),
                expected,
            });
        }
        let listeners = fds.split_off(1);
        let scoreboard = Scoreboard::open(fds.remove(0))?;
        journal::init(
            &start.settings.log,
            Identity {
                site: start.site.clone(),
                role: Role::Zygote,
            },
        )?;
        let start = *start;
        Ok(Self {
            start,
            scoreboard,
            listeners,
            application: None,
            channel,
            has_warned_of_threads: false,
        })
    }

    /// Makes the interpreter ready and imports the application; gives the interpreter's name.
    fn load(&mut self, py: Python<'_>) -> Result<String, LoadFailure> {
        let app = &self.start.settings.app;
        let _ = rustix::thread::set_name(c"hostler-zygote");
        sys::drop_privileges().map_err(no_privileges)?;
        interpreter::prepare(py, app)?;
        if !app.lazy_apps {
            self.application = Some(app::load(py, app)?);
        }
        interpreter::freeze(py).map_err(|error| app::failure_of(py, "gc.freeze()", &error))?;
        Ok(interpreter::describe(py))
    }

    /// Answers the supervisor until it says stop or is gone, then exit code 0. In a worker: the worker's exit code.
    fn serve(mut self, py: Python<'_>) -> i32 {
        loop {
            match py.detach(|| self.channel.recv::<ToZygote>()) {
                Ok(None | Some((ToZygote::Stop, _))) => return 0,
                Ok(Some((ToZygote::Fork { slot }, mut fds))) => {
                    let answer = match fds.pop() {
                        None => self.refuse(
                            slot,
                            "the request to fork came without a control socket".into(),
                        ),
                        Some(control) => match self.fork(py, slot) {
                            Ok(fork::Side::Worker) => {
                                return worker::run(py, self, slot, Channel::from_fd(control));
                            }
                            Ok(fork::Side::Zygote) => Ok(()),
                            Err(reason) => self.refuse(slot, reason),
                        },
                    };
                    if let Err(error) = answer {
                        return fatal(&error);
                    }
                }
                Ok(Some((ToZygote::Start(_), _))) => return fatal(&StartError::NotStart),
                Err(error) => return fatal(&error),
            }
        }
    }

    fn refuse(&self, slot: u32, reason: String) -> Result<(), IpcError> {
        self.channel
            .send(&FromZygote::ForkRefused { slot, reason }, &[])
    }
}

/// The end of a zygote that cannot go on; the supervisor sees it and makes another.
fn fatal(error: &dyn std::error::Error) -> i32 {
    tracing::error!(error = %crate::chain(error), "the zygote cannot go on");
    1
}

fn no_privileges(error: PrivilegeError) -> LoadFailure {
    app::failure(crate::chain(&error))
}
