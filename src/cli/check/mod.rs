//! `hostler check`: reads the settings of a site exactly as `serve` does, looks whether this machine has what they need,
//! and says what it has read.

mod accounts;
mod certificates;
mod commands;
mod host;
mod module;
mod sockets;

use std::{fmt::Write, path::Path, process::ExitCode};

use crate::config::{Part, Position, Settings, SettingsFile, Target};

use super::{arguments::CheckArguments, error::CliError, exit::Exit, output, show};
pub(super) use host::Finding;

/// Prints a summary, or with `--show` the settings themselves, which then are not held against this machine.
///
/// # Errors
/// The settings cannot be used, or standard output cannot be written to.
pub(super) fn check(arguments: &CheckArguments) -> Result<ExitCode, CliError> {
    let file = SettingsFile::open(&arguments.file)?;
    if arguments.show {
        output::print(&show::as_toml(&file.settings).map_err(CliError::Show)?)?;
        return Ok(Exit::Success.into());
    }
    if !arguments.no_host && !tell(&arguments.file, &file) {
        return Ok(Exit::Config.into());
    }
    let shown = arguments.file.display();
    output::print(&format!("{shown}: ok\n{}", summary(&file.settings)))?;
    Ok(Exit::Success.into())
}

/// What this machine lacks, in the order of the file.
pub(super) fn findings(file: &SettingsFile) -> Vec<(Option<Position>, Finding)> {
    let findings = host::look(&file.settings).0;
    let mut findings: Vec<(Option<Position>, Finding)> = findings
        .into_iter()
        .map(|finding| (file.position(&finding.key, Part::Value), finding))
        .collect();
    findings.sort_by_key(|(position, _)| *position);
    findings
}

/// Says what this machine lacks; gives whether the site can start.
fn tell(path: &Path, file: &SettingsFile) -> bool {
    let findings = findings(file);
    for (position, finding) in &findings {
        let text = place(path, *position, &finding.message);
        match finding.stops {
            true => output::complain(&text),
            false => output::note(&text),
        }
    }
    findings.iter().all(|(_, finding)| !finding.stops)
}

/// A message with its place in front, as errors of the loader have it.
pub(super) fn place(file: &Path, position: Option<Position>, message: &str) -> String {
    let file = file.display();
    match position {
        Some(Position { line, column }) => format!("{file}:{line}:{column}: {message}"),
        None => format!("{file}: {message}"),
    }
}

/// What a person would ask first: which application, where, how many.
fn summary(settings: &Settings) -> String {
    let app = &settings.app;
    let mut text = String::new();
    let target = match app.target() {
        Some(Target::Module { name }) => name.to_owned(),
        Some(Target::File { path }) => path.display().to_string(),
        None => String::new(),
    };
    let python = match &app.virtualenv {
        Some(directory) => format!("the Python of {}", directory.display()),
        None => "python3 on PATH".to_owned(),
    };
    let listen: Vec<String> = settings
        .listen
        .iter()
        .map(|listen| format!("{} on {}", listen.protocol, listen.address))
        .collect();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "  application  {target}:{}, with {python}",
        app.callable_name()
    );
    let _ = writeln!(text, "  listening    {}", listen.join(", "));
    let workers = &settings.workers;
    let _ = writeln!(
        text,
        "  workers      {}, {} each",
        counted(workers.processes, "process", "processes"),
        match workers.is_green() {
            true => counted(workers.concurrency, "greenlet", "greenlets"),
            false => counted(workers.threads, "thread", "threads"),
        }
    );
    text
}

fn counted(number: u32, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[track_caller]
    fn check_summary(text: &str, expected: &str) {
        let settings = config::parse(text, Path::new("/srv/shop/site.toml")).unwrap();
        assert_eq!(summary(&settings), expected);
    }

    #[test]
    fn a_summary_names_application_listeners_and_workers() {
        check_summary(
            "app.module = \"shop.wsgi:app\"\napp.virtualenv = \".venv\"\nworkers.processes = 4\n\
             [[listen]]\naddress = \":80\"\n[[listen]]\nprotocol = \"uwsgi\"\naddress = \"/run/a\"\n",
            "  application  shop.wsgi:app, with the Python of /srv/shop/.venv\n  \
             listening    http on :80, uwsgi on /run/a\n  \
             workers      4 processes, 1 thread each\n",
        );
        check_summary(
            "app.file = \"app.py\"\nworkers.threads = 2\nlisten = [{ address = \"@a\" }]",
            "  application  /srv/shop/app.py:application, with python3 on PATH\n  \
             listening    http on @a\n  \
             workers      1 process, 2 threads each\n",
        );
    }
}
