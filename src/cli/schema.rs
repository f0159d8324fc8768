//! `hostler schema`: the settings as a JSON Schema, for editors.

use std::process::ExitCode;

use crate::config;

use super::{error::CliError, exit::Exit, output};

/// Prints the schema.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn print() -> Result<ExitCode, CliError> {
    let text = serde_json::to_string_pretty(&config::json_schema()).map_err(CliError::Json)?;
    output::print(&format!("{text}\n"))?;
    Ok(Exit::Success.into())
}
