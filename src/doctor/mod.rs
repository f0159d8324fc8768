//! What stands between a site and its clients on this machine, and what to do about it: `hostler doctor`.
//!
//! Each file looks at one thing (thin), and decides what that means in pure functions, which are tested alone. Nothing
//! is changed; the application is imported, in a process that is thrown away, and a unit for that comes and goes. What the settings themselves ask of the
//! machine is looked at by `hostler check`, whose findings `cli` puts among these.

mod access;
mod application;
mod denials;
mod entry;
mod listening;
mod manager;
mod needs;
mod nginx;
mod person;
mod running;
mod sandbox;
mod sockets;
mod tree;
mod units;

use std::{error::Error, iter, path::Path};

use crate::{
    config::{Settings, Target},
    supervisor::{AccountError, Interpreter, InterpreterError, account_of},
    systemd::units::{SiteName, has_socket},
};

use person::Person;
use units::Units;

pub(crate) use entry::{Entry, Grade, worst};

/// Where sites are that the service manager runs.
pub(crate) const SITES: &str = "/etc/hostler";

/// Who runs a service that names nobody, as the shipped unit has it.
const DEFAULT_USER: &str = "hostler";

/// A site that is looked at.
pub(crate) struct Patient<'a> {
    /// Its name, that of its file.
    site: String,
    /// Its settings file, absolute.
    file: &'a Path,
    /// Its settings.
    as_written: &'a Settings,
    /// The same, with the user that the unit adds.
    settings: Settings,
    /// The service manager runs it, or is to.
    is_service: bool,
    /// Who runs it.
    person: Person,
}

impl<'a> Patient<'a> {
    /// The site of this file.
    ///
    /// # Errors
    /// Its user does not exist.
    pub(crate) fn new(file: &'a Path, as_written: &'a Settings) -> Result<Self, AccountError> {
        let is_service = file.parent() == Some(Path::new(SITES));
        let mut settings = as_written.clone();
        let service = &mut settings.service;
        if is_service && service.user.is_none() {
            service.user = Some(DEFAULT_USER.to_owned());
        }
        let person = match service.user.is_some() || service.group.is_some() {
            true => Person::of(account_of(service)?.ids),
            false => Person::ourselves(),
        };
        let site = file.file_stem().unwrap_or_default();
        Ok(Self {
            site: site.to_string_lossy().into_owned(),
            file,
            as_written,
            settings,
            is_service,
            person,
        })
    }

    /// How people call what is imported.
    fn application(&self) -> String {
        let target = self.settings.app.target();
        target.map_or_else(String::new, |target| match target {
            Target::File { path } => path.display().to_string(),
            Target::Module { name } => name.to_owned(),
        })
    }
}

/// Looks at everything. `interpreter` is the site's, if it has one; without it nothing is imported.
pub(crate) fn examine(patient: &Patient<'_>, interpreter: Option<&Interpreter>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let needs = needs::needs(&patient.settings, patient.file, patient.is_service);
    if patient.person.act(|| ()).is_some() {
        entries.extend(permissions(patient, &needs));
        let imported = interpreter.map(|found| application::look(patient, found));
        entries.extend(imported.into_iter().flatten());
    } else {
        let name = &patient.person.name;
        entries.push(Entry::warning(
            "permissions",
            format!("what {name} may read, and whether {name} can import the application, is not looked at"),
            "run this as root",
        ));
    }
    let is_managed = patient.is_service && manager::is_booted();
    let socket =
        SiteName::of_file(patient.file).is_some_and(|site| has_socket(&site, patient.as_written));
    let units = is_managed
        .then(|| Units::of(&patient.site, socket))
        .flatten();
    entries.extend(sockets::look(patient, units.as_ref()));
    match &units {
        Some(units) => entries.extend(units::look(patient, units)),
        None => entries.push(unmanaged(patient)),
    }
    entries.extend(denials::look(patient, &needs));
    entries.extend(nginx::look(patient));
    entries
}

/// Imports the application where this process is, in its environment; `examine` has this done in the service's sandbox.
pub(crate) fn examine_inside(
    patient: &Patient<'_>,
    interpreter: Result<Interpreter, InterpreterError>,
) -> Entry {
    match interpreter {
        Ok(interpreter) => application::here(patient, &interpreter, None),
        Err(error) => Entry::wrong(
            application::TOPIC,
            chain(&error),
            "let the site's user see it",
        ),
    }
}

fn permissions(patient: &Patient<'_>, needs: &[access::Need]) -> Vec<Entry> {
    let mut entries = access::look(&patient.person, needs).unwrap_or_default();
    if patient.is_service {
        entries.extend(needs::sandbox(&patient.settings, &patient.site, needs));
    }
    entries.extend(tree::look(patient));
    if entries.is_empty() {
        let name = &patient.person.name;
        entries.push(Entry::good(
            "permissions",
            format!("{name} may use every file that the settings name"),
        ));
    }
    entries
}

/// Why there are no units to look at.
fn unmanaged(patient: &Patient<'_>) -> Entry {
    let file = patient.file.display();
    match (patient.is_service, manager::is_booted()) {
        (_, false) => Entry::good(
            "units",
            "systemd does not run this machine: there are no units",
        ),
        (false, true) => Entry::good(
            "units",
            format!("{file} is not in {SITES}: systemd does not know of it"),
        ),
        (true, true) => Entry::warning(
            "units",
            "systemd does not answer",
            "run this as root, and see what systemctl says",
        ),
    }
}

/// An error and its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let causes = iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
