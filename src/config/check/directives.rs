//! The rules of `[service] directives`: whatever systemd knows, but for what hostler has a key for or depends on.

use super::problem;
use crate::config::{
    error::{Part, Problem},
    schema::Service,
};

/// Directives that settings decide, and by which key.
const HAVE_A_KEY: [(&str, &str); 25] = [
    ("AmbientCapabilities", "service.relax"),
    ("CapabilityBoundingSet", "service.relax"),
    ("CPUQuota", "service.cpu-quota"),
    ("Environment", "service.environment"),
    ("ExecStartPost", "service.exec-start-post"),
    ("ExecStartPre", "service.exec-start-pre"),
    ("ExecStopPost", "service.exec-stop-post"),
    ("Group", "service.group"),
    ("LimitNOFILE", "service.limit-nofile"),
    ("LoadCredential", "service.credentials"),
    ("LoadCredentialEncrypted", "service.credentials"),
    ("MemoryHigh", "service.memory-high"),
    ("MemoryMax", "service.memory-max"),
    ("Nice", "service.nice"),
    ("ReadOnlyPaths", "service.read-only-paths"),
    ("ReadWritePaths", "service.read-write-paths"),
    ("SetCredential", "service.credentials"),
    ("SupplementaryGroups", "service.supplementary-groups"),
    ("TasksMax", "service.tasks-max"),
    ("TimeoutStartSec", "timeouts.start"),
    ("TimeoutStopSec", "timeouts.reload-mercy"),
    ("TimeoutSec", "timeouts.start and timeouts.reload-mercy"),
    ("UMask", "service.umask"),
    ("User", "service.user"),
    ("WorkingDirectory", "app.chdir"),
];

/// Directives that hostler's own working depends on: how it starts, says that it is ready, and ends.
const OURS: [&str; 21] = [
    "BusName",
    "DynamicUser",
    "ExecCondition",
    "ExecReload",
    "ExecStart",
    "ExecStop",
    "FileDescriptorStoreMax",
    "GuessMainPID",
    "KillMode",
    "KillSignal",
    "NonBlocking",
    "NotifyAccess",
    "PIDFile",
    "PassEnvironment",
    "RemainAfterExit",
    "RootDirectoryStartOnly",
    "RuntimeDirectory",
    "SendSIGKILL",
    "Sockets",
    "Type",
    "UnsetEnvironment",
];

pub(super) fn check(service: &Service) -> Result<(), Problem> {
    for (name, values) in &service.directives {
        let key = ["service", "directives", name];
        is_name(&key, name)?;
        if let Some((_, ours)) = HAVE_A_KEY.iter().find(|(known, _)| known == name) {
            let message = format!("`{name}=` is what {ours} says; write it there");
            return Err(problem(&key, Part::Key, message));
        }
        if OURS.contains(&name.as_str()) {
            let message =
                format!("`{name}=` is set by hostler, which could not work otherwise; remove it");
            return Err(problem(&key, Part::Key, message));
        }
        for (number, value) in values.0.iter().enumerate() {
            is_line(&[&key[..], &[&number.to_string()]].concat(), value)?;
        }
    }
    Ok(())
}

/// As systemd writes them: `IOWeight`, `CPUAffinity`.
fn is_name(key: &[&str], name: &str) -> Result<(), Problem> {
    if name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphanumeric())
    {
        return Ok(());
    }
    let message =
        format!("`{name}` is not the name of a directive; write for example IOWeight = \"50\"");
    Err(problem(key, Part::Key, message))
}

/// One value ends with its line (systemd.syntax(7)).
fn is_line(key: &[&str], value: &str) -> Result<(), Problem> {
    match value.contains(|c: char| c.is_control() && c != '\t') || value.ends_with('\\') {
        true => Err(problem(
            key,
            Part::Value,
            "the value of a directive is one line; write a list for several",
        )),
        false => Ok(()),
    }
}
