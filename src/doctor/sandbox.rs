//! The import in the surroundings of the real service: its sandbox, its credentials, its share of resources.
//!
//! What the service manager has for the service is taken as it stands, people's own drop-ins included, and runs this
//! program in place of the server, once, as a unit of its own in /run, which goes again. Nothing of the service itself
//! is touched: it may be running.

use std::{
    env, fs,
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use rustix::process::geteuid;
use serde_json::Value;

use crate::systemd::units::{SiteName, command_line};

use super::{
    Patient,
    entry::{Entry, Grade},
    manager::{self, Unit},
};

const TOPIC: &str = "sandbox";
/// Units that go with the next boot at the latest.
const UNITS: &str = "/run/systemd/system";
/// The first part of a unit's name; the number of a process and the site follow.
const PREFIX: &str = "hostler-doctor";
/// What the import may take beyond `timeouts.start`, of which the process itself says more.
const SLACK: Duration = Duration::from_secs(30);
/// Settings that are about more than one start, or that add to what is run.
const FOREIGN: [&str; 12] = [
    "Exec",
    "FileDescriptorStore",
    "KillMode",
    "NotifyAccess",
    "OOMPolicy",
    "Restart",
    "RuntimeDirectory",
    "Sockets",
    "Standard",
    "Timeout",
    "Type",
    "Watchdog",
];
/// Settings that begin like those, and belong to the sandbox.
const OURS: [&str; 3] = ["ExecPaths", "ExecSearchPath", "NoExecPaths"];

/// Why systemd has no process, by its exit code (systemd.exec(5), "Process Exit Codes").
const REASONS: [(&str, &str); 5] = [
    ("203", "hostler cannot be executed there"),
    ("216", "the group cannot be had"),
    ("217", "the user cannot be had"),
    (
        "226",
        "its view of the file system cannot be made: a path of [service] is missing",
    ),
    ("243", "a credential cannot be read"),
];

/// The unit, and the file that it writes into. Both go with it.
struct Trial {
    name: String,
    file: PathBuf,
    output: tempfile::TempDir,
}

/// Whether the sandbox is there to be used.
pub(super) fn exists(patient: &Patient<'_>) -> bool {
    let is_managed = patient.is_service && manager::is_booted() && geteuid().is_root();
    is_managed && SiteName::of_file(patient.file).is_some()
}

/// What is found of the application by a process in the sandbox; the error is that there is no such process.
pub(super) fn look(patient: &Patient<'_>) -> Result<Entry, Entry> {
    let service = format!("hostler@{}.service", patient.site);
    let failed = |error: io::Error| {
        let message = format!("the application cannot be imported as {service} would: {error}");
        Entry::warning(TOPIC, message, "it is imported outside of the sandbox")
    };
    let text = manager::text(&service).ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
    let trial = Trial::new(&text, patient).map_err(failed)?;
    let unit = trial.run();
    let output = fs::read_to_string(trial.output()).map_err(failed)?;
    judge(&service, &output, &unit)
}

impl Trial {
    fn new(text: &str, patient: &Patient<'_>) -> io::Result<Self> {
        let name = format!("{PREFIX}-{}@{}.service", process::id(), patient.site);
        let output = tempfile::Builder::new()
            .prefix("hostler-doctor-")
            .tempdir_in("/run")?;
        let trial = Self {
            file: Path::new(UNITS).join(&name),
            name,
            output,
        };
        let program = env::current_exe()?.to_string_lossy().into_owned();
        let file = patient.file.to_string_lossy().into_owned();
        let words = ["doctor", "--json", "--inside"].map(str::to_owned);
        let command = [vec![program], words.into(), vec![file]].concat();
        let own = own(&command, &trial.output(), patient.settings.timeouts.start.0);
        fs::create_dir_all(UNITS)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&trial.file)?;
        file.write_all((of_service(text) + &own).as_bytes())?;
        Ok(trial)
    }

    fn output(&self) -> PathBuf {
        self.output.path().join("output")
    }

    /// Waits for its end; what systemd knows of it then.
    fn run(&self) -> Unit {
        manager::act(&["start", &self.name]);
        manager::unit(&self.name).unwrap_or_default()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
        // One that has failed would be shown until the next boot.
        manager::act(&["reset-failed", &self.name]);
    }
}

/// Of a unit and its drop-ins, one behind the other, what is said of one process of the service.
fn of_service(text: &str) -> String {
    let mut of_service = String::from("[Service]\n");
    let (mut is_meant, mut is_foreign, mut goes_on) = (false, false, false);
    for line in text.lines() {
        let begins = !goes_on;
        goes_on = line.ends_with('\\');
        if begins && line.starts_with('[') {
            is_meant = line.trim_end() == "[Service]";
            continue;
        }
        if begins {
            let starts = |keys: &[&str]| keys.iter().any(|key| line.trim_start().starts_with(key));
            is_foreign = starts(&FOREIGN) && !starts(&OURS);
        }
        if is_meant && !is_foreign {
            of_service += line;
            of_service.push('\n');
        }
    }
    of_service
}

/// What is different from the service. The directory for what runs would be removed with the end of the process.
fn own(command: &[String], output: &Path, patience: Duration) -> String {
    format!(
        "\nType=oneshot\nExecStart={}\nSuccessExitStatus=1\nTimeoutStartSec={}\n\
         StandardOutput=truncate:{}\nStandardError=null\n\
         Environment=RUNTIME_DIRECTORY=/run/hostler/%i\nReadWritePaths=-/run/hostler/%i\n",
        command_line(command),
        (patience + SLACK).as_secs(),
        output.display(),
    )
}

/// The one entry of the process in there, or why there was none.
fn judge(service: &str, output: &str, unit: &Unit) -> Result<Entry, Entry> {
    if let Some(entry) = entry(output) {
        return Ok(entry);
    }
    let (result, code) = (unit.property("Result"), unit.property("ExecMainStatus"));
    let reason = REASONS.iter().find(|(known, _)| *known == code);
    let reason = reason.map_or_else(
        || format!("{result}, exit code {code}"),
        |(_, reason)| (*reason).to_owned(),
    );
    Err(Entry::wrong(
        TOPIC,
        format!("systemd cannot make a process as that of {service}: {reason}"),
        format!(
            "journalctl -t systemd -g {PREFIX} has its words; what it says of that process holds for the service"
        ),
    ))
}

fn entry(output: &str) -> Option<Entry> {
    let report: Value = serde_json::from_str(output).ok()?;
    let entry = report["entries"].as_array()?.first()?;
    let text = |key: &str| entry[key].as_str().map(str::to_owned);
    let topic = super::application::TOPIC;
    let (message, advice) = (text("message")?, text("advice").unwrap_or_default());
    let entry = match text("grade")?.as_str() {
        "good" => Entry::good(topic, message),
        "warning" => Entry::warning(topic, message, advice),
        _ => Entry::wrong(topic, message, advice),
    };
    Some(Entry {
        detail: text("detail"),
        ..entry
    })
}

/// What it means that the same goes well outside.
pub(super) fn only_inside(inside: Entry) -> Entry {
    debug_assert_ne!(inside.grade, Grade::Good);
    Entry {
        message: format!("only in the sandbox of the service: {}", inside.message),
        advice: Some(
            "give back what it needs: relax, read-write-paths or credentials of [service], see docs/service.md"
                .to_owned(),
        ),
        ..inside
    }
}
