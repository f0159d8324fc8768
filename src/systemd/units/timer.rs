//! `[[timer]]` as a timer and the service that it starts (systemd.timer(5)).

use std::path::Path;

use crate::config::{Settings, Timer};

use super::{
    SiteName, Unit, relax, service,
    service::seconds,
    shipped,
    text::{Text, argument, line, word},
};

/// Where programs are looked for behind the virtual environment, as systemd does for every service.
const PROGRAMS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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

/// The command has the user, the sandbox and the environment of the site, and a share of resources like it. It has no
/// runtime directory: that would be removed with the end of the command, and it is the service's.
fn service_unit(site: &SiteName, settings: &Settings, timer: &Timer, source: &Path) -> String {
    let mut text = Text::from(source);
    text.set("Description", &description(site, timer));
    service::dependencies(settings, &mut text);
    text.section("Service");
    text.set("Type", "oneshot");
    let command = timer.command.iter().map(|each| argument(each));
    text.set("ExecStart", &command.collect::<Vec<_>>().join(" "));
    if !timer.timeout.0.is_zero() {
        text.set("TimeoutStartSec", &seconds(timer.timeout.0));
    }
    text.set("Slice", "hostler.slice");
    text.set("LogExtraFields", &format!("HOSTLER_SITE={site}"));
    for kind in ["StateDirectory", "CacheDirectory", "LogsDirectory"] {
        text.set(kind, &format!("hostler/{site}"));
    }
    environment(settings, &mut text);
    text.copy(shipped::sandbox());
    service::account(settings, &mut text);
    service::resources(settings, &mut text);
    service::files(settings, &mut text);
    text.copy(relax::relaxations(settings));
    text.finish()
}

/// What the application has: its directory, its interpreter first on the path, its variables.
fn environment(settings: &Settings, text: &mut Text) {
    let app = &settings.app;
    let chdir = app.chdir.as_ref().map(|path| line(&path.to_string_lossy()));
    text.set_some("WorkingDirectory", chdir);
    let virtualenv = app.virtualenv.as_ref().map(|path| path.to_string_lossy());
    let programs = match &virtualenv {
        Some(path) => format!("{}/bin:{PROGRAMS}", line(path)),
        None => PROGRAMS.to_owned(),
    };
    text.set("ExecSearchPath", &programs);
    let path = app.python_path.iter().map(|path| path.to_string_lossy());
    let path = path.collect::<Vec<_>>().join(":");
    let path = (!path.is_empty()).then_some(("PYTHONPATH", path.as_str()));
    let virtualenv = virtualenv.as_deref().map(|path| ("VIRTUAL_ENV", path));
    let service = settings.service.environment.iter();
    let given = service.chain(&app.env);
    let given = given.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in virtualenv.into_iter().chain(path).chain(given) {
        text.set("Environment", &word(&format!("{name}={value}")));
    }
}

fn description(site: &SiteName, timer: &Timer) -> String {
    format!("hostler, {} of site {site}", timer.name)
}
