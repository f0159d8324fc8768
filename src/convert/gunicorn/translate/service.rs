//! What systemd does: users, and everything that stands in a unit.

use std::path::Path;

use crate::convert::{
    account::{Entry, Origin, Verdict},
    gunicorn::unit::Line,
};

use super::{Site, Told, not_needed};

/// Directives of `[Service]` that the shipped units have already, or that hostler's way of life makes needless.
const HAD: &[&str] = &[
    "ExecReload",
    "ExecStop",
    "KillMode",
    "KillSignal",
    "NotifyAccess",
    "PIDFile",
    "PrivateTmp",
    "Restart",
    "RestartSec",
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "StandardError",
    "StandardOutput",
    "SyslogIdentifier",
    "TimeoutStartSec",
    "TimeoutStopSec",
    "TimeoutSec",
    "Type",
];

/// How the names of directives begin that lock a service in, which the shipped service does more thoroughly.
const SANDBOX: &[&str] = &[
    "AmbientCapabilities",
    "CapabilityBoundingSet",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoNewPrivileges",
    "Private",
    "Protect",
    "RemoveIPC",
    "Restrict",
    "SecureBits",
    "SystemCall",
];

/// Directives that have a key of their own in `[service]`.
const KEYS: &[(&str, &str)] = &[
    ("CPUQuota", "cpu-quota"),
    ("LimitNOFILE", "limit-nofile"),
    ("MemoryHigh", "memory-high"),
    ("MemoryMax", "memory-max"),
    ("Nice", "nice"),
    ("TasksMax", "tasks-max"),
    ("UMask", "umask"),
];

/// Units that every service waits for.
const ANYWAY: &[&str] = &[
    "network.target",
    "network-online.target",
    "syslog.target",
    "multi-user.target",
];

const ENABLED: &str = "`systemctl enable hostler@NAME.socket` says when the site is started";

