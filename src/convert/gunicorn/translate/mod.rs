//! What becomes of each setting of gunicorn.
//!
//! A file for each part of a site; here is what they share: the values that hold, and the account. gunicorn's defaults
//! that are not ours are written as well, so that the site behaves as it did.

mod app;
mod format;
mod listen;
mod log;
mod service;
mod values;
mod workers;

use toml::Value;

use crate::convert::{
    account::{Account, Entry, Notice, Origin, Remark, Verdict},
    draft::{Draft, Section},
};

use super::{
    Converted,
    gather::{Gathered, Given},
    settings::{self, Fate, Kind, Setting},
};

use values::Values;

/// A site that is being translated.
struct Site<'g> {
    gathered: &'g Gathered,
    values: Values<'g>,
    draft: Draft,
    listeners: Vec<Section>,
    notices: Vec<Notice>,
}

/// What is said of one setting.
struct Told {
    verdict: Verdict,
    remarks: Vec<Remark>,
}

/// The settings file and the account of everything that was given.
pub(super) fn translate(gathered: &Gathered) -> Converted {
    let mut site = Site {
        gathered,
        values: Values::new(&gathered.given),
        draft: Draft::default(),
        listeners: Vec::new(),
        notices: gathered.notices.clone(),
    };
    site.draft
        .say("Made from a configuration of gunicorn by `hostler convert-gunicorn`.");
    site.make_app();
    site.make_listeners();
    site.make_workers();
    let mut entries: Vec<Entry> = site.service_entries();
    let given = gathered.given.iter().enumerate();
    entries.extend(given.map(|(number, given)| site.entry(number, given)));
    entries.extend(site.app_entry());
    for entry in &entries {
        site.mark(entry);
    }
    Converted {
        draft: site.draft,
        account: Account {
            entries,
            notices: site.notices,
        },
    }
}

