//! Why a command could not do what it was asked to do.

use std::{io, path::PathBuf};

use crate::{
    compare::CompareError,
    config::{ConfigError, Problem},
    convert::{gunicorn::GunicornError, uwsgi::ReadError},
    journal::JournalError,
    listener::ListenError,
    supervisor::{InterpreterError, MetricsError, StatsError, SuccessionError, SupervisorError},
    systemd::units::UnitsError,
    tls::TlsError,
    top::TopError,
};

use super::{client::ClientError, exit::Exit};

/// Joins the errors of the rooms; each tells its own level, and `output::tell` prints the chain.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// A running site cannot be spoken with.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Nothing can be compared.
    #[error(transparent)]
    Compare(#[from] CompareError),
    /// The settings file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A running site has tried, and it did not succeed.
    #[error("{reason}")]
    Failed {
        /// One line.
        reason: String,
    },
    /// A configuration of gunicorn cannot be read.
    #[error(transparent)]
    Gunicorn(#[from] GunicornError),
    /// Standard input cannot be read.
    #[error("cannot read standard input")]
    Input(#[source] io::Error),
    /// The site's Python cannot be used.
    #[error(transparent)]
    Interpreter(#[from] InterpreterError),
    /// A status, a report or the schema cannot be written as JSON.
    #[error("cannot write JSON")]
    Json(#[source] serde_json::Error),
    /// There is no log.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The service cannot listen where it should.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The metrics cannot be given out where they should.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The stats cannot be given out where they should.
    #[error(transparent)]
    Stats(#[from] StatsError),
    /// A running site does not do that.
    #[error("{reason}")]
    Refused {
        /// One line.
        reason: String,
    },
    /// There is nothing to draw upon.
    #[error(
        "standard output is no terminal that can be drawn upon; --once prints a table, --json prints documents"
    )]
    NoTerminal,
    /// Standard output does not take what was asked for.
    #[error("cannot write to standard output")]
    Output(#[source] io::Error),
    /// What the command line of `run` says does not go together.
    #[error(transparent)]
    Run(#[from] Problem),
    /// The settings cannot be written as TOML.
    #[error("cannot show the settings")]
    Show(#[source] toml::ser::Error),
    /// There is no supervisor to follow.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// There is no supervisor.
    #[error(transparent)]
    Supervisor(#[from] SupervisorError),
    /// A certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The view of all sites cannot be shown.
    #[error(transparent)]
    Top(#[from] TopError),
    /// None of the sites that run can be asked.
    #[error("no site gives an answer: {reasons}")]
    Unanswered {
        /// Of each of them, in one line.
        reasons: String,
    },
    /// Units cannot be made.
    #[error(transparent)]
    Units(#[from] UnitsError),
    /// The command line makes no sense.
    #[error("{message}; try 'hostler --help'")]
    Usage {
        /// What is wrong with it, in one line.
        message: String,
    },
    /// The file that was to be written is not.
    #[error("{path}: cannot be written{}", hint(.source))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A configuration of uWSGI cannot be read.
    #[error(transparent)]
    Uwsgi(#[from] ReadError),
    /// There is no working directory to start from.
    #[error("cannot tell the working directory")]
    WorkingDirectory(#[source] io::Error),
}

impl CliError {
    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Config(_) | Self::Interpreter(_) | Self::Tls(_) => Exit::Config,
            Self::Client(_)
            | Self::Failed { .. }
            | Self::Refused { .. }
            | Self::Json(_)
            | Self::Journal(_)
            | Self::Listen(_)
            | Self::Metrics(_)
            | Self::Stats(_)
            | Self::NoTerminal
            | Self::Output(_)
            | Self::Show(_)
            | Self::Succession(_)
            | Self::Supervisor(_)
            | Self::Gunicorn(_)
            | Self::Input(_)
            | Self::Top(_)
            | Self::Unanswered { .. }
            | Self::Uwsgi(_)
            | Self::Units(_)
            | Self::Write { .. }
            | Self::WorkingDirectory(_) => Exit::Failure,
            Self::Compare(_) | Self::Run(_) | Self::Usage { .. } => Exit::Usage,
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AlreadyExists => "; --force replaces it",
        _ => "",
    }
}
