//! From uWSGI's options, in the order in which they apply, to our settings and the account of every line.
//!
//! What a name becomes is a row in `options`; the modules here read the values and write the keys. None of them knows
//! the rules of the schema: what does not go is found by reading the result (`settle`).

pub(super) mod access;
mod access_format;
pub(super) mod apps;
pub(super) mod beside;
pub(super) mod cgi;
pub(super) mod cron;
pub(super) mod daemons;
pub(super) mod emperor;
mod engine;
mod finish;
pub(super) mod hooks;
pub(super) mod http;
mod keys;
pub(super) mod logs;
pub(super) mod plugins;
pub(super) mod python;
mod remarks;
pub(super) mod routes;
pub(super) mod service;
mod settle;
pub(super) mod sockets;
pub(super) mod statics;
pub(super) mod tls;
mod typed;
mod value;
pub(super) mod workers;

use std::path::PathBuf;

use toml::Value;

use super::{
    options::Refusal,
    reading::{Applied, Reading},
};
use crate::convert::{
    account::{Account, Remark, Verdict},
    draft::{Draft, Section},
};

use engine::Translation;
pub(super) use engine::translate;

/// How uWSGI was started, as far as it is known beside the options.
#[derive(Debug, Clone)]
pub(crate) struct Start {
    /// Where uWSGI is thought to have been started, absolute: the directory of the first file.
    pub(crate) directory: PathBuf,
    /// What the site is called.
    pub(crate) site: String,
    /// By Debian's package, which gives every instance options of its own.
    pub(crate) debian: bool,
    /// By an emperor.
    pub(crate) emperor: bool,
}

/// What comes out.
#[derive(Debug)]
pub(crate) struct Conversion {
    /// The settings.
    pub(crate) draft: Draft,
    /// Every option, in the order of the old configuration.
    pub(crate) account: Account,
}

/// Options about the same thing, and what is done with them.
#[derive(Debug)]
pub(super) struct Topic {
    /// What becomes of them, for the list of all options; Markdown.
    pub(super) documentation: &'static str,
    /// Options with the same slot overwrite each other; `None`: all of them count.
    pub(super) slot: Option<&'static str>,
    /// Whether others build on it, so that it has to come first.
    pub(super) early: bool,
    /// Does it.
    pub(super) run: fn(&mut Translation<'_>, &Applied) -> Outcome,
}

/// What has become of one option.
#[derive(Debug)]
pub(super) struct Outcome {
    verdict: Verdict,
    remarks: Vec<Remark>,
    /// The key that it is, for comments and remarks.
    place: Option<(Section, Option<String>)>,
}

impl Outcome {
    fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            remarks: Vec::new(),
            place: None,
        }
    }

    /// It is this key of this section, which has that name, with this value.
    fn kept(section: Section, name: &str, key: &str, value: &Value) -> Self {
        let key_path = format!("{name}.{key}");
        let value = value.to_string().trim().to_owned();
        Self {
            place: Some((section, Some(key.to_owned()))),
            ..Self::new(Verdict::Kept {
                key: key_path,
                value,
            })
        }
    }

    /// A value with marks of a template, for which the place is only said.
    fn carried(key: &str, value: &str) -> Self {
        let verdict = Verdict::Kept {
            key: key.to_owned(),
            value: value.to_owned(),
        };
        Self::new(verdict).ask(format!(
            "put `{value}` at {key} when the template is filled in"
        ))
    }

    fn not_needed(why: impl Into<String>) -> Self {
        Self::new(Verdict::NotNeeded { why: why.into() })
    }

    fn not_possible(why: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::new(Verdict::NotPossible {
            why: why.into(),
            instead: instead.into(),
        })
    }

    /// There is no counterpart, and somebody has to know.
    fn refused(refusal: &Refusal) -> Self {
        let Refusal { why, instead } = refusal;
        Self::not_possible(*why, *instead)
    }

    /// As a part of systemd.
    fn moved(mut self, directive: &str) -> Self {
        if let Verdict::Kept { key, .. } = self.verdict {
            let directive = directive.to_owned();
            self.verdict = Verdict::Moved { directive, key };
        }
        self
    }

    /// With something to know.
    fn note(self, text: impl Into<String>) -> Self {
        self.said(text.into(), false)
    }

    /// With something that a person has to look at.
    fn ask(self, text: impl Into<String>) -> Self {
        self.said(text.into(), true)
    }

    fn said(mut self, text: String, needs_human: bool) -> Self {
        self.remarks.push(Remark { text, needs_human });
        self
    }

    fn notes(self, notes: Vec<String>) -> Self {
        notes.into_iter().fold(self, Self::note)
    }
}
