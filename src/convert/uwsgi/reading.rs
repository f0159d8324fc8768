//! What reading gives and translating takes: the options in the order in which uWSGI applies them.

use crate::convert::account::{Entry, Notice, Origin, Remark};

/// One option as uWSGI applies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    /// Its name.
    pub(super) name: String,
    /// Its value after all replacements; empty where there was none.
    pub(super) value: String,
    /// The value as it stands in the file.
    pub(super) written: String,
    /// Where it stands.
    pub(super) origin: Origin,
    /// The comment lines right above it, without their marks.
    pub(super) comments: Vec<String>,
    /// What reading it has to say, for example that a value of this machine is in it now.
    pub(super) remarks: Vec<Remark>,
}

/// A whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// In the order of application: of options that can have one value, the last counts.
    pub(super) options: Vec<Applied>,
    /// Lines that the reading itself has used (placeholders, conditions, includes), with what was done, and remarks on
    /// what uWSGI made of them.
    pub(super) used: Vec<Entry>,
    /// Remarks on the files.
    pub(super) notices: Vec<Notice>,
}
