//! Runs a settings file in an interpreter: it is a program, and only running it tells what it sets.
//!
//! The file runs in a process of its own, with its own process group and a time limit. What it prints goes aside; the
//! script that runs it speaks through a descriptor that the file does not know.

use std::{
    fs::File,
    io::{self, Read, Seek},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use serde::Deserialize;
use serde_json::Value;

use super::GunicornError;

const SCRIPT: &str = include_str!("evaluate.py");

/// How long a settings file may take.
const LIMIT: Duration = Duration::from_secs(30);
/// Bytes of what the script says that are read.
const MAX_SAID: u64 = 4 << 20;

/// What a settings file has set.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Evaluated {
    /// Every public name of its module, in the order of their making.
    pub(super) settings: Vec<Assigned>,
    /// The virtual environment of the interpreter, if it is in one.
    pub(super) virtualenv: Option<PathBuf>,
}

/// A name of the module.
#[derive(Debug, Deserialize)]
pub(super) struct Assigned {
    pub(super) name: String,
    /// The last assignment in the file, from 1; `None` where it came from elsewhere.
    pub(super) line: Option<u32>,
    pub(super) value: Value,
}

/// What the script says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    Fault { fault: Fault },
    Evaluated(Evaluated),
}

#[derive(Debug, Deserialize)]
struct Fault {
    line: Option<u32>,
    message: String,
    traceback: String,
}

/// Runs `path` by `python` in `directory`, with these variables added to our own.
pub(super) fn evaluate(
    python: &Path,
    path: &Path,
    directory: &Path,
    variables: &[(String, String)],
) -> Result<Evaluated, GunicornError> {
    let cannot_start = |source| GunicornError::Interpreter {
        python: python.to_owned(),
        source,
    };
    // A file that is not there is not the interpreter's fault.
    File::open(path).map_err(|source| GunicornError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mut said = tempfile::tempfile().map_err(cannot_start)?;
    let output = said.try_clone().map_err(cannot_start)?;
    let child = Command::new(python)
        .args(["-c", SCRIPT])
        .arg(path)
        .current_dir(directory)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(cannot_start)?;
    let status = wait(child).map_err(cannot_start)?;
    let Some(status) = status else {
        return Err(GunicornError::TimedOut {
            path: path.to_owned(),
            limit: LIMIT,
        });
    };
    let mut text = String::new();
    let read = said
        .rewind()
        .and_then(|()| said.take(MAX_SAID).read_to_string(&mut text));
    read.map_err(cannot_start)?;
    match serde_json::from_str(&text) {
        Ok(Said::Evaluated(evaluated)) => Ok(evaluated),
        Ok(Said::Fault { fault }) => Err(failed(python, path, fault)),
        Err(error) => Err(GunicornError::Silent {
            python: python.to_owned(),
            path: path.to_owned(),
            reason: match text.is_empty() {
                true => status.to_string(),
                false => error.to_string(),
            },
        }),
    }
}

fn failed(python: &Path, path: &Path, fault: Fault) -> GunicornError {
    GunicornError::Failed {
        place: match fault.line {
            Some(line) => format!("{}:{line}", path.display()),
            None => path.display().to_string(),
        },
        message: fault.message,
        python: python.to_owned(),
        traceback: fault.traceback,
    }
}

/// Waits for the end of the interpreter, then ends what the file has started; `None`: it has not ended in time.
fn wait(mut child: Child) -> io::Result<Option<ExitStatus>> {
    let group = Pid::from_child(&child);
    let pidfd = pidfd_open(group, PidfdFlags::empty())?;
    let deadline = Instant::now() + LIMIT;
    let ended = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut [PollFd::new(&pidfd, PollFlags::IN)], Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => {}
            other => break other? > 0,
        }
    };
    // The child is not reaped yet, so the group is still its own. That nobody is left in it is no error.
    let _ = kill_process_group(group, Signal::KILL);
    let status = child.wait()?;
    Ok(ended.then_some(status))
}
