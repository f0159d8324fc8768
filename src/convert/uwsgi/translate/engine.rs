//! The walk over the options: which of them count, what comes first, and the entry that each of them gets.

use std::{collections::HashMap, path::Path, rc::Rc};

use super::{
    super::options::{self, Rule},
    Applied, Conversion, Outcome, Reading, Start, finish,
    remarks::{carried, place, refused, unknown, with_remarks_of},
    settle, typed,
    value::{self, flag, is_template, text},
};
use crate::convert::{
    account::{Account, Entry, Notice, Origin, Remark, Verdict},
    draft::Draft,
};

/// A conversion that is going on.
pub(in crate::convert::uwsgi) struct Translation<'r> {
    pub(super) start: &'r Start,
    /// All options, in the order in which they apply.
    pub(super) options: &'r [Applied],
    pub(super) draft: Draft,
    notices: Vec<Notice>,
    /// Where in `options` each name is.
    places: HashMap<&'r str, Vec<usize>>,
    /// Which of the options with the same slot counts.
    winners: HashMap<&'static str, usize>,
}

/// Turns what was read into settings and their account.
pub(in crate::convert::uwsgi) fn translate(reading: &Reading, start: &Start) -> Conversion {
    let mut translation = Translation {
        start,
        options: &reading.options,
        draft: Draft::default(),
        notices: reading.notices.clone(),
        places: HashMap::new(),
        winners: HashMap::new(),
    };
    translation.look_over();
    let outcomes = translation.outcomes();
    translation.keep_comments(&outcomes);
    finish::finish(&mut translation);
    let Translation { draft, notices, .. } = translation;
    let mut account = Account {
        entries: reading.used.clone(),
        notices,
    };
    let mut conversion = settle::Unsettled::new(draft);
    for (option, outcome) in reading.options.iter().zip(outcomes) {
        conversion.add(option, outcome);
    }
    let (draft, entries) = conversion.settle();
    account.entries.extend(entries);
    in_order(&mut account.entries);
    Conversion { draft, account }
}

/// File by file as they were met, and line by line.
fn in_order(entries: &mut [Entry]) {
    let mut sources: Vec<Rc<str>> = Vec::new();
    for entry in entries.iter() {
        if !sources.contains(&entry.origin.source) {
            sources.push(Rc::clone(&entry.origin.source));
        }
    }
    let place = |source: &Rc<str>| sources.iter().position(|known| known == source);
    entries.sort_by_key(|entry| (place(&entry.origin.source), entry.origin.line));
}

impl<'r> Translation<'r> {
    /// Notes where each name is, and which options count: the last ones.
    fn look_over(&mut self) {
        for (number, option) in self.options.iter().enumerate() {
            self.places.entry(&option.name).or_default().push(number);
            if let Some(slot) = options::find(&option.name).and_then(slot) {
                self.winners.insert(slot, number);
            }
        }
    }

    /// What becomes of each option, in their order.
    fn outcomes(&mut self) -> Vec<Outcome> {
        let options = self.options;
        let mut outcomes: Vec<Option<Outcome>> = options.iter().map(|_| None).collect();
        for early in [true, false] {
            for (number, option) in options.iter().enumerate() {
                if is_early(&option.name) == early {
                    outcomes[number] = Some(self.outcome(number, option));
                }
            }
        }
        outcomes.into_iter().flatten().collect()
    }

    fn outcome(&mut self, number: usize, option: &'r Applied) -> Outcome {
        let Some(rule) = options::find(&option.name) else {
            let outcome = with_remarks_of(option, unknown(option));
            self.annotate(option, &outcome);
            return outcome;
        };
        if let Some(winner) = self.winner(number, rule) {
            let outcome = Outcome::not_needed(format!("{} comes later and counts", winner.origin));
            return with_remarks_of(option, outcome);
        }
        let outcome = match rule {
            Rule::Key { kind, key } => typed::apply(self, *kind, key, option),
            Rule::Moved {
                kind,
                key,
                directive,
            } => typed::apply(self, *kind, key, option).moved(directive),
            Rule::NotNeeded(why) => Outcome::not_needed(*why),
            Rule::NotPossible(refusal) => refused(option, refusal),
            Rule::Own(topic) => (topic.run)(self, option),
        };
        let outcome = with_remarks_of(option, carried(option, outcome));
        self.annotate(option, &outcome);
        outcome
    }

