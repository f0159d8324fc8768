//! Starts a zygote: the site's own Python with a few lines that load our extension and hand it a socket.
//!
//! The lines come on standard input, so that `ps` shows a command that people can read, and not the lines.

use std::{
    env,
    ffi::OsString,
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, AsRawFd, OwnedFd},
    process::{Command, Stdio},
};

use rustix::pipe::{PipeFlags, pipe_with};

use crate::{
    config::{App, Settings},
    ipc::Channel,
    sys::spawn_with_fds,
    systemd::{CredentialError, PRIVATE_VARIABLES, credential_variables},
};

use super::{
    Interpreter,
    account::{AccountError, account},
};

const BOOTSTRAP: &str = include_str!("bootstrap.py");

/// Why there is no process.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpawnError {
    /// Nobody whom it could run as.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A secret is missing.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The kernel refused.
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Which environment an interpreter begins with, before what the settings add to it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Surroundings<'a> {
    /// That of this process.
    Ours,
    /// These variables and no others.
    These(&'a [(String, String)]),
}

/// Starts the interpreter and gives its process; its end of the channel is `theirs`, and what it writes goes to
/// `stdout`.
pub(super) fn spawn(
    interpreter: &Interpreter,
    settings: &Settings,
    theirs: &Channel,
    stdout: OwnedFd,
    surroundings: Surroundings<'_>,
) -> Result<i32, SpawnError> {
    let app = &settings.app;
    let extension = interpreter.extension.file();
    let account = account(&settings.service)?;
    let secrets = credential_variables(&settings.service)?;
    let mut command = Command::new(&interpreter.python);
    command
        .arg("-")
        .arg(interpreter.extension.path())
        .arg(theirs.as_raw_fd().to_string())
        .arg(env!("CARGO_PKG_VERSION"))
        .arg(extension.as_raw_fd().to_string())
        .stdin(script(BOOTSTRAP)?)
        .stdout(stdout.try_clone()?)
        .stderr(stdout);
    if let Surroundings::These(variables) = surroundings {
        command.env_clear().envs(variables.iter().cloned());
    }
    if let Some(directory) = &app.chdir {
        command.current_dir(directory);
    }
    if let Some(account) = &account {
        command.envs(account.environment.iter().cloned());
    }
    set_environment(&mut command, app);
    command.envs(secrets);
    let ids = account.map(|account| account.ids);
    let child = spawn_with_fds(command, &[theirs.as_fd(), extension.as_fd()], ids)?;
    Ok(child.id().cast_signed())
}

/// A pipe that holds all of a text; it is far shorter than what a pipe takes without a reader.
fn script(text: &str) -> io::Result<Stdio> {
    let (read, write) = pipe_with(PipeFlags::CLOEXEC)?;
    File::from(write).write_all(text.as_bytes())?;
    Ok(read.into())
}

/// Ours, without what is between us and the service manager, with what activating the environment would do
/// (venv's `activate`), and with the settings' own variables, which win.
fn set_environment(command: &mut Command, app: &App) {
    PRIVATE_VARIABLES.iter().for_each(|name| {
        command.env_remove(name);
    });
    if let Some(virtualenv) = &app.virtualenv {
        let mut path = OsString::from(virtualenv.join("bin"));
        let given = command.get_envs().find(|(name, _)| *name == "PATH");
        let given = given.and_then(|(_, value)| value.map(OsString::from));
        let rest = given.or_else(|| env::var_os("PATH"));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            path.push(":");
            path.push(rest);
        }
        command
            .env("VIRTUAL_ENV", virtualenv)
            .env("PATH", path)
            .env_remove("PYTHONHOME");
    }
    command.envs(&app.env);
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, ffi::OsStr};

    use super::*;

    fn environment(app: &App) -> BTreeMap<String, Option<String>> {
        let mut command = Command::new("python3");
        set_environment(&mut command, app);
        let text = |value: &OsStr| value.to_str().unwrap().to_owned();
        command
            .get_envs()
            .map(|(name, value)| (text(name), value.map(text)))
            .collect()
    }

    #[test]
    fn nobody_else_speaks_with_the_service_manager() {
        let environment = environment(&App::default());
        assert!(
            PRIVATE_VARIABLES
                .iter()
                .all(|name| environment[*name].is_none())
        );
    }

    #[test]
    fn a_virtualenv_is_activated() {
        let app = App {
            virtualenv: Some("/srv/venv".into()),
            ..App::default()
        };
        let environment = environment(&app);
        assert_eq!(environment["VIRTUAL_ENV"].as_deref(), Some("/srv/venv"));
        assert!(
            environment["PATH"]
                .as_ref()
                .unwrap()
                .starts_with("/srv/venv/bin:")
        );
        assert_eq!(environment["PYTHONHOME"], None);
    }

    #[test]
    fn the_settings_win() {
        let env = BTreeMap::from([("PATH".to_owned(), "/mine".to_owned())]);
        let app = App {
            virtualenv: Some("/srv/venv".into()),
            env,
            ..App::default()
        };
        assert_eq!(environment(&app)["PATH"].as_deref(), Some("/mine"));
    }
}
