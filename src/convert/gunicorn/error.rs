//! Why a configuration of gunicorn cannot be read.

use std::{io, path::PathBuf, time::Duration};

/// Nothing can be converted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GunicornError {
    /// The command line is not one of gunicorn.
    #[error("{source_name}: {reason}")]
    Command {
        /// The command line, or where it stands.
        source_name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The settings file raised an exception, or is no Python.
    #[error("{place}: {message}; it was run by {python}, --python names another interpreter")]
    Failed {
        /// File, and line where it is known.
        place: String,
        /// The exception.
        message: String,
        /// The interpreter.
        python: PathBuf,
        /// All of it, as Python prints it.
        traceback: String,
    },
    /// The interpreter cannot be started.
    #[error("{python}: cannot be started; --python names the interpreter that gunicorn runs with")]
    Interpreter {
        /// The interpreter.
        python: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is nothing to convert.
    #[error("there is no {path}; name the settings file, a unit, or a command line behind --")]
    Missing {
        /// Where gunicorn itself looks.
        path: PathBuf,
    },
    /// The interpreter ended without a word.
    #[error("{python}: it has said nothing of the settings in {path}; {reason}")]
    Silent {
        /// The interpreter.
        python: PathBuf,
        /// The settings file.
        path: PathBuf,
        /// How it ended.
        reason: String,
    },
    /// It takes too long.
    #[error("{path}: running it takes longer than {} seconds", .limit.as_secs())]
    TimedOut {
        /// The settings file.
        path: PathBuf,
        /// How long it may take.
        limit: Duration,
    },
    /// A unit has no line that starts gunicorn.
    #[error("{path}: no ExecStart= in it starts gunicorn")]
    Unit {
        /// The unit.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}
