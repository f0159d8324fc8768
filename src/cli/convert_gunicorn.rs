//! `hostler convert-gunicorn`: from a configuration of gunicorn to settings.

use std::{env, process::ExitCode};

use crate::convert::gunicorn::{self, GunicornError, Input};

use super::{
    arguments::ConvertGunicornArguments,
    conversion::{Destination, deliver},
    error::CliError,
    output,
};

/// Converts, and writes what has come of it.
///
/// # Errors
/// The configuration cannot be read, or the result cannot be written.
pub(super) fn convert(arguments: ConvertGunicornArguments) -> Result<ExitCode, CliError> {
    let variables = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let input = Input {
        file: arguments.file,
        app: arguments.app,
        command: arguments.command,
        python: arguments.python,
        environment: variables.collect(),
        directory: env::current_dir().map_err(CliError::WorkingDirectory)?,
    };
    let converted = gunicorn::convert(&input).inspect_err(|error| {
        if let GunicornError::Failed { traceback, .. } = error {
            output::tell_before(traceback);
        }
    })?;
    let destination = Destination {
        file: arguments.output.as_ref(),
        force: arguments.force,
        report: arguments.report,
    };
    deliver(&converted.draft.render(), &converted.account, &destination)
}
