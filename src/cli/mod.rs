//! The subcommands, messages to people, exit codes.
//!
//! What a command does lies in the other rooms; here it is asked for, and here alone an error becomes a line on the
//! terminal and a number for the shell.

mod arguments;
mod check;
mod client;
mod compare;
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
mod units;
mod usage;

use std::{env, path::PathBuf, process::ExitCode};

use clap::Parser;

use crate::{config, systemd::Notifier};

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
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Run(arguments) => run::run(arguments),
        Command::Serve(arguments) => serve_file(arguments.file).inspect_err(tell_manager),
        Command::Status(arguments) => control::status(&arguments),
        Command::Reload(arguments) => control::reload(&arguments),
        Command::Stop(arguments) => control::stop(&arguments),
        Command::Worker(WorkerCommand::Recycle(arguments)) => control::recycle(&arguments),
        Command::Schema => schema::print(),
        Command::Units(arguments) => units::show(&arguments),
        Command::Log(LogCommand::Reopen(site)) => control::reopen_log(&site),
    }
}

/// For `systemctl status`, where the exit code alone says little.
fn tell_manager(error: &CliError) {
    Notifier::from_environment().cannot_start(&output::chain(error), output::errno(error));
}

fn serve_file(file: PathBuf) -> Result<ExitCode, CliError> {
    serve::serve(ServeOptions {
        settings: config::load_served(&file)?,
        source: Some(file),
    })
}