impl Site<'_> {
    fn entry(&mut self, number: usize, given: &Given) -> Entry {
        let mut told = self.told(number, given);
        if given.local && matches!(told.verdict, Verdict::Kept { .. } | Verdict::Moved { .. }) {
            told = told.remark("the file asks this machine or its environment for it; elsewhere it may be another value");
        }
        let Told { verdict, remarks } = told;
        Entry {
            origin: given.origin.clone(),
            name: given.name.clone(),
            value: values::written(&given.value),
            verdict,
            remarks,
        }
    }

    fn told(&mut self, number: usize, given: &Given) -> Told {
        let Some(setting) = settings::named(&given.name) else {
            let meant = settings::nearest(&given.name).map(str::to_owned);
            return Told::of(Verdict::Unknown { meant });
        };
        if let Some(stronger) = self.values.stronger(number, &given.name) {
            let why = format!("{} says something else, and that counts", stronger.origin);
            return Told::of(Verdict::NotNeeded { why });
        }
        if let Some(fault) = values::fault(setting, &given.value) {
            let why = format!("gunicorn does not take this value: {fault}");
            let instead = "its default, as if the setting were not there".to_owned();
            return Told::of(Verdict::NotPossible { why, instead });
        }
        match setting.fate {
            Fate::NotNeeded { why } => not_needed(why),
            Fate::NotPossible { why, instead } => match is_default(setting, given) {
                true => not_needed("it is what gunicorn does anyway"),
                false => not_possible(why, instead),
            },
            Fate::Kept => {
                let told = self.part_of(setting.name);
                told.unwrap_or_else(|| not_needed("it has no meaning here"))
            }
        }
    }

    /// The settings that are translated; each of them belongs to one part of a site.
    fn part_of(&mut self, name: &str) -> Option<Told> {
        let parts = [
            Site::app_setting,
            Site::listen_setting,
            Site::worker_setting,
            Site::log_setting,
            Site::service_setting,
        ];
        parts.into_iter().find_map(|part| part(self, name))
    }

    /// Gives a key its value, and says so.
    fn keep(&mut self, section: &str, key: &str, value: impl Into<Value>) -> Told {
        let value = value.into();
        let written = value.to_string();
        let table = self.draft.section(section);
        self.draft.set(table, key, value);
        Told::of(Verdict::Kept {
            key: format!("{section}.{key}"),
            value: written,
        })
    }

    /// The same for a default of gunicorn that nobody has written.
    fn keep_default(&mut self, section: &str, key: &str, value: impl Into<Value>, why: &str) {
        let table = self.draft.section(section);
        self.draft.set(table, key, value);
        self.draft.comment(table, Some(key), &[why.to_owned()]);
    }

    /// What was written already into sections of this name, said of another setting that has led to it.
    fn as_written(&self, section: &str, key: &str) -> Told {
        let sections = self.draft.all(section).into_iter();
        let mut written = sections.filter_map(|section| self.draft.get(section, key));
        match written.next() {
            Some(value) => Told::of(Verdict::Kept {
                key: format!("{section}.{key}"),
                value: value.to_string(),
            }),
            None => not_needed("none of the listeners takes it"),
        }
    }

    /// Puts what needs a person into the file as well, beside the key that it is about if there is one.
    fn mark(&mut self, entry: &Entry) {
        let mut texts = Vec::new();
        match &entry.verdict {
            Verdict::NotPossible { why, instead } => {
                texts.push(format!("{why}; instead: {instead}."))
            }
            Verdict::Unknown { meant: Some(meant) } => {
                texts.push(format!("gunicorn ignores this name; {meant} was meant?"));
            }
            _ => {}
        }
        let remarks = entry.remarks.iter().filter(|remark| remark.needs_human);
        texts.extend(remarks.map(|remark| format!("{}.", remark.text)));
        for text in texts {
            let text = format!("{} ({}): {text}", entry.name, entry.origin);
            match self.place_of(entry) {
                Some((section, key)) => self.draft.remark(section, key.as_deref(), &text),
                None => self.draft.say(&format!("CHECK: {text}")),
            }
        }
    }

    /// The key that an option has become, or the section where its like would be. Only sections that are there anyway
    /// count.
    fn place_of(&mut self, entry: &Entry) -> Option<(Section, Option<String>)> {
        let first = |draft: &Draft| draft.all("listen").first().copied();
        if let Verdict::Kept { key, .. } | Verdict::Moved { key, .. } = &entry.verdict {
            let (section, key) = key.rsplit_once('.')?;
            let section = match section {
                "listen" => first(&self.draft)?,
                name => self.draft.section(name),
            };
            self.draft.get(section, key)?;
            return Some((section, Some(key.to_owned())));
        }
        let setting = settings::named(&entry.name)?;
        match (setting.name, setting.kind) {
            (
                "ssl_context"
                | "ciphers"
                | "protocol"
                | "uwsgi_allow_ips"
                | "secure_scheme_headers",
                _,
            ) => Some((first(&self.draft)?, None)),
            ("paste" | "raw_paste_global_conf", _) | (_, Kind::Hook) => {
                Some((self.draft.section("app"), None))
            }
            _ => None,
        }
    }

    fn notice(&mut self, origin: Origin, text: &str, needs_human: bool) {
        if needs_human {
            self.draft.say(&format!("CHECK: {text}."));
        }
        self.notices.push(Notice {
            origin,
            remark: Remark {
                text: text.to_owned(),
                needs_human,
            },
        });
    }
}

impl Told {
    fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            remarks: Vec::new(),
        }
    }

    fn remark(mut self, text: impl Into<String>) -> Self {
        self.remarks.push(Remark {
            text: text.into(),
            needs_human: false,
        });
        self
    }

    fn check(mut self, text: impl Into<String>) -> Self {
        self.remarks.push(Remark {
            text: text.into(),
            needs_human: true,
        });
        self
    }
}

fn not_needed(why: &str) -> Told {
    Told::of(Verdict::NotNeeded {
        why: why.to_owned(),
    })
}

fn not_possible(why: &str, instead: &str) -> Told {
    Told::of(Verdict::NotPossible {
        why: why.to_owned(),
        instead: instead.to_owned(),
    })
}

/// gunicorn takes `None` for the default nearly everywhere.
fn is_default(setting: &Setting, given: &Given) -> bool {
    given.value.is_null() || setting.default.as_ref() == Some(&given.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A setting that the table calls kept is looked for by every part until one has it; the account would
    /// otherwise say that it means nothing.
    #[test]
    fn every_setting_that_is_kept_belongs_to_a_part() {
        let gathered = Gathered::default();
        let mut site = Site {
            gathered: &gathered,
            values: Values::new(&[]),
            draft: Draft::default(),
            listeners: Vec::new(),
            notices: Vec::new(),
        };
        let kept = settings::all()
            .iter()
            .filter(|setting| setting.fate == Fate::Kept);
        let lost: Vec<_> = kept
            .filter(|setting| site.part_of(setting.name).is_none())
            .collect();
        assert!(lost.is_empty(), "{lost:#?}");
    }
}
