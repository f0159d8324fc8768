//! `hostler run`: an application without a settings file, for the first minute with hostler and for development.

use std::{env, ffi::OsString, path::Path, process::ExitCode};

use crate::{
    config::{App, Listen, Log, LogTarget, Reload, Settings, Workers},
    supervisor::Predecessor,
};

use super::{
    arguments::RunArguments,
    error::CliError,
    serve::{ServeOptions, serve},
};

/// Builds the settings that a file would have given, and serves.
///
/// # Errors
/// There is no working directory, or what was said does not go together.
pub(super) fn run(
    arguments: RunArguments,
    predecessor: Option<Predecessor>,
) -> Result<ExitCode, CliError> {
    let here = env::current_dir().map_err(CliError::WorkingDirectory)?;
    serve(ServeOptions {
        settings: settings(arguments, env::var_os("VIRTUAL_ENV"), &here)?,
        source: None,
        predecessor,
    })
}

/// Relative paths count from where the command was typed, also under `--chdir`.
fn settings(
    arguments: RunArguments,
    active_virtualenv: Option<OsString>,
    here: &Path,
) -> Result<Settings, CliError> {
    let virtualenv = arguments
        .virtualenv
        .map(OsString::from)
        .or(active_virtualenv.filter(|directory| !directory.is_empty()));
    let settings = Settings {
        app: App {
            chdir: Some(here.join(arguments.chdir.unwrap_or_default())),
            virtualenv: virtualenv.map(|directory| here.join(directory)),
            ..target(&arguments.target, here)
        },
        listen: vec![Listen::at(arguments.http)],
        workers: Workers {
            processes: arguments.processes,
            threads: arguments.threads,
            ..Workers::default()
        },
        reload: Reload {
            py_autoreload: arguments.reload,
            ..Reload::default()
        },
        log: Log {
            to: vec![LogTarget::Stderr],
            access: true,
            ..Log::default()
        },
        ..Settings::default()
    };
    Ok(settings.checked(here)?)
}

/// A file is what ends in `.py` or contains a slash; everything else is a module.
fn target(target: &str, here: &Path) -> App {
    let (name, callable) = match target.split_once(':') {
        Some((name, callable)) => (name, Some(callable.to_owned())),
        None => (target, None),
    };
    if name.ends_with(".py") || name.contains('/') {
        return App {
            file: Some(here.join(name)),
            callable,
            ..App::default()
        };
    }
    App {
        module: Some(name.to_owned()),
        callable,
        ..App::default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use clap::Parser;

    use super::*;
    use crate::cli::arguments::{Arguments, Command};

    fn settings_of(line: &str, active_virtualenv: Option<&str>) -> Settings {
        let words = ["hostler", "run"].into_iter().chain(line.split(' '));
        let Command::Run(arguments) = Arguments::try_parse_from(words).unwrap().command else {
            panic!("not run");
        };
        settings(
            arguments,
            active_virtualenv.map(OsString::from),
            Path::new("/home/me"),
        )
        .unwrap()
    }

    #[track_caller]
    fn check_target(line: &str, module: Option<&str>, file: Option<&str>, callable: &str) {
        let app = settings_of(line, None).app;
        assert_eq!(app.module.as_deref(), module);
        assert_eq!(app.file, file.map(PathBuf::from));
        assert_eq!(app.callable_name(), callable);
    }

    #[test]
    fn modules_are_told_from_files() {
        check_target("shop.wsgi", Some("shop.wsgi"), None, "application");
        check_target("shop:app", Some("shop"), None, "app");
        check_target("app.py", None, Some("/home/me/app.py"), "application");
        check_target("./app.py:make()", None, Some("/home/me/app.py"), "make()");
        check_target(
            "sites/shop",
            None,
            Some("/home/me/sites/shop"),
            "application",
        );
        check_target(
            "app.py --chdir /srv",
            None,
            Some("/home/me/app.py"),
            "application",
        );
    }

    #[track_caller]
    fn check_virtualenv(line: &str, active: Option<&str>, expected: Option<&str>) {
        let app = settings_of(line, active).app;
        assert_eq!(app.virtualenv, expected.map(PathBuf::from));
    }

    #[test]
    fn the_flag_wins_over_the_active_virtualenv() {
        check_virtualenv("a", None, None);
        check_virtualenv("a", Some(""), None);
        check_virtualenv("a", Some("/venv"), Some("/venv"));
        check_virtualenv(
            "a --virtualenv .venv",
            Some("/venv"),
            Some("/home/me/.venv"),
        );
        check_virtualenv(
            "a --virtualenv .venv --chdir /srv",
            None,
            Some("/home/me/.venv"),
        );
    }

    #[test]
    fn flags_become_settings() {
        let plain = settings_of("a", None);
        assert_eq!(plain.listen[0].address.to_string(), "127.0.0.1:8000");
        assert_eq!(plain.workers, Workers::default());
        assert_eq!(plain.app.chdir, Some("/home/me".into()));
        let full = settings_of(
            "a --http :8080 --processes 2 --threads 3 --chdir shop",
            None,
        );
        assert_eq!(full.listen[0].address.to_string(), ":8080");
        assert_eq!((full.workers.processes, full.workers.threads), (2, 3));
        assert_eq!(full.app.chdir, Some("/home/me/shop".into()));
    }
}
