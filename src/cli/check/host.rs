//! What good settings need of the machine: directories, files, users, addresses. `hostler check --no-host` leaves it out.
//!
//! Nothing is changed and nothing of the site is run. Whoever checks may be somebody else than whoever serves, and
//! systemd makes some things itself; so what only might be missing is a note, and what is missing whoever looks is an
//! error.

use std::{fs, io, path::Path};

use crate::{
    config::{App, Settings, StaticFiles, Target},
    supervisor::{Interpreter, InterpreterError},
};

use super::{
    commands,
    module::{self, Search},
    sockets,
};

/// Something that is not on this machine, and the key that asks for it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) struct Finding {
    /// From the section inwards; an entry of a list by its number.
    pub(in crate::cli) key: Vec<String>,
    /// The site cannot start.
    pub(in crate::cli) stops: bool,
    /// What is wrong and what to do, in one line.
    pub(in crate::cli) message: String,
}

/// What is found, in no particular order.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    /// The site cannot start.
    pub(super) fn error(&mut self, key: &[&str], message: String) {
        self.add(key, true, message);
    }

    /// The site starts, perhaps, and this may not be meant.
    pub(super) fn note(&mut self, key: &[&str], message: String) {
        self.add(key, false, message);
    }

    fn add(&mut self, key: &[&str], stops: bool, message: String) {
        self.0.push(Finding {
            key: key.iter().map(|&name| name.to_owned()).collect(),
            stops,
            message,
        });
    }

    /// A file that has to be there.
    pub(super) fn needs_file(&mut self, key: &[&str], path: &Path) {
        match fs::File::open(path) {
            Ok(_) if path.is_dir() => {
                self.error(
                    key,
                    format!("{} is a directory; name a file", path.display()),
                );
            }
            Ok(_) => {}
            Err(error) => self.missing(key, path, &error, "file"),
        }
    }

    /// Anything that should be there, and that nobody needs at the start.
    pub(super) fn wants(&mut self, key: &[&str], path: &Path) {
        if let Err(error) = fs::metadata(path) {
            let found = self.0.len();
            self.missing(key, path, &error, "file or directory");
            self.0[found..]
                .iter_mut()
                .for_each(|finding| finding.stops = false);
        }
    }

    fn missing(&mut self, key: &[&str], path: &Path, error: &io::Error, what: &str) {
        let path = path.display();
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                self.error(key, format!("{path} does not exist; make the {what}, or correct the path"));
            }
            io::ErrorKind::PermissionDenied => self.note(
                key,
                format!("{path} cannot be looked at by whoever runs this check; whoever serves the site has to be able to read it"),
            ),
            _ => self.note(key, format!("{path} cannot be looked at: {error}")),
        }
    }
}

/// Looks for everything that the settings need.
pub(super) fn look(settings: &Settings) -> Findings {
    let mut findings = Findings::default();
    application(settings, &mut findings);
    super::accounts::look(settings, &mut findings);
    super::certificates::look(settings, &mut findings);
    sockets::look(settings, &mut findings);
    files(settings, &mut findings);
    commands::look(settings, &mut findings);
    findings
}

/// The interpreter, and the modules and files that it runs.
fn application(settings: &Settings, findings: &mut Findings) {
    let app = &settings.app;
    if let Err(error) = Interpreter::find(app) {
        let key: &[&str] = match error {
            InterpreterError::NoDirectory { .. } => &["app", "chdir"],
            InterpreterError::NoExtension { .. }
            | InterpreterError::NoPython
            | InterpreterError::NotOpened { .. } => &["app"],
            InterpreterError::Dangling { .. }
            | InterpreterError::NoVirtualenv { .. }
            | InterpreterError::NotVirtualenv { .. }
            | InterpreterError::Unreadable { .. } => &["app", "virtualenv"],
        };
        findings.error(key, super::super::output::chain(&error));
        return;
    }
    for (number, path) in app.python_path.iter().enumerate() {
        findings.wants(&["app", "python-path", &number.to_string()], path);
    }
    let search = Search::new(app);
    target(app.target(), &["app"], &search, findings);
    for (number, mount) in settings.mount.iter().enumerate() {
        target(
            mount.target(),
            &["mount", &number.to_string()],
            &search,
            findings,
        );
    }
    for (key, modules) in hooks(app) {
        for (number, name) in modules.iter().enumerate() {
            let number = number.to_string();
            let key: Vec<&str> = match key {
                "post-fork" => vec!["app", key],
                key => vec!["app", key, &number],
            };
            module::look(&search, name, &key, findings);
        }
    }
}

/// Modules that are imported beside the application's own.
fn hooks(app: &App) -> [(&'static str, Vec<String>); 3] {
    let module = |function: &String| {
        let (module, _) = function.split_once(':').unwrap_or((function, ""));
        module.to_owned()
    };
    [
        ("post-fork", app.post_fork.iter().map(module).collect()),
        ("preload", app.preload.clone()),
        ("import", app.import.clone()),
    ]
}

fn target(target: Option<Target<'_>>, section: &[&str], search: &Search, findings: &mut Findings) {
    match target {
        Some(Target::File { path }) => findings.needs_file(&[section, &["file"]].concat(), path),
        Some(Target::Module { name }) => {
            module::look(search, name, &[section, &["module"]].concat(), findings);
        }
        None => {}
    }
}

/// Files and directories of the other sections.
fn files(settings: &Settings, findings: &mut Findings) {
    let service = &settings.service;
    // systemd refuses to make a namespace with what is not there.
    for (key, paths) in [
        ("read-write-paths", &service.read_write_paths),
        ("read-only-paths", &service.read_only_paths),
    ] {
        for (number, path) in paths.iter().enumerate() {
            let key = ["service", key, &number.to_string()];
            if let Err(error) = fs::metadata(path) {
                findings.missing(&key, path, &error, "file or directory");
            }
        }
    }
    for (name, path) in &service.credentials {
        findings.needs_file(&["service", "credentials", name], path);
    }
    of_static(&settings.static_files, findings);
    let response = &settings.response;
    for (status, path) in &response.error_pages {
        findings.wants(&["response", "error-pages", &status.to_string()], path);
    }
    for (prefix, path) in &response.internal {
        findings.wants(&["response", "internal", prefix], path);
    }
    for (number, cgi) in settings.cgi.iter().enumerate() {
        let number = number.to_string();
        for (key, path) in [("directory", &cgi.directory), ("file", &cgi.file)] {
            if let Some(path) = path {
                findings.wants(&["cgi", &number, key], path);
            }
        }
    }
    for (number, route) in settings.route.iter().enumerate() {
        if let Some(path) = &route.static_file {
            findings.wants(&["route", &number.to_string(), "static"], path);
        }
    }
}

/// A directory that is not there yet has no files, and the application answers.
fn of_static(files: &StaticFiles, findings: &mut Findings) {
    for (key, paths) in [
        ("check", &files.check),
        ("safe", &files.safe),
        ("mime-types", &files.mime_types),
    ] {
        for (number, path) in paths.iter().enumerate() {
            findings.wants(&["static", key, &number.to_string()], path);
        }
    }
    for (prefix, paths) in &files.map {
        for path in &paths.0 {
            findings.wants(&["static", "map", prefix], path);
        }
    }
}

#[cfg(test)]
mod tests;
