//! Whether the service that runs was started with the units as they are now. Most of what `[service]` says counts from a
//! start on alone, and a reload, which people do after a change, changes nothing of it.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::systemd::units::{self, MARK};

use super::{Patient, entry::Entry, manager::Unit};

const TOPIC: &str = "units";
/// Where drop-ins are that people make; all others come with packages, or are made anew whenever systemd reads its units.
const OWN: &str = "/etc/systemd/system";

/// Looks, if the service runs and its units are in step with the settings; `service` is what systemd knows of it.
pub(super) fn look(patient: &Patient<'_>, service: &Unit) -> Option<Entry> {
    if service.property("ActiveState") != "active" {
        return None;
    }
    let name = format!("hostler@{}.service", patient.site);
    let expected = units::mark(patient.as_written, patient.file);
    // Only root may read it.
    let environment = fs::read(format!("/proc/{}/environ", service.property("MainPID")));
    let has_other_mark = environment
        .ok()
        .and_then(|environment| mark(&environment))
        .is_some_and(|mark| mark != expected);
    if has_other_mark {
        return Some(Entry::wrong(
            TOPIC,
            format!(
                "what {name} is told has changed since it was started: [service], or the unit of another hostler"
            ),
            format!("systemctl restart {name}; the socket keeps the connections of that time"),
        ));
    }
    let started = started(service)?;
    let paths = service.property("DropInPaths").split_whitespace();
    let changed = paths
        .map(PathBuf::from)
        .filter(|path| path.starts_with(OWN));
    let changed = changed
        .filter_map(|path| Some((changed_at(&path)?, path)))
        .collect();
    newer(&name, started, changed)
}

/// A drop-in that is newer than the start; it may say the same as before.
fn newer(name: &str, started: Duration, changed: Vec<(Duration, PathBuf)>) -> Option<Entry> {
    let mut changed = changed.into_iter();
    let (_, path) = changed.find(|(changed, _)| *changed > started)?;
    Some(Entry::warning(
        TOPIC,
        format!("{} has changed since {name} was started", path.display()),
        format!("systemctl restart {name}, if that is to count"),
    ))
}

/// The mark among variables with zeroes between.
fn mark(environment: &[u8]) -> Option<String> {
    let mut variables = environment.split(|byte| *byte == 0);
    let value = variables.find_map(|variable| {
        let variable = str::from_utf8(variable).ok()?;
        variable.strip_prefix(MARK)?.strip_prefix('=')
    });
    value.map(str::to_owned)
}

/// When the service was started, which a reload or an upgrade of hostler does not change; by the clock that files have.
fn started(service: &Unit) -> Option<Duration> {
    let since_boot = service.property("InactiveExitTimestampMonotonic");
    let since_boot = Duration::from_micros(since_boot.parse().ok()?);
    let ago = time(ClockId::Monotonic).checked_sub(since_boot)?;
    time(ClockId::Realtime).checked_sub(ago)
}

fn time(clock: ClockId) -> Duration {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    let nanos = u64::try_from(now.tv_nsec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

/// The moment of its last change, be it by a rename.
fn changed_at(path: &Path) -> Option<Duration> {
    let found = fs::metadata(path).ok()?;
    let seconds = u64::try_from(found.ctime()).ok()?;
    let nanos = u64::try_from(found.ctime_nsec()).ok()?;
    Some(Duration::from_secs(seconds) + Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::entry::lines;

    #[test]
    fn the_mark_is_found_among_others() {
        let find = |text: &str| mark(text.as_bytes());
        assert_eq!(find("A=1\0HOSTLER_UNITS=7\0B=2\0").as_deref(), Some("7"));
        assert_eq!(find("A=HOSTLER_UNITS=7\0HOSTLER_UNITSX=8\0"), None);
    }

    #[test]
    fn what_is_older_than_the_start_was_seen_by_it() {
        let at = |seconds, path: &str| (Duration::from_secs(seconds), PathBuf::from(path));
        let newer = |changed| newer("a.service", Duration::from_secs(10), changed);
        assert_eq!(newer(vec![at(9, "/etc/old")]), None);
        let found = newer(vec![at(9, "/etc/old"), at(11, "/etc/new")]);
        assert_eq!(
            lines(&Vec::from_iter(found)),
            [
                "Warning units: /etc/new has changed since a.service was started \
              -> systemctl restart a.service, if that is to count"
            ]
        );
    }
}
