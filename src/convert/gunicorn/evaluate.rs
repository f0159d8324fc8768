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
    /// Whether it depends on the machine or its environment.
    pub(super) local: bool,
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
    if !is_module(path) {
        // A file that is not there is not the interpreter's fault.
        File::open(path).map_err(|source| GunicornError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
    }
    let mut command = Command::new(python);
    command
        .args(["-c", SCRIPT])
        .arg(path)
        .current_dir(directory)
        .envs(variables.iter().map(|(name, value)| (name, value)));
    let run = run(command, LIMIT).map_err(|source| GunicornError::Interpreter {
        python: python.to_owned(),
        source,
    })?;
    let Some((said, status)) = run else {
        return Err(GunicornError::TimedOut {
            path: path.to_owned(),
            limit: LIMIT,
        });
    };
    match serde_json::from_str(&said) {
        Ok(Said::Evaluated(evaluated)) => Ok(evaluated),
        Ok(Said::Fault { fault }) => Err(failed(python, path, fault)),
        Err(error) => Err(GunicornError::Silent {
            python: python.to_owned(),
            path: path.to_owned(),
            reason: match said.is_empty() {
                true => status.to_string(),
                false => error.to_string(),
            },
        }),
    }
}

/// Whether it is `python:module`, which the interpreter finds.
pub(super) fn is_module(path: &Path) -> bool {
    path.to_string_lossy().starts_with("python:")
}

/// Runs a command for at most so long; gives what it has said and how it has ended, `None` when it had to be ended.
fn run(mut command: Command, limit: Duration) -> io::Result<Option<(String, ExitStatus)>> {
    let mut output = tempfile::tempfile()?;
    let child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let status = wait(child, limit)?;
    let mut said = Vec::new();
    output.rewind()?;
    output.take(MAX_SAID).read_to_end(&mut said)?;
    Ok(status.map(|status| (String::from_utf8_lossy(&said).into_owned(), status)))
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

/// Waits for the end of a command, then ends what it has started; `None`: it has not ended in time.
fn wait(mut child: Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let group = Pid::from_child(&child);
    let pidfd = pidfd_open(group, PidfdFlags::empty())?;
    let deadline = Instant::now() + limit;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Option<String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, limit).unwrap().map(|(said, _)| said)
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        assert_eq!(shell("exec sleep 1000", Duration::from_millis(50)), None);
    }

    /// The output would stay open if anything waited for its end.
    #[test]
    fn what_a_command_leaves_behind_is_not_waited_for() {
        let said = shell("sleep 1000 & echo done", LIMIT);
        assert_eq!(said.as_deref(), Some("done\n"));
    }
}
