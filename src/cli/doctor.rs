//! `hostler doctor`: reads the settings of a site, has the machine looked at (`doctor`), and tells it.

use std::{
    fs,
    path::{self, Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use crate::{
    config::{Settings, SettingsFile},
    doctor::{Entry, Grade, Patient, SITES, examine, examine_inside, worst},
    supervisor::Interpreter,
};

use super::{
    check::{Finding, findings, place},
    error::CliError,
    exit::Exit,
    output,
};

/// What `hostler doctor` is told.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    /// Settings of the site, in TOML, or the name of a site in /etc/hostler
    #[arg(value_name = "FILE|SITE")]
    pub(super) site: String,
    /// Print everything, as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Do not import the application
    #[arg(long)]
    pub(super) no_import: bool,
    /// Only import the application, where this process is: what the doctor runs in the sandbox of the service
    #[arg(long, hide = true)]
    pub(super) inside: bool,
}

/// Everything that was found, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: &'static str,
    file: &'a Path,
    grade: Grade,
    entries: &'a [Entry],
}

/// Looks, and tells; with exit code 1 when something is wrong.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn doctor(arguments: &DoctorArguments) -> Result<ExitCode, CliError> {
    let file = file_of(&arguments.site)?;
    let entries = match arguments.inside {
        true => inside(&file),
        false => entries(&file, arguments.no_import),
    };
    let grade = worst(&entries);
    let text = match arguments.json {
        true => {
            let report = Report {
                version: env!("CARGO_PKG_VERSION"),
                file: &file,
                grade,
                entries: &entries,
            };
            serde_json::to_string_pretty(&report).map_err(CliError::Json)? + "\n"
        }
        false => told(&file, &entries),
    };
    output::print(&text)?;
    Ok(match grade {
        Grade::Wrong => Exit::Failure.into(),
        Grade::Good | Grade::Warning => Exit::Success.into(),
    })
}

/// A file, or the name of a site in /etc/hostler.
fn file_of(site: &str) -> Result<PathBuf, CliError> {
    let is_name = !site.contains('/') && !site.ends_with(".toml") && !Path::new(site).is_file();
    match is_name {
        true => Ok(Path::new(SITES).join(format!("{site}.toml"))),
        false => path::absolute(site).map_err(CliError::WorkingDirectory),
    }
}

fn entries(path: &Path, no_import: bool) -> Vec<Entry> {
    let file = match SettingsFile::open(path) {
        Ok(file) => file,
        Err(error) => {
            let message = output::chain(&error);
            return vec![Entry::wrong("settings", message, unreadable(path))];
        }
    };
    let mut entries = of_settings(path, &file);
    let interpreter = Interpreter::find(&file.settings.app);
    let interpreter = interpreter.ok().filter(|_| !no_import);
    match Patient::new(path, &file.settings) {
        Ok(patient) => entries.extend(examine(&patient, interpreter.as_ref())),
        Err(error) => entries.push(Entry::wrong(
            "account",
            error.to_string(),
            "the rest can be looked at when there is somebody who runs the site",
        )),
    }
    entries
}

/// One entry: that of the application, or why it is not even looked at.
fn inside(path: &Path) -> Vec<Entry> {
    let wrong = |message, advice| vec![Entry::wrong("application", message, advice)];
    let file = match SettingsFile::open(path) {
        Ok(file) => file,
        Err(error) => return wrong(output::chain(&error), unreadable(path)),
    };
    match Patient::new(path, &file.settings) {
        Ok(patient) => vec![examine_inside(
            &patient,
            Interpreter::find(&file.settings.app),
        )],
        Err(error) => wrong(error.to_string(), String::new()),
    }
}

