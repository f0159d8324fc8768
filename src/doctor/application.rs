//! Whether the application can be imported, tried in a process like the site's own: its interpreter, its user, its
//! environment; where there is a service manager also in the sandbox of the service (`sandbox`), else without what only
//! a running service has.

use std::{env, iter};

use crate::{
    ipc::LoadFailure,
    supervisor::{Interpreter, TrialError, account_of, try_application},
};

use super::{
    Patient, chain,
    entry::{Entry, Grade},
    sandbox,
};

pub(super) const TOPIC: &str = "application";

/// What systemd gives to every service (systemd.exec(5), "Environment Variables in Spawned Processes").
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Imports it, as the service would where that can be, and says how that went.
pub(super) fn look(patient: &Patient<'_>, interpreter: &Interpreter) -> Vec<Entry> {
    if !sandbox::exists(patient) {
        let mut entry = outside(patient, interpreter);
        if patient.is_service {
            entry.message += "; the sandbox and the credentials of the service were not tried";
        }
        return vec![entry];
    }
    match sandbox::look(patient) {
        Ok(mut entry) if entry.grade == Grade::Good => {
            entry.message += ", in the sandbox of the service";
            vec![entry]
        }
        Ok(entry) => match outside(patient, interpreter).grade {
            Grade::Good => vec![sandbox::only_inside(entry)],
            _ => vec![entry],
        },
        Err(entry) => vec![entry, outside(patient, interpreter)],
    }
}

/// Outside of any sandbox, as whoever runs the site.
fn outside(patient: &Patient<'_>, interpreter: &Interpreter) -> Entry {
    let environment = patient.is_service.then(|| environment(patient));
    here(patient, interpreter, environment.as_deref())
}

/// In this environment, or the one of this process.
pub(super) fn here(
    patient: &Patient<'_>,
    interpreter: &Interpreter,
    environment: Option<&[(String, String)]>,
) -> Entry {
    let settings = &patient.settings;
    let name = patient.application();
    match try_application(&patient.site, settings, interpreter, environment) {
        Ok(python) => Entry::good(
            TOPIC,
            format!(
                "{name} can be imported by {}, with Python {python}",
                patient.person.name
            ),
        ),
        Err(TrialError::Failed(failure)) => failed(&failure),
        Err(TrialError::Unsupported(reason)) => Entry::wrong(
            TOPIC,
            reason,
            "make the virtual environment again with CPython 3.9 or newer: python3 -m venv --clear",
        ),
        Err(error @ TrialError::TooSlow(_)) => Entry::wrong(
            TOPIC,
            format!("{name}: {error}"),
            "find out what it waits for while it is imported, a database that does not answer for example; or raise start in [timeouts]",
        ),
        Err(error @ TrialError::Ended(_)) => Entry::wrong(
            TOPIC,
            format!("{name}: {error}"),
            "a module that is no Python may be broken, or made for another machine: import them one by one with the site's python",
        ),
        Err(error @ (TrialError::Ipc(_) | TrialError::Start(_))) => Entry::wrong(
            TOPIC,
            format!("{name}: {}", chain(&error)),
            format!(
                "see whether {} may run {}",
                patient.person.name,
                interpreter.python.display()
            ),
        ),
    }
}

/// What the service would have, credentials excepted: these exist while it runs.
fn environment(patient: &Patient<'_>) -> Vec<(String, String)> {
    let site = &patient.site;
    let directories = [
        ("CACHE_DIRECTORY", format!("/var/cache/hostler/{site}")),
        ("LOGS_DIRECTORY", format!("/var/log/hostler/{site}")),
        ("RUNTIME_DIRECTORY", format!("/run/hostler/{site}")),
        ("STATE_DIRECTORY", format!("/var/lib/hostler/{site}")),
        ("PATH", PATH.to_owned()),
    ];
    let language = env::var("LANG")
        .ok()
        .map(|value| ("LANG".to_owned(), value));
    let account = account_of(&patient.settings.service).ok();
    let account = account.into_iter().flat_map(|account| account.environment);
    let named = directories.into_iter().chain(account);
    let given = &patient.settings.service.environment;
    let given = given
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()));
    let named = named.map(|(name, value)| (name.to_owned(), value));
    named
        .chain(language)
        .chain(iter::empty())
        .chain(given)
        .collect()
}

fn failed(failure: &LoadFailure) -> Entry {
    let (message, advice) = parted(&failure.reason);
    let place = place(&failure.traceback);
    let place = place.map(|place| format!(" ({place})"));
    let advice = advice.unwrap_or_else(|| match failure.reason.contains("PermissionError") {
        true => "let the site's user read it; what `permissions` says above may be the reason".to_owned(),
        false => "correct the application; the whole traceback: hostler doctor --json, or the log of a start".to_owned(),
    });
    Entry {
        detail: Some(failure.traceback.clone()).filter(|text| !text.is_empty()),
        ..Entry::wrong(
            TOPIC,
            format!("{message}{}", place.unwrap_or_default()),
            advice,
        )
    }
}

/// A reason tells what to do behind the last semicolon, or from `correct` on.
fn parted(reason: &str) -> (&str, Option<String>) {
    if let Some((message, what)) = reason.split_once(": correct ") {
        return (message, Some(format!("correct {what}")));
    }
    if let Some((message, what)) = reason.split_once(": let that user ") {
        return (message, Some(format!("let the site's user {what}")));
    }
    match reason.rsplit_once("; ") {
        Some((message, advice)) => (message, Some(advice.to_owned())),
        None => (reason, None),
    }
}

/// The innermost line of code: `/srv/shop/shop.py, line 3`.
fn place(traceback: &str) -> Option<String> {
    let mut lines = traceback.lines().rev();
    let line = lines.find_map(|line| line.trim_start().strip_prefix("File \""))?;
    let (file, rest) = line.split_once("\", ")?;
    let number = rest.split(',').next()?;
    (!file.starts_with('<')).then(|| format!("{file}, {number}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::entry::lines;

    #[track_caller]
    fn check(reason: &str, traceback: &str, expected: &str) {
        let failure = LoadFailure {
            reason: reason.to_owned(),
            traceback: traceback.to_owned(),
        };
        assert_eq!(lines(&[failed(&failure)]), [expected]);
    }

    #[test]
    fn a_failure_becomes_what_is_wrong_where_and_what_to_do() {
        check(
            "there is no module shap: correct app.module or app.chdir (searched: /srv)",
            "",
            "Wrong application: there is no module shap -> correct app.module or app.chdir (searched: /srv)",
        );
        check(
            "importing shop failed: ModuleNotFoundError: No module named 'flask'; set app.virtualenv",
            "Traceback (most recent call last):\n  File \"<frozen importlib>\", line 1, in a\n  \
             File \"/srv/shop.py\", line 3, in <module>\nModuleNotFoundError: No module named 'flask'\n",
            "Wrong application: importing shop failed: ModuleNotFoundError: No module named 'flask' \
             (/srv/shop.py, line 3) -> set app.virtualenv",
        );
        check(
            "importing shop failed: ZeroDivisionError: division by zero",
            "",
            "Wrong application: importing shop failed: ZeroDivisionError: division by zero -> correct the application; \
             the whole traceback: hostler doctor --json, or the log of a start",
        );
    }
}
