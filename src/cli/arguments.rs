//! The command line as types; the comments on the fields are its help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, value_parser};

use crate::config::Address;

const EXAMPLES: &str = "\
Examples:
  hostler run shop.wsgi --reload        try a Django project
  hostler run app.py:app --http :8080   try a Flask file, for the whole network
  hostler check /etc/hostler/shop.toml  see whether a site's settings are good
  hostler serve /etc/hostler/shop.toml  serve it";

/// The systemd-native application server for Python
#[derive(Debug, Parser)]
#[command(name = "hostler", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Serve a site in the foreground
    Serve(ServeArguments),
    /// Say whether the settings of a site are good
    Check(CheckArguments),
    /// Serve an application without a settings file
    Run(RunArguments),
    /// Show what a running site is doing
    Status(StatusArguments),
    /// Load settings and application of a running site anew
    Reload(ReloadArguments),
    /// Stop a running site
    Stop(StopArguments),
    /// Print what systemd is told about a site
    Units(UnitsArguments),
    /// Print the JSON Schema of settings files, for editors
    Schema,
    /// Act on a worker of a running site
    #[command(subcommand)]
    Worker(WorkerCommand),
    /// Act on the log of a running site
    #[command(subcommand)]
    Log(LogCommand),
}

#[derive(Debug, Args)]
pub(super) struct ServeArguments {
    /// Settings of the site, in TOML
    pub(super) file: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    /// Settings of the site, in TOML
    pub(super) file: PathBuf,
    /// Print every setting with the value it has, as TOML
    #[arg(long)]
    pub(super) show: bool,
    /// Do not look whether this machine has the users, files and addresses of the site
    #[arg(long)]
    pub(super) no_host: bool,
}

/// Paths are text, since they become settings.
#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The application: a module or a file, and the callable if it is not called `application`
    #[arg(value_name = "MODULE[:CALLABLE]|FILE.py[:CALLABLE]")]
    pub(super) target: String,
    /// Where to listen: HOST:PORT, :PORT (on every address) or /PATH
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8000")]
    pub(super) http: Address,
    /// Worker processes
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=1024))]
    pub(super) processes: u32,
    /// Python threads of each worker
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = value_parser!(u32).range(1..=1024))]
    pub(super) threads: u32,
    /// Reload when a file of the application changes
    #[arg(long)]
    pub(super) reload: bool,
    /// Virtual environment [default: $VIRTUAL_ENV, else python3 on PATH]
    #[arg(long, value_name = "DIR")]
    pub(super) virtualenv: Option<String>,
    /// Working directory, first on sys.path [default: the current one]
    #[arg(long, value_name = "DIR")]
    pub(super) chdir: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct UnitsArguments {
    /// Settings of the site, in TOML
    pub(super) file: PathBuf,
    /// Write the units here instead, below /etc/systemd/system for example
    #[arg(long, value_name = "DIR")]
    pub(super) output: Option<PathBuf>,
}

/// A site that runs.
#[derive(Debug, Args)]
pub(super) struct RunningSite {
    /// Its settings file or its name; may be left out when one site runs
    #[arg(value_name = "FILE|SITE")]
    pub(super) site: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct StatusArguments {
    #[command(flatten)]
    pub(super) site: RunningSite,
    /// Print everything, as JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReloadArguments {
    #[command(flatten)]
    pub(super) site: RunningSite,
    /// Wait for the outcome, and fail if the reload does; this is what happens anyway
    #[arg(long)]
    pub(super) wait: bool,
    /// Do not wait for the outcome
    #[arg(long, conflicts_with = "wait")]
    pub(super) no_wait: bool,
}

#[derive(Debug, Args)]
pub(super) struct StopArguments {
    #[command(flatten)]
    pub(super) site: RunningSite,
    /// Do not wait for the end
    #[arg(long)]
    pub(super) no_wait: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum WorkerCommand {
    /// Replace a worker; it finishes its requests
    Recycle(RecycleArguments),
}

#[derive(Debug, Args)]
pub(super) struct RecycleArguments {
    /// Its number, as `hostler status` shows it
    #[arg(value_name = "N")]
    pub(super) worker: u32,
    #[command(flatten)]
    pub(super) site: RunningSite,
}

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Connect to the journal anew
    Reopen(RunningSite),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_fits_a_terminal() {
        assert!(EXAMPLES.lines().all(|line| line.len() <= 80));
        let help = Arguments::command()
            .term_width(80)
            .render_help()
            .to_string();
        assert!(help.lines().count() <= 32, "{help}");
    }
}
