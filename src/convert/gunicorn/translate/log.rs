//! `[log]`.

use crate::config::{AccessFormat, LogTarget, SyslogFacility};

use super::{Site, Told, format, not_needed, not_possible};

/// The machine's own syslog.
const OWN: &str = "/dev/log";

impl Site<'_> {
    pub(super) fn log_setting(&mut self, name: &str) -> Option<Told> {
        Some(match name {
            "accesslog" => self.access_log(),
            "access_log_format" => self.access_format(),
            "errorlog" => self.error_log(),
            "loglevel" => self.level(),
            "syslog" => match self.values.switch(name) {
                true => self.syslog(),
                false => not_needed("it is off anyway"),
            },
            "syslog_facility" => self.facility(),
            "syslog_prefix" => self.prefix(),
            "syslog_addr" => match self.values.switch("syslog") {
                true => self.syslog(),
                false => not_needed("it is about syslog, which is off"),
            },
            _ => return None,
        })
    }

    fn access_log(&mut self) -> Told {
        let Some(target) = self.values.text("accesslog") else {
            return not_needed("requests are not logged anyway");
        };
        let told = self.keep("log", "access", true);
        match target.as_str() {
            "-" => told,
            path => {
                let path = self.log_file(path);
                self.keep("log", "access-to", vec![path])
                    .remark("log.access = true switches the entries on; the directory has to be writable for the site")
            }
        }
    }

    fn access_format(&mut self) -> Told {
        if self.values.text("accesslog").is_none() {
            return not_needed("requests are not logged");
        }
        let text = self.values.text("access_log_format").unwrap_or_default();
        let (ours, unknown) = format::translate(&text);
        if ours.parse::<AccessFormat>().is_err() {
            return not_possible(
                "nothing of it can be said here",
                "[log] access-format with variables like %(uri)",
            );
        }
        let told = self.keep("log", "access-format", ours);
        match unknown.is_empty() {
            true => told,
            false => told.check(format!(
                "{} is no variable, and a dash in gunicorn too",
                unknown.join(" and ")
            )),
        }
    }

    fn error_log(&mut self) -> Told {
        match self.values.text("errorlog").as_deref() {
            None | Some("-") => not_needed("the log goes to the journal, or to standard error"),
            Some(path) => {
                let path = self.log_file(path);
                self.keep("log", "to", vec![path])
                    .remark("the directory has to be writable for the site; the journal needs none")
            }
        }
    }

    fn level(&mut self) -> Told {
        let level = self
            .values
            .text("loglevel")
            .unwrap_or_default()
            .to_ascii_lowercase();
        match level.as_str() {
            "info" => not_needed("it is the default"),
            "debug" | "warning" | "error" => self.keep("log", "level", level),
            "critical" => self.keep("log", "level", "error"),
            // What Python's logging does not know, gunicorn takes for this.
            _ => not_needed("gunicorn takes it for info, which is the default"),
        }
    }

    fn syslog(&mut self) -> Told {
        let address = self.values.text("syslog_addr").unwrap_or_default();
        let target = match address.split_once("://") {
            Some(("udp", "")) => "syslog:localhost:514".to_owned(),
            Some(("udp", peer)) => {
                let has_port = !peer.ends_with(']') && peer.contains(':');
                format!("syslog:{peer}{}", if has_port { "" } else { ":514" })
            }
            Some(("unix", path)) => match path.split('#').next().unwrap_or_default() {
                OWN => "syslog".to_owned(),
                path => format!("syslog:{path}"),
            },
            _ => String::new(),
        };
        match target.parse::<LogTarget>() {
            Ok(_) => {
                if !self.values.switch("disable_redirect_access_to_syslog") {
                    self.keep("log", "access", true);
                }
                self.keep("log", "to", vec![target])
            }
            Err(_) => not_possible(
                "syslog is spoken over UDP and Unix sockets alone",
                "\"syslog\" in [log] to, the machine's own syslog, which may send it on",
            ),
        }
    }

    fn facility(&mut self) -> Told {
        if !self.values.switch("syslog") {
            return not_needed("it is about syslog, which is off");
        }
        let name = self.values.text("syslog_facility").unwrap_or_default();
        let name = match name.to_ascii_lowercase().as_str() {
            "security" => "auth".to_owned(),
            name => name.to_owned(),
        };
        match SyslogFacility::ALL.iter().any(|known| known.name() == name) {
            true => self.keep("log", "syslog-facility", name),
            false => not_needed("it is no facility, and gunicorn refuses it"),
        }
    }

    fn prefix(&mut self) -> Told {
        let prefix = self.values.text("syslog_prefix").unwrap_or_default();
        match (self.values.switch("syslog"), prefix) {
            (false, _) => not_needed("it is about syslog, which is off"),
            (true, prefix) if prefix.is_empty() => not_needed("it is empty"),
            (true, prefix) => self
                .keep("log", "syslog-identifier", prefix)
                .remark("gunicorn puts its own name in front, and `access` or `error` behind"),
        }
    }

    fn log_file(&self, path: &str) -> String {
        format!("file:{}", self.gathered.directory.join(path).display())
    }
}
