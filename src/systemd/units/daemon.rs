//! `[[daemon]]` as a service beside that of the site.

use std::path::Path;

use crate::config::{Daemon, Settings};

use super::{SiteName, Unit, command, service, text::Text};

/// How long a daemon that has ended is left alone before it is started again.
const PAUSE: &str = "5s";

/// The unit. It is wanted by the site's service, starts behind it and ends with it, whyever that ends.
pub(super) fn unit(site: &SiteName, settings: &Settings, daemon: &Daemon, source: &Path) -> Unit {
    Unit {
        path: unit_name(site, daemon).into(),
        text: text(site, settings, daemon, source),
    }
}

/// What it is called.
pub(super) fn unit_name(site: &SiteName, daemon: &Daemon) -> String {
    format!("hostler-daemon-{}@{site}.service", daemon.name)
}

fn text(site: &SiteName, settings: &Settings, daemon: &Daemon, source: &Path) -> String {
    let of_site = format!("hostler@{site}.service");
    let mut text = Text::from(source);
    text.set(
        "Description",
        &format!("hostler, {} of site {site}", daemon.name),
    );
    text.set("BindsTo", &of_site);
    text.set("PartOf", &of_site);
    text.set("After", &of_site);
    // They share one /tmp, where sockets may lie.
    text.set("JoinsNamespaceOf", &of_site);
    // As often as it takes: it is the pause that keeps a daemon that cannot start from using up the machine.
    text.set("StartLimitIntervalSec", "0");
    service::dependencies(settings, &mut text);
    text.section("Service");
    text.set("Type", "exec");
    text.set("ExecStart", &command::line(&daemon.command));
    if daemon.restart {
        text.set("Restart", "always");
        text.set("RestartSec", PAUSE);
    }
    command::surroundings(site, settings, &mut text);
    // The directory is the site's service's, which makes and removes it.
    text.set("ReadWritePaths", &format!("-/run/hostler/{site}"));
    text.finish()
}
