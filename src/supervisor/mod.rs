//! The life of zygote and workers.
//!
//! `lifecycle` decides, `children` remembers who there is, `run` waits and acts. A generation is one (re)load of the
//! settings; what belongs to it is in `generation`, how its interpreter is found and started in `interpreter` and
//! `spawn`. The supervisor loads no application code and parses no request.

mod account;
mod cheaper;
mod children;
pub(crate) mod control;
mod dumps;
mod generation;
mod https;
mod interpreter;
mod lifecycle;
mod log;
mod look;
mod memory;
mod metrics;
mod output;
mod perform;
mod pressure;
mod reap;
mod report;
mod run;
mod side;
mod sources;
mod spawn;
mod stacks;
mod stats;
mod succession;
mod trial;
mod watch;

use std::{io, os::fd::OwnedFd};

use tokio::io::{Interest, unix::AsyncFd};

use crate::{config::Settings, journal::LogFiles, listener::Listeners};

pub(crate) use account::{AccountError, find as account_of};
pub(crate) use https::Https;
pub(crate) use interpreter::{Interpreter, InterpreterError};
pub(crate) use metrics::{MetricsError, bind as bind_metrics};
pub(crate) use run::run;
pub(crate) use stats::{StatsError, bind as bind_stats};
pub(crate) use succession::{Predecessor, SuccessionError};
pub(crate) use trial::{TrialError, try_application};

/// Reads the settings again; the error is one line.
pub(crate) type Reread = Box<dyn Fn() -> Result<Settings, String>>;

/// What is to be served, and how a reload finds out what that is by then.
pub(crate) struct Site {
    /// For the log.
    pub(crate) name: String,
    /// Its settings file, absolute, as far as it is text; none for settings from the command line.
    pub(crate) file: Option<String>,
    /// Of the first generation.
    pub(crate) settings: Settings,
    /// Of the first generation.
    pub(crate) listeners: Listeners,
    /// Those of `[stats]`, of the first generation.
    pub(crate) stats: Listeners,
    /// Those of `[metrics]`, of the first generation.
    pub(crate) metrics: Listeners,
    /// Of the first generation.
    pub(crate) https: Https,
    /// Of the first generation.
    pub(crate) interpreter: Interpreter,
    /// Of the first generation; they stay.
    pub(crate) log_files: LogFiles,
    /// The supervisor that this one is to take over from.
    pub(crate) predecessor: Option<Predecessor>,
    /// Where later generations come from.
    pub(crate) reread: Reread,
}

/// Why there is no supervisor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SupervisorError {
    /// The loop that waits cannot be set up.
    #[error("cannot {operation}")]
    Setup {
        /// What failed.
        operation: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
}

fn setup(operation: &'static str) -> impl Fn(io::Error) -> SupervisorError {
    move |source| SupervisorError::Setup { operation, source }
}

/// A descriptor that the loop can wait for.
fn readable(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    ready_for(fd, Interest::READABLE)
}

/// A descriptor that the loop can wait for something else of.
fn ready_for(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    #[expect(
        deprecated,
        reason = "its successor is unsafe because of types that change their descriptor; an OwnedFd does not"
    )]
    AsyncFd::with_interest(fd, interest)
}
