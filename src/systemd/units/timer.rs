//! `[[timer]]` as a timer and the service that it starts (systemd.timer(5)).

use std::path::Path;

use crate::config::{Settings, Timer};

use super::{
    SiteName, Unit, command,
    service::{self, seconds},
    text::Text,
};

/// Both units. The timer stops with `anchor`, which wants it.
pub(super) fn units(
    site: &SiteName,
    settings: &Settings,
    timer: &Timer,
    anchor: &str,
    source: &Path,
) -> [Unit; 2] {
    let name = unit_name(site, timer);
    [
        Unit {
            path: format!("{name}.timer").into(),
            text: timer_unit(site, timer, anchor, source),
        },
        Unit {
            path: format!("{name}.service").into(),
            text: service_unit(site, settings, timer, source),
        },
    ]
}

/// What both units are called, without their types.
pub(super) fn unit_name(site: &SiteName, timer: &Timer) -> String {
    format!("hostler-timer-{}@{site}", timer.name)
}

fn timer_unit(site: &SiteName, timer: &Timer, anchor: &str, source: &Path) -> String {
    let mut text = Text::from(source);
    text.set("Description", &description(site, timer));
    text.set("PartOf", anchor);
    text.section("Timer");
    for event in &timer.on_calendar {
        text.set("OnCalendar", event);
    }
    if !timer.every.0.is_zero() {
        let every = seconds(timer.every.0);
        text.set("OnActiveSec", &every);
        text.set("OnUnitActiveSec", &every);
    }
    // The default of a minute would surprise whoever has used cron.
    text.set("AccuracySec", "1s");
    if !timer.randomized_delay.0.is_zero() {
        text.set("RandomizedDelaySec", &seconds(timer.randomized_delay.0));
    }
    if timer.persistent {
        text.set("Persistent", "yes");
    }
    text.finish()
}

/// The command has what the commands of the site have, see `command`.
fn service_unit(site: &SiteName, settings: &Settings, timer: &Timer, source: &Path) -> String {
    let mut text = Text::from(source);
    text.set("Description", &description(site, timer));
    service::dependencies(settings, &mut text);
    text.section("Service");
    text.set("Type", "oneshot");
    text.set("ExecStart", &command::line(&timer.command));
    if !timer.timeout.0.is_zero() {
        text.set("TimeoutStartSec", &seconds(timer.timeout.0));
    }
    command::surroundings(site, settings, &mut text);
    text.finish()
}

fn description(site: &SiteName, timer: &Timer) -> String {
    format!("hostler, {} of site {site}", timer.name)
}
