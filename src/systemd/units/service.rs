//! `[service]` as a drop-in of `hostler@SITE.service`.

use std::{path::Path, time::Duration};

use crate::config::{ByteSize, Settings, Timeouts};

use super::{
    MARK, SiteName, Unit, command, mark, relax,
    text::{Text, line, word},
};

/// What the shipped service has.
const LIMIT_NOFILE: u64 = 65_536;

/// What stopping may take beyond `timeouts.reload-mercy`: as in the shipped service, whose 75 seconds are the default of
/// a minute and this.
const SLACK: Duration = Duration::from_secs(15);

/// The drop-in; `wanted` units are started with it.
pub(super) fn drop_in(
    site: &SiteName,
    settings: &Settings,
    wanted: &[String],
    source: &Path,
) -> Unit {
    let mut text = Text::from(source);
    text.set_words("Wants", wanted);
    dependencies(settings, &mut text);
    text.section("Service");
    let mark = mark_of(settings, source);
    text.set("Environment", &format!("{MARK}={mark}"));
    of_service(settings, &mut text);
    Unit::drop_in(&format!("hostler@{site}.service"), text.finish())
}

/// The mark of what the service is told, which cannot be in what it marks.
pub(super) fn mark_of(settings: &Settings, source: &Path) -> String {
    let mut text = Text::from(source);
    text.section("Service");
    of_service(settings, &mut text);
    mark::mark(&text.finish())
}

fn of_service(settings: &Settings, text: &mut Text) {
    let service = &settings.service;
    account(settings, text);
    resources(settings, text);
    let mercy = settings.timeouts.reload_mercy;
    if mercy != Timeouts::default().reload_mercy {
        text.set("TimeoutStopSec", &seconds(mercy.0 + SLACK));
    }
    for (name, value) in &service.environment {
        text.set("Environment", &word(&format!("{name}={value}")));
    }
    files(settings, text);
    text.copy(relax::relaxations(settings));
    commands(settings, text);
    for (name, values) in &service.directives {
        for value in &values.0 {
            text.set(name, value);
        }
    }
}

/// What runs before and after the site, in its service.
fn commands(settings: &Settings, text: &mut Text) {
    let service = &settings.service;
    for (key, commands) in [
        ("ExecStartPre", &service.exec_start_pre),
        ("ExecStartPost", &service.exec_start_post),
        ("ExecStopPost", &service.exec_stop_post),
    ] {
        for one in commands {
            text.set(key, &command::line_in_service(settings, one));
        }
    }
}

/// Units that the site and its commands need.
pub(super) fn dependencies(settings: &Settings, text: &mut Text) {
    let service = &settings.service;
    text.set_words("Wants", &service.wants);
    text.set_words("Requires", &service.requires);
    text.set_words("After", &service.after);
}

/// Who runs the site and its commands.
pub(super) fn account(settings: &Settings, text: &mut Text) {
    let service = &settings.service;
    text.set_some("User", service.user.as_deref());
    text.set_some("Group", service.group.as_deref());
    text.set_words("SupplementaryGroups", &service.supplementary_groups);
    text.set_some("UMask", service.umask.map(|umask| umask.to_string()));
}

/// What the site and its commands may use; each of them has its own share.
pub(super) fn resources(settings: &Settings, text: &mut Text) {
    let service = &settings.service;
    for (key, size) in [
        ("MemoryMax", service.memory_max),
        ("MemoryHigh", service.memory_high),
    ] {
        if size != ByteSize(0) {
            text.set(key, &size.0.to_string());
        }
    }
    text.set_some("CPUQuota", service.cpu_quota.map(|quota| quota.to_string()));
    for (key, number) in [
        ("TasksMax", service.tasks_max),
        ("LimitNOFILE", descriptors(settings)),
    ] {
        if number != 0 {
            text.set(key, &number.to_string());
        }
    }
    if service.nice != 0 {
        text.set("Nice", &service.nice.to_string());
    }
}

/// Files that the site and its commands see, and how.
pub(super) fn files(settings: &Settings, text: &mut Text) {
    let service = &settings.service;
    let shown = |paths: &[std::path::PathBuf]| -> Vec<String> {
        let paths = paths.iter().map(|path| path.to_string_lossy().into_owned());
        paths.collect()
    };
    text.set_words("ReadWritePaths", shown(&service.read_write_paths));
    text.set_words("ReadOnlyPaths", shown(&service.read_only_paths));
    for (name, path) in &service.credentials {
        let credential = format!("{name}:{}", path.display());
        text.set("LoadCredential", &line(&credential));
    }
}

/// 0: the shipped limit is enough.
fn descriptors(settings: &Settings) -> u64 {
    match settings.service.limit_nofile {
        0 if settings.limits.max_fd > LIMIT_NOFILE => settings.limits.max_fd,
        limit => limit,
    }
}

/// Whole seconds, rounded up: systemd's smallest unit is larger than ours.
pub(super) fn seconds(time: Duration) -> String {
    let rest = u64::from(time.subsec_nanos() > 0);
    format!("{}s", time.as_secs() + rest)
}
