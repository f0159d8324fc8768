//! What the service manager and the journal say of units, asked by `systemctl` and `journalctl`.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

/// systemd makes it when it is PID 1 (sd_booted(3)).
const BOOTED: &str = "/run/systemd/system";
/// Entries of the journal that are read for one question.
const MOST_ENTRIES: &str = "2000";

/// What is known of a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unit(BTreeMap<String, String>);

impl Unit {
    /// A property, empty where the manager knows none.
    pub(super) fn property(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Of lines `Name=value`.
    pub(super) fn parse(text: &str) -> Self {
        let mut properties = BTreeMap::<String, String>::new();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            // A property that has several values has several lines.
            let known = properties.entry(name.to_owned()).or_default();
            if !known.is_empty() {
                known.push('\n');
            }
            known.push_str(value);
        }
        Self(properties)
    }
}

/// Whether systemd runs this machine.
pub(super) fn is_booted() -> bool {
    Path::new(BOOTED).is_dir()
}

/// A unit; `None` when the manager does not answer.
pub(super) fn unit(name: &str) -> Option<Unit> {
    output("systemctl", &["show", "--", name]).map(|text| Unit::parse(&text))
}

/// A unit as it is on the disk, with its drop-ins behind it; `None` when there is none.
pub(super) fn text(name: &str) -> Option<String> {
    output("systemctl", &["cat", "--", name])
}

/// Tells the manager to do something, and waits for it. How that went is seen by what the unit is then.
pub(super) fn act(arguments: &[&str]) {
    output("systemctl", arguments);
}

/// What says only that something else was said.
const EMPTY_WORDS: [&str; 5] = [
    "Failed to listen on",
    "Failed to receive listening socket",
    "Failed to start",
    "Failed with result",
    "the service cannot start",
];

/// The last error that a service has written into the journal of this boot.
pub(super) fn error_of_service(unit: &str) -> Option<String> {
    let unit = format!("_SYSTEMD_UNIT={unit}");
    telling(&journal(&["--priority=err", "--lines=20", &unit]))
}

/// The last error that the manager has about a unit.
pub(super) fn error_about(unit: &str) -> Option<String> {
    let unit = format!("UNIT={unit}");
    telling(&journal(&["--priority=warning", "--lines=20", &unit]))
}

/// The first line of the last entry that says something; a traceback follows its message.
fn telling(messages: &[String]) -> Option<String> {
    let is_empty = |message: &&String| EMPTY_WORDS.iter().any(|words| message.contains(words));
    let message = messages.iter().rfind(|message| !is_empty(message))?;
    message.lines().next().map(str::to_owned)
}

/// What the generator has last said of a site.
pub(super) fn generator_error(site: &str) -> Option<String> {
    let site = format!("HOSTLER_SITE={site}");
    journal(&["--lines=1", "SYSLOG_IDENTIFIER=hostler-generator", &site]).pop()
}

/// What the kernel and the audit system have said since the boot.
pub(super) fn kernel() -> Vec<String> {
    let lines = format!("--lines={MOST_ENTRIES}");
    journal(&[&lines, "_TRANSPORT=kernel", "+", "_TRANSPORT=audit"])
}

fn journal(matches: &[&str]) -> Vec<String> {
    let options = ["--quiet", "--boot", "--all", "--output=json"];
    let text = output("journalctl", &[&options[..], matches].concat()).unwrap_or_default();
    let entries = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    entries
        .filter_map(|entry| Some(entry.get("MESSAGE")?.as_str()?.to_owned()))
        .collect()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output = command.env("SYSTEMD_PAGER", "").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_stands_before_the_failure() {
        let messages = ["old", "a: b\nTraceback", "the service cannot start"];
        let messages = messages.map(str::to_owned);
        assert_eq!(telling(&messages).as_deref(), Some("a: b"));
        assert_eq!(telling(&messages[2..]), None);
    }

    #[test]
    fn properties_may_have_several_values() {
        let unit = Unit::parse(
            "ActiveState=active\nListen=/run/a (Stream)\nListen=[::]:80 (Stream)\nBad\n",
        );
        assert_eq!(unit.property("ActiveState"), "active");
        assert_eq!(unit.property("Listen"), "/run/a (Stream)\n[::]:80 (Stream)");
        assert_eq!(unit.property("Nothing"), "");
    }
}