    /// The option that takes the place of this one, when a later one has the same slot.
    fn winner(&self, number: usize, rule: &'static Rule) -> Option<&'r Applied> {
        let winner = self.winners.get(slot(rule)?)?;
        self.options.get(*winner).filter(|_| *winner != number)
    }

    /// Puts comments of the old file above the keys. One above an option that has no key any more, a heading perhaps,
    /// goes to the next that has one.
    fn keep_comments(&mut self, outcomes: &[Outcome]) {
        let mut waiting: Vec<String> = Vec::new();
        for (option, outcome) in self.options.iter().zip(outcomes) {
            waiting.extend(option.comments.iter().cloned());
            if let Some((section, key)) = &outcome.place {
                self.draft.comment(*section, key.as_deref(), &waiting);
                waiting.clear();
            }
        }
        for comment in waiting {
            self.draft.say(&comment);
        }
    }

    /// Remarks above the key; without a key at the top of the file.
    fn annotate(&mut self, option: &Applied, outcome: &Outcome) {
        let place = place(&option.origin);
        let asked = outcome.remarks.iter().filter(|remark| remark.needs_human);
        let mut texts: Vec<&str> = asked.map(|remark| remark.text.as_str()).collect();
        let refused = match &outcome.verdict {
            Verdict::NotPossible { why, instead } => format!("{why}; the nearest way: {instead}"),
            _ => String::new(),
        };
        if texts.is_empty() && !refused.is_empty() {
            texts.push(&refused);
        }
        let Some((section, key)) = &outcome.place else {
            for text in texts {
                self.draft.say(&format!("{place} {}: {text}", option.name));
            }
            return;
        };
        for text in texts {
            self.draft
                .remark(*section, key.as_deref(), &format!("{place}: {text}"));
        }
    }

    /// The last option of this name, or with the same slot.
    pub(super) fn last(&self, name: &str) -> Option<&'r Applied> {
        let winner = options::find(name)
            .and_then(slot)
            .map(|slot| self.winners.get(slot));
        let number =
            winner.unwrap_or_else(|| self.places.get(name).and_then(|places| places.last()));
        self.options.get(*number?)
    }

    /// Every option of one of these names, in their order.
    pub(super) fn each(
        &self,
        names: &'static [&'static str],
    ) -> impl Iterator<Item = &'r Applied> + use<'r> {
        let places = names.iter().filter_map(|name| self.places.get(name));
        let mut places: Vec<usize> = places.flatten().copied().collect();
        places.sort_unstable();
        let options = self.options;
        places.into_iter().filter_map(|place| options.get(place))
    }

    /// Whether an option of this name is there and on.
    pub(super) fn is_on(&self, name: &str) -> bool {
        self.last(name)
            .is_some_and(|option| flag(&option.value).value)
    }

    /// A remark on the configuration as a whole, or on a place of it.
    pub(super) fn notice(&mut self, origin: Origin, text: impl Into<String>, needs_human: bool) {
        self.notices.push(Notice {
            origin,
            remark: Remark {
                text: text.into(),
                needs_human,
            },
        });
    }

    /// A path as it counts from where uWSGI was started.
    pub(super) fn absolute(&self, path: &str) -> String {
        below(&self.start.directory, path)
    }

    /// A path of something that uWSGI opens after it has changed its directory: a socket.
    pub(super) fn below_chdir(&self, path: &str) -> String {
        let chdir = self.last("chdir").map(|option| text(&option.value).value);
        let chdir = self.absolute(&chdir.unwrap_or_default());
        below(Path::new(&chdir), path)
    }
}

/// A path below a directory, without the dots that say nothing.
fn below(directory: &Path, path: &str) -> String {
    if path.starts_with('/') || is_template(path) {
        return value::path(path);
    }
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let mut joined = directory.to_owned();
    joined.extend(parts);
    joined.display().to_string()
}

/// Options with the same slot overwrite each other.
fn slot(rule: &'static Rule) -> Option<&'static str> {
    match rule {
        Rule::Key { kind, key } | Rule::Moved { kind, key, .. } => (!kind.gathers()).then_some(key),
        Rule::Own(topic) => topic.slot,
        Rule::NotNeeded(_) | Rule::NotPossible(_) => None,
    }
}

fn is_early(name: &str) -> bool {
    matches!(options::find(name), Some(Rule::Own(topic)) if topic.early)
}

/// The entry of an option.
pub(super) fn entry(option: &Applied, outcome: Outcome) -> Entry {
    Entry {
        origin: option.origin.clone(),
        name: option.name.clone(),
        value: option.written.clone(),
        verdict: outcome.verdict,
        remarks: outcome.remarks,
    }
}
