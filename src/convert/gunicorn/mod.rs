//! gunicorn: its settings file, which is a Python program, its command line, and units that start it.
//!
//! `gather` finds out what is said and where, `translate` says what becomes of it. `settings` is the table of all that
//! gunicorn knows.

mod command;
mod error;
mod evaluate;
mod gather;
mod settings;
mod translate;
mod unit;
mod words;

use std::path::{Path, PathBuf};

pub(crate) use error::GunicornError;

use crate::config;

use super::{
    account::{Account, Notice, Origin, Remark},
    draft::Draft,
};

/// What is to be converted.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// A settings file, or a unit (`*.service`). Without it gunicorn's usual one is looked for.
    pub(crate) file: Option<PathBuf>,
    /// The application, in place of the one that the configuration names.
    pub(crate) app: Option<String>,
    /// gunicorn's command line, with the program; empty: there is none.
    pub(crate) command: Vec<String>,
    /// The interpreter that gunicorn runs with. Without it the one beside the program, else `python3` on PATH.
    pub(crate) python: Option<PathBuf>,
    /// The variables that gunicorn finds; those of a unit take their place.
    pub(crate) environment: Vec<(String, String)>,
    /// The directory that relative paths begin at.
    pub(crate) directory: PathBuf,
}

/// What has become of a configuration.
#[derive(Debug)]
pub(crate) struct Converted {
    /// The settings file.
    pub(crate) draft: Draft,
    /// What has become of each setting.
    pub(crate) account: Account,
}

/// Reads a configuration, which runs the settings file, and translates it.
///
/// # Errors
/// It cannot be read. Whatever it says is in the account.
pub(crate) fn convert(input: &Input) -> Result<Converted, GunicornError> {
    let gathered = gather::gather(input)?;
    let mut converted = translate::translate(&gathered);
    converted.notice_faults();
    Ok(converted)
}

impl Converted {
    /// Values are taken over as they are; one that breaks a rule of ours is for a person to put right.
    fn notice_faults(&mut self) {
        /// What a fault is said of.
        const RESULT: &str = "the settings";
        let text = self.draft.render();
        let Err(fault) = config::parse(&text, Path::new(RESULT)) else {
            return;
        };
        let text = fault.to_string();
        // Its place would be another one as soon as this is written into the file.
        let text = text
            .split_once(": ")
            .map_or(text.as_str(), |(_, fault)| fault)
            .to_owned();
        self.draft.say(&format!("CHECK: {text}."));
        self.account.notices.push(Notice {
            origin: Origin {
                source: RESULT.into(),
                line: None,
            },
            remark: Remark {
                text,
                needs_human: true,
            },
        });
    }
}
