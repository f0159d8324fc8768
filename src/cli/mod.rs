//! The subcommands, messages to people, exit codes.
//!
//! What a command does lies in the other rooms; here it is asked for, and here alone an error becomes a line on the
//! terminal and a number for the shell.

mod arguments;
mod check;
mod client;
mod compare;
mod completions;
mod control;
mod conversion;
mod convert_gunicorn;
mod convert_ini;
mod doctor;
mod error;
mod exit;
mod output;
mod run;
mod schema;
mod serve;
mod show;
mod table;
mod top;
mod units;
mod usage;

use std::{env, path::PathBuf, process::ExitCode};

use clap::Parser;

use crate::{config, supervisor::Predecessor, systemd::Notifier};

use arguments::{Arguments, Command, LogCommand, WorkerCommand};
use error::CliError;
use serve::ServeOptions;

/// The whole program.
pub fn main() -> ExitCode {
    let mut words = env::args_os();
    if units::is_generator(words.next().as_deref()) {
        return units::run_generator(words);
    }
    let outcome = match Arguments::try_parse() {
        Ok(arguments) => perform(arguments.command),
        Err(error) => usage::answer(&error),
    };
    outcome.unwrap_or_else(|error| {
        output::tell(&error);
        error.exit().into()
    })
}

fn perform(command: Command) -> Result<ExitCode, CliError> {
    match command {
        Command::Check(arguments) => check::check(&arguments),
        Command::Compare(arguments) => compare::compare(arguments),
        Command::ConvertGunicorn(arguments) => convert_gunicorn::convert(arguments),
        Command::ConvertIni(arguments) => convert_ini::convert(&arguments),
        Command::Completions(arguments) => completions::print(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Run(arguments) => begin(|before| run::run(arguments, before)),
        Command::Serve(arguments) => begin(|before| serve_file(arguments.file, before)),
        Command::Status(arguments) => control::status(&arguments),
        Command::Reload(arguments) => control::reload(&arguments),
        Command::Stop(arguments) => control::stop(&arguments),
        Command::Worker(WorkerCommand::Recycle(arguments)) => control::recycle(&arguments),
        Command::Worker(WorkerCommand::Stack(arguments)) => control::stack(&arguments),
        Command::Schema => schema::print(),
        Command::Top(arguments) => top::top(&arguments),
        Command::Units(arguments) => units::show(&arguments),
        Command::Log(LogCommand::Reopen(site)) => control::reopen_log(&site),
    }
}

/// Serves, after the supervisor that has started us for that if there is one. Whoever has started us hears of a start that
/// fails: it, or `systemctl status`, where the exit code alone says little.
fn begin(
    serve: impl FnOnce(Option<Predecessor>) -> Result<ExitCode, CliError>,
) -> Result<ExitCode, CliError> {
    let predecessor = Predecessor::meet()?;
    let voice = predecessor.as_ref().map(Predecessor::voice);
    serve(predecessor).inspect_err(|error| match voice {
        Some(voice) => voice.failed(output::chain(error)),
        None => {
            Notifier::from_environment().cannot_start(&output::chain(error), output::errno(error))
        }
    })
}

fn serve_file(file: PathBuf, predecessor: Option<Predecessor>) -> Result<ExitCode, CliError> {
    serve::serve(ServeOptions {
        settings: config::load(&file)?,
        source: Some(file),
        predecessor,
    })
}
