//! What has become of each line of a configuration: the account that a conversion gives.

use std::{fmt, rc::Rc};

/// Where something was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The file as it was named, or words like `command line`.
    pub(crate) source: Rc<str>,
    /// From 1; `None` where there are no lines.
    pub(crate) line: Option<u32>,
}

impl fmt::Display for Origin {
    /// As compilers write it: `old.ini:12`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}", self.source),
            None => formatter.write_str(&self.source),
        }
    }
}

/// What has become of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is this key of the settings, with this value as TOML.
    Kept {
        /// With its section: `workers.processes`.
        key: String,
        /// As it is written in the file.
        value: String,
    },
    /// systemd does it; the key tells it so.
    Moved {
        /// For example `LimitNOFILE=`.
        directive: String,
        /// The key, in `[service]`, `[[timer]]` or `[[daemon]]`; empty where the shipped units do it already.
        key: String,
    },
    /// Nothing is lost without it.
    NotNeeded {
        /// In one sentence.
        why: String,
    },
    /// It has no counterpart.
    NotPossible {
        /// In one sentence.
        why: String,
        /// The nearest way.
        instead: String,
    },
    /// No option of the other server.
    Unknown {
        /// What was probably meant.
        meant: Option<String>,
    },
}

/// One option of the old configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where it stands.
    pub(crate) origin: Origin,
    /// Its name as it was written.
    pub(crate) name: String,
    /// Its value as it was written.
    pub(crate) value: String,
    /// What has become of it.
    pub(crate) verdict: Verdict,
    /// What else is to be said about it.
    pub(crate) remarks: Vec<Remark>,
}

/// Something to be said about a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remark {
    /// One or more sentences.
    pub(crate) text: String,
    /// Whether a person has to look at it before the result is used.
    pub(crate) needs_human: bool,
}

/// A remark that belongs to a place rather than to an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    /// The place.
    pub(crate) origin: Origin,
    /// What is to be said.
    pub(crate) remark: Remark,
}

/// Every option once, in the order of the old configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    /// The options.
    pub(crate) entries: Vec<Entry>,
    /// What belongs to none of them.
    pub(crate) notices: Vec<Notice>,
}
