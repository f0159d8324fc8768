//! Which part of a system speaks, as syslog sorts it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A facility of RFC 5424 section 6.2.1, by its name in syslog.conf(5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are all that there is to say")]
pub enum SyslogFacility {
    Kern,
    User,
    Mail,
    #[default]
    Daemon,
    Auth,
    Syslog,
    Lpr,
    News,
    Uucp,
    Cron,
    Authpriv,
    Ftp,
    Local0,
    Local1,
    Local2,
    Local3,
    Local4,
    Local5,
    Local6,
    Local7,
}

impl SyslogFacility {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 20] = [
        Self::Kern,
        Self::User,
        Self::Mail,
        Self::Daemon,
        Self::Auth,
        Self::Syslog,
        Self::Lpr,
        Self::News,
        Self::Uucp,
        Self::Cron,
        Self::Authpriv,
        Self::Ftp,
        Self::Local0,
        Self::Local1,
        Self::Local2,
        Self::Local3,
        Self::Local4,
        Self::Local5,
        Self::Local6,
        Self::Local7,
    ];

    /// Its number; those from 12 to 15 have no names that everybody agrees on.
    pub fn number(self) -> u8 {
        match self as u8 {
            number @ 0..=11 => number,
            number => number + 4,
        }
    }

    /// Its name.
    pub fn name(self) -> String {
        format!("{self:?}").to_ascii_lowercase()
    }
}

impl fmt::Display for SyslogFacility {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_rfc() {
        let numbers = SyslogFacility::ALL.map(SyslogFacility::number);
        let expected: Vec<u8> = (0..=11).chain(16..=23).collect();
        assert_eq!(numbers.to_vec(), expected);
        assert_eq!(SyslogFacility::Local7.to_string(), "local7");
    }
}
