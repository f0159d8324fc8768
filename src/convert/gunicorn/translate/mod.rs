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
    settings::{self, Fate, Setting},
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
        let Told { verdict, remarks } = self.told(number, given);
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
            Fate::Kept => self.kept(setting.name),
        }
    }

    /// The settings that are translated; each of them belongs to one part of a site.
    fn kept(&mut self, name: &str) -> Told {
        let parts = [
            Site::app_setting,
            Site::listen_setting,
            Site::worker_setting,
            Site::log_setting,
            Site::service_setting,
        ];
        let told = parts.into_iter().find_map(|part| part(self, name));
        told.unwrap_or_else(|| not_needed("it has no meaning here"))
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

    /// What was written already, said of another setting that has led to it.
    fn as_written(&self, section: &str, key: &str) -> Told {
        let sections = self.draft.all(section);
        let written = sections
            .first()
            .and_then(|first| self.draft.get(*first, key))
            .cloned();
        match written.map(|value| value.to_string()) {
            Some(value) => Told::of(Verdict::Kept {
                key: format!("{section}.{key}"),
                value,
            }),
            None => not_needed("none of the listeners takes it"),
        }
    }

    /// Puts what needs a person into the file as well.
    fn mark(&mut self, entry: &Entry) {
        let place = format!("{} ({})", entry.name, entry.origin);
        match &entry.verdict {
            Verdict::NotPossible { why, instead } => {
                self.draft
                    .say(&format!("CHECK: {place}: {why}; instead: {instead}."));
            }
            Verdict::Unknown { meant: Some(meant) } => {
                let text =
                    format!("CHECK: {place}: gunicorn ignores this name; {meant} was meant?");
                self.draft.say(&text);
            }
            _ => {}
        }
        for remark in entry.remarks.iter().filter(|remark| remark.needs_human) {
            self.draft.say(&format!("CHECK: {place}: {}.", remark.text));
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