/// What to do about settings that cannot be read.
fn unreadable(path: &Path) -> String {
    if path.exists() {
        return "correct that line; the rest can be looked at when the settings can be read"
            .to_owned();
    }
    let sites = fs::read_dir(SITES).into_iter().flatten().flatten();
    let mut names: Vec<String> = sites
        .filter_map(|entry| {
            Some(
                entry
                    .file_name()
                    .to_str()?
                    .strip_suffix(".toml")?
                    .to_owned(),
            )
        })
        .collect();
    names.sort();
    match names.is_empty() {
        true => format!(
            "name the settings file of a site, or make {}",
            path.display()
        ),
        false => format!(
            "name the settings file of a site, or one of {SITES}: {}",
            names.join(", ")
        ),
    }
}

/// What `hostler check` says of them.
fn of_settings(path: &Path, file: &SettingsFile) -> Vec<Entry> {
    let found = findings(file).into_iter();
    let told = found.filter(|(_, finding)| !is_seen_better(&file.settings, finding));
    let judged = told.map(|(position, finding)| {
        let (message, advice) = match finding.message.split_once("; ") {
            Some((message, advice)) => (message, advice),
            None => (
                finding.message.as_str(),
                "correct the setting, or what it names",
            ),
        };
        let message = place(path, position, message);
        match finding.stops {
            true => Entry::wrong("settings", message, advice),
            false => Entry::warning("settings", message, advice),
        }
    });
    let mut entries: Vec<Entry> = judged.collect();
    if entries.is_empty() {
        let path = path.display();
        entries.push(Entry::good(
            "settings",
            format!("{path} is good, and what it names is there"),
        ));
    }
    entries
}

/// Modules are looked for by importing them, and addresses and accounts by what the service manager makes of them.
fn is_seen_better(settings: &Settings, finding: &Finding) -> bool {
    let key: Vec<&str> = finding.key.iter().map(String::as_str).collect();
    match key[..] {
        ["app", "module" | "post-fork" | "preload" | "import", ..] => {
            Interpreter::find(&settings.app).is_ok()
        }
        ["listen", _, "address"] => !finding.stops,
        _ => false,
    }
}

/// For people: the sum, then an entry a line, with what to do below it.
fn told(file: &Path, entries: &[Entry]) -> String {
    let count = |grade| entries.iter().filter(|entry| entry.grade == grade).count();
    let (wrong, warnings) = (count(Grade::Wrong), count(Grade::Warning));
    let sum = match (wrong, warnings) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("nothing is wrong, {warnings} to look at"),
        (wrong, 0) => format!("{wrong} wrong"),
        (wrong, warnings) => format!("{wrong} wrong, {warnings} to look at"),
    };
    let mut text = format!("{}: {sum}\n\n", file.display());
    for entry in entries {
        let grade = match entry.grade {
            Grade::Good => "good",
            Grade::Warning => "look",
            Grade::Wrong => "WRONG",
        };
        let line = format!("{grade:<5}  {:<11}  {}", entry.topic, entry.message);
        text.push_str(&printable(&line));
        if let Some(advice) = &entry.advice {
            text.push_str(&printable(&format!("       {:<11}  -> {advice}", "")));
        }
    }
    text
}

/// One line; names of files and processes must not command the terminal.
fn printable(line: &str) -> String {
    let plain = line
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c });
    plain.chain(['\n']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_begins_with_its_sum() {
        let entries = [
            Entry::good("settings", "a"),
            Entry::wrong("sockets", "b\u{1b}[2J", "do c"),
        ];
        let expected = "\
/srv/a.toml: 1 wrong

good   settings     a
WRONG  sockets      b\u{fffd}[2J
                    -> do c
";
        assert_eq!(told(Path::new("/srv/a.toml"), &entries), expected);
        assert!(told(Path::new("a"), &entries[..1]).starts_with("a: all is well\n"));
    }

    #[test]
    fn a_name_is_that_of_a_file_in_the_directory_of_sites() {
        assert_eq!(
            file_of("shop").unwrap(),
            Path::new("/etc/hostler/shop.toml")
        );
        assert_eq!(
            file_of("/srv/shop.toml").unwrap(),
            Path::new("/srv/shop.toml")
        );
        assert!(file_of("shop.toml").unwrap().is_absolute());
    }
}
