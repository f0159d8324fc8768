//! `hostler convert-ini`: from a configuration of uWSGI to settings.

mod site;
mod switch;

use std::{
    env,
    path::{Path, PathBuf},
    process::ExitCode,
};

use crate::{
    config,
    convert::uwsgi::{self, Input, Machine, Start},
};

use super::{
    arguments::ConvertIniArguments,
    conversion::{Destination, deliver},
    error::CliError,
    exit::Exit,
    output,
};

/// Converts, and writes what has come of it.
///
/// # Errors
/// A configuration cannot be read, or the result cannot be written.
pub(super) fn convert(arguments: &ConvertIniArguments) -> Result<ExitCode, CliError> {
    if arguments.all_options {
        output::print(&uwsgi::page())?;
        return Ok(Exit::Success.into());
    }
    let directory = env::current_dir().map_err(CliError::WorkingDirectory)?;
    let start = Start {
        directory: started_in(arguments, &directory),
        site: site::name(
            arguments.output.as_deref(),
            first_file(arguments),
            &directory,
        ),
        debian: arguments.debian,
        emperor: arguments.emperor,
    };
    let converted = uwsgi::convert(&inputs(arguments)?, &start, &Machine::default())?;
    let settings = converted.draft.render();
    let target = arguments.output.clone();
    let target = target.unwrap_or_else(|| directory.join(format!("{}.toml", start.site)));
    let checked = config::parse(&settings, &target).map_err(|error| CliError::Failed {
        reason: format!(
            "the settings that were made are not good, which is a fault of hostler; please report it: {error}"
        ),
    })?;
    let destination = Destination {
        file: arguments.output.as_ref(),
        force: arguments.force,
        report: arguments.report,
    };
    let code = deliver(&settings, &converted.account, &destination)?;
    if arguments.units {
        let steps = switch::steps(&start.site, &checked, &target, &old_service(arguments));
        match arguments.output.is_some() || arguments.report.is_some() {
            true => output::print(&steps)?,
            false => output::tell_before(&steps),
        }
    }
    Ok(code)
}

/// What is read, in the order of the command line.
fn inputs(arguments: &ConvertIniArguments) -> Result<Vec<Input>, CliError> {
    let mut inputs = Vec::new();
    for file in &arguments.files {
        inputs.push(match file.as_str() {
            "-" => standard_input()?,
            file => Input::from_argument(file),
        });
    }
    if !arguments.command.is_empty() {
        inputs.push(Input::CommandLine(arguments.command.clone()));
    }
    match inputs.is_empty() {
        true => Err(CliError::Usage {
            message: "name a file, or write the command line of uWSGI behind --".to_owned(),
        }),
        false => Ok(inputs),
    }
}

fn standard_input() -> Result<Input, CliError> {
    Ok(Input::Text {
        name: "standard input".to_owned(),
        text: output::read_all().map_err(CliError::Input)?,
        format: None,
    })
}

/// The first thing that is a file.
fn first_file(arguments: &ConvertIniArguments) -> Option<&Path> {
    let file = arguments.files.iter().find(|file| *file != "-")?;
    match Input::from_argument(file) {
        Input::File { path, .. } | Input::Unit { path } => {
            // The part before a section's name is the path.
            let path = file.get(..path.len()).unwrap_or(file);
            Some(Path::new(path))
        }
        _ => None,
    }
}

/// Where uWSGI is thought to have been started: beside its file, as an emperor does it; for a unit and a command line it
/// is the directory that they name, or this one.
fn started_in(arguments: &ConvertIniArguments, here: &Path) -> PathBuf {
    let file =
        first_file(arguments).filter(|file| file.extension().is_none_or(|end| end != "service"));
    let beside = file.and_then(|file| std::path::absolute(here.join(file)).ok());
    let beside = beside.as_deref().and_then(Path::parent);
    beside.unwrap_or(here).to_owned()
}

/// How the old service is stopped and started, as far as can be seen.
fn old_service(arguments: &ConvertIniArguments) -> switch::Old {
    let unit = arguments
        .files
        .iter()
        .find(|file| file.ends_with(".service"));
    match unit.and_then(|unit| Path::new(unit).file_name()) {
        Some(name) => switch::Old::Unit(name.to_string_lossy().into_owned()),
        None if arguments.debian => switch::Old::Debian,
        None if arguments.emperor => {
            switch::Old::Vassal(first_file(arguments).map_or_else(PathBuf::new, Path::to_owned))
        }
        None => switch::Old::Unknown,
    }
}
