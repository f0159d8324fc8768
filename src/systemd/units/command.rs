//! What every command of a site has, be it run by a timer, as a daemon, or around the start: the application's
//! directory, interpreter and variables, and the site's user, sandbox and share of resources.

use crate::config::Settings;

use super::{
    SiteName, relax, service, shipped,
    text::{self, Text, argument, word},
};

/// Where programs are looked for behind the virtual environment, as systemd does for every service.
const PROGRAMS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program and its arguments as `ExecStart=` takes them.
pub(crate) fn line(command: &[String]) -> String {
    let words = command.iter().map(|each| argument(each));
    words.collect::<Vec<_>>().join(" ")
}

/// The same for a command that runs in the site's own service, whose directory and variables are not the
/// application's: env(1) gives it those.
pub(super) fn line_in_service(settings: &Settings, command: &[String]) -> String {
    let app = &settings.app;
    let mut words = vec!["/usr/bin/env".to_owned()];
    if let Some(chdir) = &app.chdir {
        words.push(format!("--chdir={}", chdir.display()));
    }
    words.push(format!("PATH={}", programs(settings)));
    let given = app
        .env
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let of_interpreter = of_interpreter(settings);
    let of_interpreter = of_interpreter
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    words.extend(
        of_interpreter
            .chain(given)
            .map(|(name, value)| format!("{name}={value}")),
    );
    words.extend(command.iter().cloned());
    line(&words)
}

/// All of a unit's `[Service]` but what it runs. There is no runtime directory: that would be removed with the end of
/// the command, and it is the service's.
pub(super) fn surroundings(site: &SiteName, settings: &Settings, text: &mut Text) {
    text.set("Slice", "hostler.slice");
    text.set("LogExtraFields", &format!("HOSTLER_SITE={site}"));
    for kind in ["StateDirectory", "CacheDirectory", "LogsDirectory"] {
        text.set(kind, &format!("hostler/{site}"));
    }
    environment(settings, text);
    text.copy(shipped::sandbox());
    service::account(settings, text);
    service::resources(settings, text);
    service::files(settings, text);
    text.copy(relax::relaxations(settings));
}

/// What the application has: its directory, its interpreter first on the path, its variables.
fn environment(settings: &Settings, text: &mut Text) {
    let chdir = settings.app.chdir.as_ref();
    let chdir = chdir.map(|path| text::line(&path.to_string_lossy()));
    text.set_some("WorkingDirectory", chdir);
    text.set("ExecSearchPath", &text::line(&programs(settings)));
    let of_interpreter = of_interpreter(settings);
    let of_interpreter = of_interpreter
        .iter()
        .map(|(name, value)| (*name, value.as_str()));
    let given = settings.service.environment.iter().chain(&settings.app.env);
    let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in of_interpreter.chain(given) {
        text.set("Environment", &word(&format!("{name}={value}")));
    }
}

/// Directories of programs, with colons between.
fn programs(settings: &Settings) -> String {
    match &settings.app.virtualenv {
        Some(path) => format!("{}/bin:{PROGRAMS}", path.display()),
        None => PROGRAMS.to_owned(),
    }
}

/// Variables that lead programs to the application's modules.
fn of_interpreter(settings: &Settings) -> Vec<(&'static str, String)> {
    let app = &settings.app;
    let virtualenv = app.virtualenv.iter();
    let virtualenv = virtualenv.map(|path| ("VIRTUAL_ENV", path.display().to_string()));
    let path = app.python_path.iter().map(|path| path.to_string_lossy());
    let path = path.collect::<Vec<_>>().join(":");
    let path = (!path.is_empty()).then_some(("PYTHONPATH", path));
    virtualenv.chain(path).collect()
}
