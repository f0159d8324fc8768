//! Whether the service manager knows the site as its settings are now, whether its units are enabled and active, and why
//! they are not.

use std::{fs, path::Path};

use crate::{
    config::Address,
    systemd::units::{self, SiteName},
};

use super::{
    Patient,
    entry::{Entry, Grade},
    manager::{self, Unit},
    running,
};

const TOPIC: &str = "units";

/// Where units and drop-ins lie, the first that has one counts (systemd.unit(5)).
const DIRECTORIES: [&str; 3] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/run/systemd/generator",
];

/// What the service manager says of the site's own two units.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Units {
    site: String,
    socket: Unit,
    service: Unit,
    /// systemd listens on something for this site.
    has_socket: bool,
}

impl Units {
    /// Asks; `None` without a manager that answers.
    pub(super) fn of(site: &str, has_socket: bool) -> Option<Self> {
        Some(Self {
            site: site.to_owned(),
            socket: manager::unit(&format!("hostler@{site}.socket"))?,
            service: manager::unit(&format!("hostler@{site}.service"))?,
            has_socket,
        })
    }

    pub(super) fn socket_is_active(&self) -> bool {
        self.has_socket && self.socket.property("ActiveState") == "active"
    }

    /// Whether one of the site's socket units is for this address.
    pub(super) fn socket_listens_on(&self, address: &Address) -> bool {
        let text = match address {
            Address::Tcp { host: None, port } => format!("[::]:{port}"),
            address => address.to_string(),
        };
        let is_it = |unit: &Unit| {
            let listen = unit.property("Listen");
            listen
                .lines()
                .any(|line| line.trim_end_matches(" (Stream)") == text)
        };
        let more = (2..=9).map_while(|number| {
            let unit = manager::unit(&format!("hostler-{number}@{}.socket", self.site))?;
            (unit.property("LoadState") == "loaded").then_some(unit)
        });
        self.socket_is_active()
            && (is_it(&self.socket) || more.into_iter().any(|unit| is_it(&unit)))
    }
}

/// Looks at the units of a site that is in /etc/hostler.
pub(super) fn look(patient: &Patient<'_>, units: &Units) -> Vec<Entry> {
    let mut entries = Vec::new();
    if units.service.property("LoadState") != "loaded" {
        let state = units.service.property("LoadState");
        return vec![Entry::wrong(
            TOPIC,
            format!(
                "systemd does not know hostler@{}.service ({state})",
                units.site
            ),
            "install hostler with its units (the package, or make install), then systemctl daemon-reload",
        )];
    }
    let in_step = in_step(patient, units);
    let running = running::look(patient, &units.service);
    entries.extend(running.filter(|_| in_step.grade == Grade::Good));
    entries.push(in_step);
    let errors = Errors {
        socket: manager::error_about(&format!("hostler@{}.socket", units.site)),
        service: manager::error_of_service(&format!("hostler@{}.service", units.site)),
    };
    entries.extend(judge(units, &errors));
    entries
}

/// Whether what systemd has is what the generator would make of the settings now.
fn in_step(patient: &Patient<'_>, known: &Units) -> Entry {
    let site = &known.site;
    let Some(name) = SiteName::of_file(patient.file) else {
        return Entry::wrong(
            TOPIC,
            format!("units cannot be called like {}", patient.file.display()),
            "use letters, digits, `-`, `_` and `.` in the file's name",
        );
    };
    let expected = units::units(&name, patient.as_written, patient.file);
    let installed = |path: &Path| {
        let mut found = DIRECTORIES
            .iter()
            .map(|directory| Path::new(directory).join(path));
        found.find_map(|path| fs::read_to_string(path).ok())
    };
    let stale = expected
        .iter()
        .find(|unit| installed(&unit.path).as_ref() != Some(&unit.text));
    if let Some(unit) = stale {
        let what = match installed(&unit.path) {
            None => "systemd has not read the settings yet",
            Some(_) => "the settings have changed since systemd has read them",
        };
        let said = manager::generator_error(site);
        let said = said.filter(|_| installed(&unit.path).is_none());
        let said = said.map(|said| format!("; the generator last said: {said}"));
        return Entry::wrong(
            TOPIC,
            format!(
                "{what} ({}){}",
                unit.path.display(),
                said.unwrap_or_default()
            ),
            "systemctl daemon-reload, then restart what has changed: the socket for [[listen]], the service for [service]",
        );
    }
    let needs = |unit: &Unit| unit.property("NeedDaemonReload") == "yes";
    match needs(&known.service) || needs(&known.socket) {
        true => Entry::wrong(
            TOPIC,
            "a file of the units has changed since systemd has read it",
            "systemctl daemon-reload",
        ),
        false => Entry::good(TOPIC, "systemd has the settings as they are now"),
    }
}

