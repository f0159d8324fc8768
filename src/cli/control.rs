//! Commands to a site that runs: status, reload, stop, `worker recycle`, `worker stack`, `log reopen`.

use std::process::ExitCode;

use crate::supervisor::control::{Command, Reply};

use super::{
    arguments::{ReloadArguments, RunningSite, StatusArguments, StopArguments, WorkerArguments},
    client::{Client, ClientError},
    error::CliError,
    exit::Exit,
    output, table,
};

/// Prints what a site is doing.
///
/// # Errors
/// Nobody is there, or nobody that may be spoken with.
pub(super) fn status(arguments: &StatusArguments) -> Result<ExitCode, CliError> {
    match connect(&arguments.site)?.ask(Command::Status, true)? {
        Reply::Status(status) => {
            let text = match arguments.json {
                true => serde_json::to_string_pretty(&status).map_err(CliError::Json)? + "\n",
                false => table::of_status(&status),
            };
            output::print(&text)?;
            Ok(Exit::Success.into())
        }
        other => finish(other),
    }
}

/// Reloads, and waits for the outcome unless told not to.
///
/// # Errors
/// As [`status`]; the reload fails, and then the traceback is printed as well.
pub(super) fn reload(arguments: &ReloadArguments) -> Result<ExitCode, CliError> {
    let wait = !arguments.no_wait;
    match connect(&arguments.site)?.ask(Command::Reload { wait }, !wait)? {
        Reply::Reloaded {
            generation,
            workers,
            note,
        } => {
            let noun = if workers == 1 { "worker" } else { "workers" };
            let text = format!("reloaded: generation {generation} serves with {workers} {noun}\n");
            let note = note.map(|note| note + "\n").unwrap_or_default();
            output::print(&(text + &note))?;
            Ok(Exit::Success.into())
        }
        Reply::Failed { reason, traceback } => {
            output::tell_before(&traceback);
            let reason = format!("the reload failed, the previous generation serves on: {reason}");
            Err(CliError::Failed { reason })
        }
        other => finish(other),
    }
}

/// Stops, and waits for the end unless told not to.
///
/// # Errors
/// As [`status`].
pub(super) fn stop(arguments: &StopArguments) -> Result<ExitCode, CliError> {
    let mut client = connect(&arguments.site)?;
    let reply = client.ask(Command::Stop, true)?;
    if reply == Reply::Accepted && !arguments.no_wait {
        client.wait_for_end();
    }
    finish(reply)
}

/// Has a worker replaced.
///
/// # Errors
/// As [`status`]; there is no such worker.
pub(super) fn recycle(arguments: &WorkerArguments) -> Result<ExitCode, CliError> {
    let worker = arguments.worker;
    finish(connect(&arguments.site)?.ask(Command::Recycle { worker }, true)?)
}

/// Prints where the threads of a worker are.
///
/// # Errors
/// As [`status`]; there is no such worker, or it does not run.
pub(super) fn stack(arguments: &WorkerArguments) -> Result<ExitCode, CliError> {
    let command = Command::Stack {
        worker: arguments.worker,
        generation: None,
    };
    match connect(&arguments.site)?.ask(command, true)? {
        Reply::Stack { text } => {
            output::print(&(text + "\n"))?;
            Ok(Exit::Success.into())
        }
        other => finish(other),
    }
}

/// Has the log opened anew.
///
/// # Errors
/// As [`status`]; the log is not ours to open.
pub(super) fn reopen_log(site: &RunningSite) -> Result<ExitCode, CliError> {
    finish(connect(site)?.ask(Command::LogReopen, true)?)
}

fn connect(site: &RunningSite) -> Result<Client, ClientError> {
    Client::connect(site.site.as_deref())
}

/// What there is to say to the usual answers: nothing when it is done.
fn finish(reply: Reply) -> Result<ExitCode, CliError> {
    match reply {
        Reply::Accepted | Reply::Reloaded { .. } | Reply::Stack { .. } | Reply::Status(_) => {
            Ok(Exit::Success.into())
        }
        Reply::Failed { reason, .. } => Err(CliError::Failed { reason }),
        Reply::Refused { reason } => Err(CliError::Refused { reason }),
    }
}
