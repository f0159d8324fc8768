//! The command line as types; the comments on the fields are its help.

mod running;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, value_parser};
use regex::bytes::Regex;

use super::completions::CompletionsArguments;
use crate::{
    compare::{Header, Server},
    config::{Address, TimeSpan},
};

pub(super) use running::{
    LogCommand, ReloadArguments, RunningSite, StatusArguments, StopArguments, TopArguments,
    WorkerArguments, WorkerCommand,
};

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
    /// Find what keeps a site from its clients, and say what to do
    Doctor(super::doctor::DoctorArguments),
    /// Serve an application without a settings file
    Run(RunArguments),
    /// Show what a running site is doing
    Status(StatusArguments),
    /// Watch all running sites, or some of them
    Top(TopArguments),
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
    /// Ask two servers the same and show what differs
    Compare(CompareArguments),
    /// Make settings of a configuration of uWSGI
    ConvertIni(ConvertIniArguments),
    /// Make settings of a configuration of gunicorn
    ConvertGunicorn(ConvertGunicornArguments),
    /// Print what a shell completes behind `hostler`
    #[command(hide = true)]
    Completions(CompletionsArguments),
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

/// How a command tells what it has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Report {
    /// For people.
    Text,
    /// For programs.
    Json,
}

const COMPARE_HELP: &str = "\
FILE has one request a line: a path, a URL, or a method and one of them. Below
it, indented, may stand header fields and @FILE, the body:

  /
  HEAD /robots.txt
  POST /cart
    Cookie: sessionid=abc
    Content-Type: application/json
    @cart.json

Exit code 0: all answers are equal; 1: some are not.";

#[derive(Debug, Args)]
#[command(after_help = COMPARE_HELP)]
pub(super) struct CompareArguments {
    /// The server that is right: http://HOST:PORT, unix:/PATH, uwsgi://HOST:PORT or uwsgi:/PATH
    #[arg(long, value_name = "URL")]
    pub(super) old: Server,
    /// The server that shall answer alike
    #[arg(long, value_name = "URL")]
    pub(super) new: Server,
    /// The requests; - is standard input
    pub(super) file: PathBuf,
    /// Send this with every request that does not have it, for example "Host: example.com"
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = Header::parse)]
    pub(super) headers: Vec<Header>,
    /// Tell both servers that the client came over TLS
    #[arg(long)]
    pub(super) https: bool,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = patience)]
    pub(super) timeout: TimeSpan,
    /// Do not compare header fields of this name
    #[arg(long = "ignore-header", value_name = "NAME")]
    pub(super) ignored_headers: Vec<String>,
    /// Do not compare the value of this cookie
    #[arg(long = "ignore-cookie", value_name = "NAME")]
    pub(super) ignored_cookies: Vec<String>,
    /// Cut what matches out of both bodies
    #[arg(long = "ignore-body", value_name = "REGEX", value_parser = regex)]
    pub(super) ignored_body: Vec<Regex>,
    /// Show where bodies begin to differ
    #[arg(long)]
    pub(super) show_body: bool,
    /// How to tell what differs
    #[arg(long, default_value = "text")]
    pub(super) report: Report,
}

const CONVERT_INI_HELP: &str = "\
Examples:
  hostler convert-ini uwsgi.ini > shop.toml
  hostler convert-ini uwsgi.ini:prod --report text
  hostler convert-ini /etc/uwsgi/apps-enabled/shop.ini --debian -o shop.toml --units
  hostler convert-ini -- uwsgi -s /run/shop.sock -w shop.wsgi -p 4

The settings go to standard output, or with --output to a file. What needs a
person goes to standard error; --report prints the account of every line to
standard output instead, where the settings then are written by --output alone.

Exit code 0: the settings can be used as they are; 2: somebody has to look at
what is marked CHECK; 1: the configuration cannot be read.";

#[derive(Debug, Args)]
#[command(after_help = CONVERT_INI_HELP)]
pub(super) struct ConvertIniArguments {
    /// Its files (ini, XML, YAML, JSON), each with a section perhaps, or a unit that starts it; - is standard input
    #[arg(value_name = "FILE[:SECTION]")]
    pub(super) files: Vec<String>,
    /// Write the settings here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Replace that file if it is there
    #[arg(long)]
    pub(super) force: bool,
    /// Print what has become of each line
    #[arg(long)]
    pub(super) report: Option<Report>,
    /// Debian's package started it, with options of its own
    #[arg(long)]
    pub(super) debian: bool,
    /// An emperor started it
    #[arg(long)]
    pub(super) emperor: bool,
    /// Also print what systemd is told, and the commands to switch over and back
    #[arg(long)]
    pub(super) units: bool,
    /// Print what becomes of every option of uWSGI, as Markdown
    #[arg(long, exclusive = true, hide = true)]
    pub(super) all_options: bool,
    /// A command line of uWSGI
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

const CONVERT_GUNICORN_HELP: &str = "\
Examples:
  hostler convert-gunicorn gunicorn.conf.py shop.wsgi -o shop.toml
  hostler convert-gunicorn /etc/systemd/system/shop.service --report text
  hostler convert-gunicorn -- gunicorn shop.wsgi -b 0.0.0.0:8000 -w 4

Exit code 0: the settings can be used as they are; 2: somebody has to look at
what is marked CHECK; 1: the configuration cannot be read.";

#[derive(Debug, Args)]
#[command(after_help = CONVERT_GUNICORN_HELP)]
pub(super) struct ConvertGunicornArguments {
    /// Its settings (Python, which is run), or a unit that starts it [default: gunicorn.conf.py]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// The application, if the configuration does not name it
    #[arg(value_name = "APP")]
    pub(super) app: Option<String>,
    /// Write the settings here instead of to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Replace that file if it is there
    #[arg(long)]
    pub(super) force: bool,
    /// The Python that gunicorn runs with [default: the one beside gunicorn, else python3 on PATH]
    #[arg(long, value_name = "PATH")]
    pub(super) python: Option<PathBuf>,
    /// Print what has become of each setting
    #[arg(long)]
    pub(super) report: Option<Report>,
    /// A command line of gunicorn
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

fn patience(text: &str) -> Result<TimeSpan, String> {
    let time: TimeSpan = text.parse().map_err(|error| format!("{error}"))?;
    match time.0.is_zero() {
        true => Err("no answer takes no time".to_owned()),
        false => Ok(time),
    }
}

/// The library draws a picture of what is wrong; its last line says it.
fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let error = error.to_string();
        let line = error.lines().last().unwrap_or_default();
        line.trim_start_matches("error: ").to_owned()
    })
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
