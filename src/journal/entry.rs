//! The bytes of one entry in journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).

use super::{Priority, Role};

/// An entry that is being composed.
#[derive(Debug)]
pub(super) struct Entry {
    bytes: Vec<u8>,
    coding: Coding,
}

/// How fields are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// As journald takes them.
    Native,
    /// As parameters of structured data (RFC 5424 section 6.3).
    Structured,
}

impl Entry {
    /// With what every entry has: message, priority, and who says it.
    pub(super) fn new(message: &str, priority: Priority, site: &str, role: Role) -> Self {
        let mut entry = Self {
            bytes: Vec::with_capacity(512),
            coding: Coding::Native,
        };
        entry.put("MESSAGE", message);
        entry.put("PRIORITY", priority.digit());
        entry.put("SYSLOG_IDENTIFIER", "hostler");
        entry.put_speaker(site, role);
        entry
    }

    /// Structured data that begins like this, without its end; message and priority stand elsewhere then.
    pub(super) fn structured(beginning: &str, site: &str, role: Role) -> Self {
        let mut entry = Self {
            bytes: beginning.as_bytes().to_vec(),
            coding: Coding::Structured,
        };
        entry.put_speaker(site, role);
        entry
    }

    fn put_speaker(&mut self, site: &str, role: Role) {
        self.put("HOSTLER_SITE", site);
        match role {
            Role::Supervisor => self.put("HOSTLER_ROLE", "supervisor"),
            Role::Zygote => self.put("HOSTLER_ROLE", "zygote"),
            Role::Worker(slot) => {
                self.put("HOSTLER_ROLE", "worker");
                self.put("HOSTLER_WORKER", slot.to_string());
            }
        }
    }

    /// `NAME=value`, or with its length in front when a line feed would end the value too early. The name is one that
    /// journald takes.
    pub(super) fn put(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let (entry, value) = (&mut self.bytes, value.as_ref());
        if self.coding == Coding::Structured {
            return put_parameter(entry, name, value);
        }
        entry.extend_from_slice(name.as_bytes());
        if value.contains(&b'\n') {
            entry.push(b'\n');
            entry.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            entry.push(b'=');
        }
        entry.extend_from_slice(value);
        entry.push(b'\n');
    }

    /// The same, unless there is nothing to say.
    pub(super) fn put_some(&mut self, name: &str, value: impl AsRef<[u8]>) {
        if !value.as_ref().is_empty() {
            self.put(name, value);
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// ` NAME="value"`; the value is UTF-8, and what would end it is escaped. Line ends become blanks: receivers write a line
/// for each message.
fn put_parameter(entry: &mut Vec<u8>, name: &str, value: &[u8]) {
    entry.push(b' ');
    // RFC 5424 section 6.3.3: SD-NAME has 32 letters at most.
    entry.extend_from_slice(&name.as_bytes()[..name.len().min(32)]);
    entry.extend_from_slice(b"=\"");
    for letter in String::from_utf8_lossy(value).chars() {
        match letter {
            '"' | '\\' | ']' => entry.extend([b'\\', letter as u8]),
            letter if letter.is_control() => entry.push(b' '),
            letter => entry.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    entry.push(b'"');
}

/// The name of a field of ours: capitals, digits and underscores are all that journald takes.
pub(super) fn field_name(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let is_of_request = ["request_uri", "remote_addr"].contains(&name) || name.starts_with("http_");
    let prefix = if is_of_request { "" } else { "HOSTLER_" };
    prefix.chars().chain(name.chars().map(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_what_journald_takes() {
        assert_eq!(field_name("request-line.raw"), "HOSTLER_REQUEST_LINE_RAW");
        assert_eq!(field_name("http_status"), "HTTP_STATUS");
        assert_eq!(field_name("request_uri"), "REQUEST_URI");
    }

    #[test]
    fn a_line_feed_cannot_end_a_value() {
        let mut entry = Entry::new("a", Priority::INFO, "shop", Role::Worker(3));
        entry.put("X", "1\nPRIORITY=0");
        entry.put_some("Y", "");
        let expected = "MESSAGE=a\nPRIORITY=6\nSYSLOG_IDENTIFIER=hostler\nHOSTLER_SITE=shop\n\
                        HOSTLER_ROLE=worker\nHOSTLER_WORKER=3\nX\n\u{c}\0\0\0\0\0\0\u{0}1\nPRIORITY=0\n";
        assert_eq!(String::from_utf8_lossy(entry.bytes()), expected);
    }
}
