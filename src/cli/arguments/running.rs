//! The arguments of the commands to sites that run.

use std::time::Duration;

use clap::{Args, Subcommand};

use crate::config::TimeSpan;

/// Between two readings of a site.
const SHORTEST: Duration = Duration::from_millis(100);

/// A site that runs.
#[derive(Debug, Args)]
pub(in crate::cli) struct RunningSite {
    /// Its settings file or its name; may be left out when one site runs
    #[arg(value_name = "FILE|SITE")]
    pub(in crate::cli) site: Option<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct StatusArguments {
    #[command(flatten)]
    pub(in crate::cli) site: RunningSite,
    /// Print everything, as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

const TOP_HELP: &str = "\
Examples:
  hostler top                    every site on this host; ? shows the keys
  hostler top shop               one site
  hostler top --once             a table, for a script or a mail
  hostler top --json | jq .      a line of JSON for each interval";

#[derive(Debug, Args)]
#[command(after_help = TOP_HELP)]
pub(in crate::cli) struct TopArguments {
    /// Their settings files or names; without any, all that run
    #[arg(value_name = "FILE|SITE")]
    pub(in crate::cli) sites: Vec<String>,
    /// Print one table and end
    #[arg(long)]
    pub(in crate::cli) once: bool,
    /// Print JSON, a line for each interval
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// From one reading to the next
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    pub(in crate::cli) interval: TimeSpan,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ReloadArguments {
    #[command(flatten)]
    pub(in crate::cli) site: RunningSite,
    /// Wait for the outcome, and fail if the reload does; this is what happens anyway
    #[arg(long)]
    pub(in crate::cli) wait: bool,
    /// Do not wait for the outcome
    #[arg(long, conflicts_with = "wait")]
    pub(in crate::cli) no_wait: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct StopArguments {
    #[command(flatten)]
    pub(in crate::cli) site: RunningSite,
    /// Do not wait for the end
    #[arg(long)]
    pub(in crate::cli) no_wait: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum WorkerCommand {
    /// Replace a worker; it finishes its requests
    Recycle(WorkerArguments),
    /// Show where the threads of a worker are
    Stack(WorkerArguments),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WorkerArguments {
    /// Its number, as `hostler status` shows it
    #[arg(value_name = "N")]
    pub(in crate::cli) worker: u32,
    #[command(flatten)]
    pub(in crate::cli) site: RunningSite,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum LogCommand {
    /// Open log files and the connection to the journal anew
    Reopen(RunningSite),
}

/// Each reading costs the site a little.
fn interval(text: &str) -> Result<TimeSpan, String> {
    let time: TimeSpan = text.parse().map_err(|error| format!("{error}"))?;
    match time.0 {
        short if short < SHORTEST => Err("less than 100ms is too often".to_owned()),
        _ => Ok(time),
    }
}
