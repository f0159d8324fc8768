//! Entries as syslog daemons take them: RFC 5424 with our fields as structured data, and for the machine's own syslog the
//! form of syslog(3), because journald, which listens there, reads no other.

use std::process;

use crate::config::SyslogFacility;

use super::{Role, clock::moment, entry::Entry, line, targets::Parts};

/// RFC 5424 section 6.2.4.
const LONGEST_HOST: usize = 255;
/// What stands where there is nothing (NILVALUE).
const NOTHING: &str = "-";

/// What all entries of a process have in common.
#[derive(Debug)]
pub(super) struct Syslog {
    facility: SyslogFacility,
    /// APP-NAME.
    identifier: String,
    /// HOSTNAME.
    host: String,
}

impl Syslog {
    pub(super) fn new(facility: SyslogFacility, identifier: &str) -> Self {
        let name = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let is_plain = |letter: &char| letter.is_ascii_graphic();
        let host: String = name.chars().filter(is_plain).take(LONGEST_HOST).collect();
        Self {
            facility,
            identifier: identifier.to_owned(),
            host: if host.is_empty() {
                NOTHING.to_owned()
            } else {
                host
            },
        }
    }

    /// RFC 5424; `entry` has the fields.
    pub(super) fn message(&self, parts: Parts<'_>, entry: &Entry) -> String {
        let Self {
            facility,
            identifier,
            host,
        } = self;
        let priority = self.priority(*facility, parts);
        let (time, process) = (moment(None), process::id());
        let fields = String::from_utf8_lossy(entry.bytes());
        let message = parts.message.trim_end();
        format!("<{priority}>1 {time} {host} {identifier} {process} - {fields}] {message}")
    }

    /// As syslog(3) writes to /dev/log.
    pub(super) fn local(&self, parts: Parts<'_>) -> String {
        let priority = self.priority(self.facility, parts);
        let time = moment(Some(c"%b %e %H:%M:%S"));
        let (identifier, process) = (&self.identifier, process::id());
        let mut who = String::new();
        if !parts.is_bare {
            line::put_who(&mut who, parts.role, parts.speaker);
            who.push_str(": ");
        }
        let message = parts.message.trim_end();
        format!("<{priority}>{time} {identifier}[{process}]: {who}{message}")
    }

    /// RFC 5424 section 6.2.1.
    fn priority(&self, facility: SyslogFacility, parts: Parts<'_>) -> u8 {
        facility.number() * 8 + parts.priority.number()
    }
}

/// The beginning of the structured data, with what every entry has; the number is the one that RFC 5612 keeps for those who
/// have none of their own.
pub(super) fn element(site: &str, role: Role) -> Entry {
    Entry::structured("[hostler@32473", site, role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Priority;

    const PARTS: Parts<'_> = Parts {
        priority: Priority::WARNING,
        role: Role::Worker(3),
        speaker: "stdout",
        message: "hello\n",
        is_bare: false,
    };

    fn syslog() -> Syslog {
        Syslog {
            facility: SyslogFacility::Local0,
            identifier: "shop".to_owned(),
            host: "web1".to_owned(),
        }
    }

    #[test]
    fn a_message_has_our_fields_as_structured_data() {
        let mut entry = element("shop", Role::Worker(3));
        entry.put("X", "a\"b]c\\d\ne");
        entry.put_some("Y", "");
        let message = syslog().message(PARTS, &entry);
        let (head, rest) = message.split_at("<132>1 2026-11-20T08:53:33.123Z".len());
        assert!(
            head.starts_with("<132>1 20") && head.ends_with('Z'),
            "{head}"
        );
        let expected = format!(
            " web1 shop {} - [hostler@32473 HOSTLER_SITE=\"shop\" HOSTLER_ROLE=\"worker\" HOSTLER_WORKER=\"3\" \
             X=\"a\\\"b\\]c\\\\d e\"] hello",
            process::id()
        );
        assert_eq!(rest, expected);
    }

    #[test]
    fn the_machines_own_syslog_has_who_speaks_in_its_text() {
        let message = syslog().local(PARTS);
        let expected = format!(" shop[{}]: worker 3 stdout: hello", process::id());
        assert!(
            message.starts_with("<132>") && message.ends_with(&expected),
            "{message}"
        );
        assert_eq!(message.len(), "<132>Nov 20 08:53:33".len() + expected.len());
    }
}