/// The last error of each unit in the journal.
#[derive(Debug, Default)]
struct Errors {
    socket: Option<String>,
    service: Option<String>,
}

/// What the states mean.
fn judge(units: &Units, errors: &Errors) -> Vec<Entry> {
    let mut entries = Vec::new();
    if units.has_socket {
        entries.push(socket(units, errors));
    }
    entries.push(service(units, errors));
    entries
}

fn socket(units: &Units, errors: &Errors) -> Entry {
    let name = format!("hostler@{}.socket", units.site);
    let said = said(errors.socket.as_ref());
    match (
        units.socket.property("ActiveState"),
        units.socket.property("UnitFileState"),
    ) {
        ("active", "enabled") => Entry::good(TOPIC, format!("{name} is enabled and active")),
        ("active", _) => Entry::warning(
            TOPIC,
            format!("{name} is active, and will not be after the next boot"),
            format!("systemctl enable {name}"),
        ),
        ("failed", _) => Entry::wrong(
            TOPIC,
            format!(
                "{name} has failed ({}){said}",
                units.socket.property("Result")
            ),
            format!("correct that, then systemctl restart {name}"),
        ),
        (state, _) => Entry::wrong(
            TOPIC,
            format!("{name} is {state}: nobody listens for the site"),
            format!("systemctl enable --now {name}"),
        ),
    }
}

fn service(units: &Units, errors: &Errors) -> Entry {
    let name = format!("hostler@{}.service", units.site);
    let unit = &units.service;
    let said = said(errors.service.as_ref());
    let status = unit.property("StatusText");
    let status = if status.is_empty() { "" } else { status };
    match (unit.property("ActiveState"), unit.property("SubState")) {
        ("active", _) => Entry::good(TOPIC, format!("{name} is active: {status}")),
        ("failed", _) | (_, "auto-restart") => Entry::wrong(
            TOPIC,
            format!("{name} does not start ({}){said}", unit.property("Result")),
            format!(
                "correct that; journalctl -u {name} has the rest; then systemctl restart {name}"
            ),
        ),
        ("activating", _) => Entry::warning(
            TOPIC,
            format!("{name} is starting: {status}"),
            "wait for it, and look again",
        ),
        _ if units.socket_is_active() => {
            Entry::good(TOPIC, format!("{name} starts with the first connection"))
        }
        _ if units.has_socket => Entry::good(TOPIC, format!("{name} is not started")),
        (state, _) => Entry::wrong(
            TOPIC,
            format!("{name} is {state}, and no socket unit would start it"),
            format!("systemctl enable --now {name}"),
        ),
    }
}

fn said(error: Option<&String>) -> String {
    error.map_or_else(String::new, |error| format!(": {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::entry::lines;

    #[track_caller]
    fn check(socket: &str, service: &str, expected: &[&str]) {
        let units = Units {
            site: "shop".to_owned(),
            socket: Unit::parse(socket),
            service: Unit::parse(service),
            has_socket: !socket.is_empty(),
        };
        let errors = Errors {
            socket: Some("Failed to listen".to_owned()),
            service: Some("no module".to_owned()),
        };
        assert_eq!(lines(&judge(&units, &errors)), expected);
    }

    #[test]
    fn states_become_what_is_to_be_done() {
        check(
            "ActiveState=active\nUnitFileState=enabled",
            "ActiveState=inactive",
            &[
                "Good units: hostler@shop.socket is enabled and active",
                "Good units: hostler@shop.service starts with the first connection",
            ],
        );
        check(
            "ActiveState=inactive\nUnitFileState=disabled",
            "ActiveState=inactive",
            &[
                "Wrong units: hostler@shop.socket is inactive: nobody listens for the site \
                 -> systemctl enable --now hostler@shop.socket",
                "Good units: hostler@shop.service is not started",
            ],
        );
        check(
            "ActiveState=failed\nResult=resources",
            "ActiveState=activating\nSubState=auto-restart\nResult=exit-code",
            &[
                "Wrong units: hostler@shop.socket has failed (resources): Failed to listen \
                 -> correct that, then systemctl restart hostler@shop.socket",
                "Wrong units: hostler@shop.service does not start (exit-code): no module \
                 -> correct that; journalctl -u hostler@shop.service has the rest; then systemctl restart hostler@shop.service",
            ],
        );
        check(
            "ActiveState=active\nUnitFileState=disabled",
            "ActiveState=active\nStatusText=serving with 2 of 2 workers",
            &[
                "Warning units: hostler@shop.socket is active, and will not be after the next boot \
                 -> systemctl enable hostler@shop.socket",
                "Good units: hostler@shop.service is active: serving with 2 of 2 workers",
            ],
        );
        check(
            "",
            "ActiveState=inactive",
            &[
                "Wrong units: hostler@shop.service is inactive, and no socket unit would start it \
                 -> systemctl enable --now hostler@shop.service",
            ],
        );
    }
}
