//! The settings against their own rules.
//!
//! Ranges, and what goes together, are known to `config` alone. What it refuses is taken out, and a remark stands in
//! its place, until the file is good; so that no rule is written twice, and no conversion ends without a file.

use std::path::Path;

use toml::Value;

use super::{Applied, Outcome, engine::entry, finish, value};
use crate::{
    config::{self, ConfigError},
    convert::{
        account::{Entry, Remark, Verdict},
        draft::{Draft, Section},
    },
};

/// Settings whose values were not held against the schema yet.
pub(super) struct Unsettled {
    draft: Draft,
    entries: Vec<Entry>,
    /// Where each entry has gone.
    places: Vec<Option<(Section, Option<String>)>>,
}

/// More keys than any conversion has.
const MOST_REFUSALS: usize = 1_000;

impl Unsettled {
    pub(super) fn new(draft: Draft) -> Self {
        Self {
            draft,
            entries: Vec::new(),
            places: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, option: &Applied, outcome: Outcome) {
        self.places.push(outcome.place.clone());
        self.entries.push(entry(option, outcome));
    }

    /// Takes out what is refused.
    pub(super) fn settle(mut self) -> (Draft, Vec<Entry>) {
        for _ in 0..MOST_REFUSALS {
            let text = self.draft.render();
            let Err(ConfigError::Invalid {
                position, message, ..
            }) = config::parse(&text, Path::new("/site.toml"))
            else {
                break;
            };
            let place = position.and_then(|position| self.draft.at_line(position.line));
            let refused = match place {
                Some((section, Some(key))) => self.refuse_key(section, &key, &message),
                Some((section, None)) if self.draft.name(section) != "app" => {
                    self.refuse_section(section, &message)
                }
                _ => self.fill_in(&message),
            };
            if !refused {
                break;
            }
        }
        (self.draft, self.entries)
    }

    /// Whether there was something to take out.
    fn refuse_key(&mut self, section: Section, key: &str, message: &str) -> bool {
        let Some(value) = self.draft.get(section, key).cloned() else {
            return false;
        };
        match finish::placeholder(self.draft.name(section), key) {
            Some(placeholder) if value != Value::from(placeholder.as_str()) => {
                self.draft.set(section, key, placeholder);
            }
            _ => self.draft.leave_out(section, key),
        }
        let text = format!("{key} = {}: {message}", value.to_string().trim());
        self.draft.remark(section, Some(key), &text);
        let place = Some((section, Some(key.to_owned())));
        self.blame(|known| *known == place, message);
        true
    }

    fn refuse_section(&mut self, section: Section, message: &str) -> bool {
        if !self.draft.has(section) {
            return false;
        }
        self.draft.remark(section, None, message);
        self.draft.drop_section(section);
        let within =
            |known: &Option<(Section, _)>| matches!(known, Some((id, _)) if *id == section);
        self.blame(within, message);
        true
    }

    /// Puts a placeholder where nothing good is left of what a site cannot be without. Whether there was something to do.
    fn fill_in(&mut self, message: &str) -> bool {
        let app = self.draft.section("app");
        let is_named = ["module", "file"].map(|key| self.draft.get(app, key).is_some());
        let listens = self.draft.all("listen");
        let is_reached = listens.iter().any(|listen| self.draft.has(*listen));
        let (section, key) = match (is_reached, is_named.contains(&true)) {
            (false, _) => (self.draft.add("listen"), "address"),
            (true, false) => (app, "module"),
            (true, true) => return false,
        };
        let name = self.draft.name(section);
        let Some(placeholder) = finish::placeholder(name, key) else {
            return false;
        };
        self.draft.set(section, key, placeholder);
        self.draft.remark(section, Some(key), message);
        true
    }

    /// What has gone to this place has not arrived.
    fn blame(&mut self, is_it: impl Fn(&Option<(Section, Option<String>)>) -> bool, message: &str) {
        let entries = self.entries.iter_mut().zip(&self.places);
        for (entry, _) in entries.filter(|(_, place)| is_it(place)) {
            // What the template fills in may be good.
            if !value::is_template(&entry.value) {
                entry.verdict = Verdict::NotPossible {
                    why: message.to_owned(),
                    instead: "another value, where the remark stands".to_owned(),
                };
            }
            entry.remarks.push(Remark {
                text: message.to_owned(),
                needs_human: true,
            });
        }
    }
}
