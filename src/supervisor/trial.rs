//! A zygote that only shows whether the application can be imported: what `hostler doctor` asks for. It is started as
//! any other, has no listeners and makes no workers. What it logs goes nowhere, since its answer says everything.

use std::{
    fs::OpenOptions,
    io,
    os::fd::{AsFd, OwnedFd},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, waitpid},
};

use crate::{
    config::{Log, LogTarget, Settings},
    ipc::{Channel, FromZygote, IpcError, LoadFailure, Start, ToZygote},
    scoreboard::Scoreboard,
};

use super::{
    Interpreter,
    spawn::{SpawnError, Surroundings, spawn},
};

/// Why it is not known that the application can be imported.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrialError {
    /// The interpreter has ended while it imported.
    #[error("the interpreter ended during the import{}", ending(*.0))]
    Ended(Option<WaitStatus>),
    /// It cannot; with the traceback.
    #[error("{}", .0.reason)]
    Failed(LoadFailure),
    /// The interpreter says something that is no answer.
    #[error("the interpreter cannot be spoken with")]
    Ipc(#[from] IpcError),
    /// There is no process to try it in.
    #[error("cannot start the interpreter")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// `timeouts.start` is over.
    #[error("the application was not imported within timeouts.start ({} s)", .0.as_secs())]
    TooSlow(Duration),
    /// It is no Python for hostler.
    #[error("{0}")]
    Unsupported(String),
}

impl From<SpawnError> for TrialError {
    fn from(error: SpawnError) -> Self {
        Self::Start(error.into())
    }
}

impl From<io::Error> for TrialError {
    fn from(error: io::Error) -> Self {
        Self::Start(error.into())
    }
}

/// The process of the trial; it is ended and reaped with the value.
struct Trial {
    process: Option<Pid>,
    channel: Channel,
}

/// Imports the application as a start of the site would, `lazy-apps` or not, and gives what the interpreter calls itself.
/// `environment` stands in place of ours.
pub(crate) fn try_application(
    site: &str,
    settings: &Settings,
    interpreter: &Interpreter,
    environment: Option<&[(String, String)]>,
) -> Result<String, TrialError> {
    let mut settings = settings.clone();
    settings.app.lazy_apps = false;
    settings.reload.py_autoreload = false;
    settings.log = Log {
        to: vec![LogTarget::Stderr],
        ..Log::default()
    };
    let null: OwnedFd = OpenOptions::new().write(true).open("/dev/null")?.into();
    let scoreboard = Scoreboard::create(1, settings.serving_threads())?;
    let (ours, theirs) = Channel::pair()?;
    let surroundings = environment.map_or(Surroundings::Ours, Surroundings::These);
    let output = null.try_clone()?;
    let pid = spawn(interpreter, &settings, &theirs, output, surroundings)?;
    drop(theirs);
    let trial = Trial {
        process: Pid::from_raw(pid),
        channel: ours,
    };
    let patience = settings.timeouts.start.0;
    let start = ToZygote::Start(Box::new(Start {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        site: site.to_owned(),
        generation: 1,
        settings,
        log_files: Vec::new(),
        listeners: Vec::new(),
        gathers: false,
        https: false,
    }));
    // A Python that hostler cannot use closes its end without reading, and its answer says why.
    match trial
        .channel
        .send(&start, &[scoreboard.as_fd(), null.as_fd()])
    {
        Ok(()) | Err(IpcError::Closed) => trial.answer(patience),
        Err(error) => Err(error.into()),
    }
}

impl Trial {
    fn answer(mut self, patience: Duration) -> Result<String, TrialError> {
        let deadline = Instant::now() + patience;
        loop {
            if !self.is_readable(deadline)? {
                return Err(TrialError::TooSlow(patience));
            }
            match self.channel.recv::<FromZygote>()? {
                Some((FromZygote::Ready { python }, _)) => return Ok(python),
                Some((FromZygote::Failed(failure), _)) => return Err(TrialError::Failed(failure)),
                Some((FromZygote::Unsupported { reason }, _)) => {
                    return Err(TrialError::Unsupported(reason));
                }
                Some(_) => {}
                None => return Err(TrialError::Ended(self.reap())),
            }
        }
    }

    /// Waits until there is something to read, or until the time is over.
    fn is_readable(&self, deadline: Instant) -> Result<bool, TrialError> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).ok();
            let mut wanted = [PollFd::new(&self.channel, PollFlags::IN)];
            match poll(&mut wanted, left.as_ref()) {
                Ok(ready) => return Ok(ready > 0),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(io::Error::from(errno).into()),
            }
        }
    }

    fn reap(&mut self) -> Option<WaitStatus> {
        let process = self.process.take()?;
        let reaped = rustix::io::retry_on_intr(|| waitpid(Some(process), WaitOptions::empty()));
        reaped.ok().flatten().map(|(_, status)| status)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            // It has imported what it had to, and nobody needs its clean end; what its exit handlers would do belongs to
            // workers.
            let _ = kill_process(process, Signal::KILL);
            self.reap();
        }
    }
}

fn ending(status: Option<WaitStatus>) -> String {
    let signal = status.and_then(WaitStatus::terminating_signal);
    let code = status.and_then(WaitStatus::exit_status);
    match (signal, code) {
        (Some(signal), _) => format!(", by signal {signal}"),
        (None, Some(code)) => format!(", with exit code {code}"),
        (None, None) => String::new(),
    }
}
