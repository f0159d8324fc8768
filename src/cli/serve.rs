//! `hostler serve`: hands the settings to the supervisor.

use std::{path::PathBuf, process::ExitCode};

use crate::config::Settings;

/// What to serve.
#[expect(dead_code, reason = "the supervisor reads it")]
pub(super) struct ServeOptions {
    /// Checked settings.
    pub(super) settings: Settings,
    /// The file to read again on SIGHUP.
    pub(super) source: Option<PathBuf>,
    /// Reload when a file of the application changes.
    pub(super) reload_on_change: bool,
}

/// Serves until told to stop.
pub(super) fn serve(_options: ServeOptions) -> ExitCode {
    ExitCode::FAILURE
}
