//! Units of the service manager, made from the settings of a site: `[[listen]]`, `[service]`, `[[timer]]`, `[[daemon]]`.
//!
//! Pure functions from settings to text, but for `generator`, which reads and writes directories. What all sites have in
//! common is in the units that are shipped (`systemd/system/`); what is made here are drop-ins for them that say what
//! is different, and whole units for timers and daemons. The server reads none of it.

mod command;
mod daemon;
mod generator;
mod mark;
mod name;
mod relax;
mod service;
mod shipped;
mod socket;
mod tell;
mod text;
mod timer;

use std::path::{Path, PathBuf};

use crate::config::Settings;

pub(crate) use command::line as command_line;
pub(crate) use generator::{Places, UnitsError, generate, write};
pub(crate) use mark::MARK;
pub(crate) use name::SiteName;
pub(crate) use tell::tell;

/// Name of our file in a directory of drop-ins.
const DROP_IN: &str = "50-hostler.conf";

/// A unit, or a drop-in of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unit {
    /// Below a directory of units.
    pub(crate) path: PathBuf,
    /// All of it.
    pub(crate) text: String,
}

impl Unit {
    fn drop_in(unit: &str, text: String) -> Self {
        Self {
            path: Path::new(&format!("{unit}.d")).join(DROP_IN),
            text,
        }
    }
}

/// Everything that systemd has to know of a site. `source` is its settings file, absolute.
pub(crate) fn units(site: &SiteName, settings: &Settings, source: &Path) -> Vec<Unit> {
    let sockets = socket::Sockets::new(site, settings);
    let anchor = match sockets.is_empty() {
        true => format!("hostler@{site}.service"),
        false => format!("hostler@{site}.socket"),
    };
    let timers = settings.timer.iter();
    let timers: Vec<String> = timers
        .map(|each| format!("{}.timer", timer::unit_name(site, each)))
        .collect();
    let mut units = sockets.units(site, &timers, source);
    let daemons = settings.daemon.iter();
    let mut wanted: Vec<String> = daemons.map(|each| daemon::unit_name(site, each)).collect();
    if sockets.is_empty() {
        wanted.extend(timers);
    }
    units.push(service::drop_in(site, settings, &wanted, source));
    for timer in &settings.timer {
        units.extend(timer::units(site, settings, timer, &anchor, source));
    }
    for daemon in &settings.daemon {
        units.push(daemon::unit(site, settings, daemon, source));
    }
    units
}

/// The mark that a service of these settings has in its environment, see [`MARK`].
pub(crate) fn mark(settings: &Settings, source: &Path) -> String {
    service::mark_of(settings, source)
}

/// Whether systemd listens on anything for a site; if not, hostler does so itself, and the service is what is enabled.
pub(crate) fn has_socket(site: &SiteName, settings: &Settings) -> bool {
    !socket::Sockets::new(site, settings).is_empty()
}

/// What stands in place of the sockets of a site whose settings are no good, and never were since the machine started:
/// without an address systemd refuses the socket unit, which is better than listening where nobody has asked for it.
pub(crate) fn refusal(site: &SiteName, reason: &str) -> Unit {
    let mut text = text::Text::new(reason);
    text.section("Socket");
    text.set("ListenStream", "");
    Unit::drop_in(&format!("hostler@{site}.socket"), text.finish())
}

#[cfg(test)]
mod tests;