impl Site<'_> {
    pub(super) fn service_setting(&mut self, name: &str) -> Option<Told> {
        Some(match name {
            "user" | "group" => match self.values.text(name) {
                Some(account) => self.moved(name, &account),
                None => not_needed("it is not set"),
            },
            "daemon" => match self.values.switch(name) {
                true => Told::of(Verdict::Moved {
                    directive: "Type=notify-reload".to_owned(),
                    key: String::new(),
                }),
                false => not_needed("systemd keeps the service in the background"),
            },
            _ => return None,
        })
    }

    /// What a unit says beside its command line, and what the socket unit beside it says.
    pub(super) fn service_entries(&mut self) -> Vec<Entry> {
        let Some(unit) = &self.gathered.unit else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        for line in &unit.lines {
            let told = self.unit_line(line);
            entries.push(entry(&unit.path, line, told));
        }
        if let Some(socket) = &unit.socket {
            let lines = socket.lines.iter();
            entries.extend(lines.map(|line| entry(&socket.path, line, self.socket_line(line))));
        }
        entries
    }

    fn socket_line(&self, line: &Line) -> Told {
        match (line.section.as_str(), line.key.as_str()) {
            ("Socket", "ListenStream") => self.as_written("listen", "address"),
            ("Socket", "SocketMode") => self.as_written("listen", "mode"),
            ("Socket", "SocketUser") => self.as_written("listen", "owner"),
            ("Socket", "SocketGroup") => self.as_written("listen", "group"),
            ("Socket", "Backlog") => not_needed("the queue has 4096 places unless [[listen]] backlog says otherwise"),
            ("Socket", "Accept" | "Service") => not_needed("hostler@NAME.socket has its own service"),
            ("Unit", "Description" | "Documentation") => not_needed("it is for people"),
            ("Install", _) => not_needed(ENABLED),
            _ => not_needed("hostler's units have what they need").check(
                "this directive is not about the address; put it into a drop-in of hostler@NAME.socket if it matters",
            ),
        }
    }

    fn unit_line(&mut self, line: &Line) -> Told {
        match (line.section.as_str(), line.key.as_str()) {
            ("Service", "ExecStart") => not_needed("its options are accounted for one by one"),
            ("Service", "User" | "Group") => {
                let key = line.key.to_ascii_lowercase();
                // The process becomes what gunicorn was told to become, and the unit's user is only its beginning.
                match self.given(&key).is_some() {
                    true => not_needed("gunicorn becomes somebody else afterwards"),
                    false => self.moved(&key, &line.value),
                }
            }
            ("Service", "WorkingDirectory") => self.as_kept("app", "chdir"),
            ("Service", "Environment") => self.environment(line),
            ("Service", key) if HAD.contains(&key) => not_needed("the units of hostler say it"),
            ("Service", key) if SANDBOX.iter().any(|known| key.starts_with(known)) => {
                not_needed("the sandbox of hostler@.service has it, or [service] relax takes it away")
            }
            ("Service", key) if KEYS.iter().any(|(known, _)| *known == key) => self.resource(line),
            ("Service", key) => {
                let (key, value) = (key.to_owned(), line.value.clone());
                self.keep("service.directives", &key, value);
                Told::of(Verdict::Moved {
                    directive: format!("{key}="),
                    key: format!("service.directives.{key}"),
                })
            }
            ("Unit", "After" | "Wants" | "Requires") => self.relation(line),
            ("Unit", "Description" | "Documentation") => not_needed("it is for people"),
            ("Install", _) => not_needed(ENABLED),
            _ => not_needed("hostler's units have what they need").check(
                "this directive is not one of the service itself; put it into a drop-in of hostler@NAME.service if \
                 it matters",
            ),
        }
    }

    /// A directive with a key; numbers are numbers there, anything else is a text.
    fn resource(&mut self, line: &Line) -> Told {
        let key = KEYS
            .iter()
            .find(|(known, _)| *known == line.key)
            .map_or("", |(_, key)| key);
        let number = line.value.parse::<i64>().ok().filter(|_| key != "umask");
        match number {
            Some(number) => self.keep("service", key, number),
            None => self.keep("service", key, line.value.as_str()),
        };
        let told = Told::of(Verdict::Moved {
            directive: format!("{}=", line.key),
            key: format!("service.{key}"),
        });
        match line.value.contains("infinity") || line.value.contains(':') {
            true => told.check(format!("write {} as a number", line.value)),
            false => told,
        }
    }

    fn moved(&mut self, key: &str, value: &str) -> Told {
        self.keep("service", key, value);
        let directive = if key == "user" { "User=" } else { "Group=" };
        Told::of(Verdict::Moved {
            directive: directive.to_owned(),
            key: format!("service.{key}"),
        })
    }

    fn environment(&mut self, line: &Line) -> Told {
        let unit = self.gathered.unit.as_ref();
        let pairs = unit.into_iter().flat_map(|unit| &unit.environment);
        let mine: Vec<_> = pairs
            .filter(|(.., number)| *number == line.number)
            .collect();
        let mut kept = not_needed("it is empty, or was taken back");
        for (name, value, _) in mine {
            if name.starts_with("GUNICORN") || name == "WEB_CONCURRENCY" || name == "PORT" {
                continue;
            }
            self.keep("app.env", name, value.as_str());
            kept = Told::of(Verdict::Kept {
                key: "app.env".to_owned(),
                value: line.value.clone(),
            });
        }
        kept
    }

    fn relation(&mut self, line: &Line) -> Told {
        let key = line.key.to_ascii_lowercase();
        let units = line
            .value
            .split_whitespace()
            .filter(|unit| !ANYWAY.contains(unit));
        let (sockets, units): (Vec<&str>, Vec<&str>) =
            units.partition(|unit| unit.ends_with(".socket"));
        let section = self.draft.section("service");
        for unit in &units {
            self.draft.push(section, &key, *unit);
        }
        let told = match units.is_empty() {
            true => not_needed("the units of hostler say it"),
            false => Told::of(Verdict::Moved {
                directive: format!("{}=", line.key),
                key: format!("service.{key}"),
            }),
        };
        let is_read = self
            .gathered
            .unit
            .as_ref()
            .is_some_and(|unit| unit.socket.is_some());
        match sockets.is_empty() || is_read {
            true => told,
            false => told.check(format!(
                "gunicorn gets its socket from {}: write what its ListenStream= says into [[listen]] address, and \
                 disable that unit",
                sockets.join(", ")
            )),
        }
    }
}

fn entry(path: &Path, line: &Line, told: Told) -> Entry {
    Entry {
        origin: Origin {
            source: path.display().to_string().into(),
            line: Some(line.number),
        },
        name: line.key.clone(),
        value: line.value.clone(),
        verdict: told.verdict,
        remarks: told.remarks,
    }
}
