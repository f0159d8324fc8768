//! What becomes of every option of uWSGI, by name.
//!
//! One row says it for a name; what several names share, a reason or a topic, is written once. The rows are data: how
//! a value is read and where it goes is done in `translate`.

mod page;
mod reasons;
pub(super) mod refusals;
mod table;
#[cfg(test)]
mod tests;

use super::translate::Topic;

pub(crate) use page::page;

/// What becomes of an option.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// One value, at one key.
    Key {
        /// How it is read and written.
        kind: Kind,
        /// With its section.
        key: &'static str,
    },
    /// As `Key`, where systemd acts on it.
    Moved {
        /// How it is read and written.
        kind: Kind,
        /// With its section.
        key: &'static str,
        /// For example `Nice=`.
        directive: &'static str,
    },
    /// Nothing is lost without it.
    NotNeeded(&'static str),
    /// There is no counterpart.
    NotPossible(&'static Refusal),
    /// More than a value at a key.
    Own(&'static Topic),
}

/// Why something is not possible.
#[derive(Debug)]
pub(super) struct Refusal {
    /// In one sentence.
    pub(super) why: &'static str,
    /// The nearest way, in one sentence.
    pub(super) instead: &'static str,
}

/// How a value is read, and in which form it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number of bytes.
    Bytes,
    /// A number of things.
    Count,
    /// On or off.
    Flag,
    /// A number of KiB.
    Kibibytes,
    /// A number of MiB.
    Mebibytes,
    /// A number that means more than none.
    Positive,
    /// A number of seconds.
    Seconds,
    /// One text of a list.
    Texts,
}

impl Kind {
    /// Whether values are gathered; of all others the last one counts.
    pub(super) fn gathers(self) -> bool {
        self == Self::Texts
    }
}

/// The rule for an option, if uWSGI knows it.
pub(super) fn find(name: &str) -> Option<&'static Rule> {
    let table = table::TABLES
        .iter()
        .rev()
        .find(|table| table.first().is_some_and(|(first, _)| *first <= name))?;
    let row = table.binary_search_by_key(&name, |(known, _)| known).ok()?;
    table.get(row).map(|(_, rule)| rule)
}

/// Every option with its rule, by name.
pub(super) fn all() -> impl Iterator<Item = &'static (&'static str, Rule)> {
    table::TABLES.iter().copied().flatten()
}

/// The option that a name which uWSGI does not know was probably meant to be.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    // `umask 027`, without the sign between name and value.
    let first = name.split_whitespace().next().unwrap_or_default();
    if first.len() < name.trim().len() && find(first).is_some() {
        return all()
            .find(|(known, _)| *known == first)
            .map(|(known, _)| *known);
    }
    let plain = name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    if let Some((known, _)) = all().find(|(known, _)| *known == plain) {
        return Some(known);
    }
    if plain.len() < 4 {
        return None;
    }
    // Comparing is the slowest thing a conversion does; a slip of the hand changes the length by as much as it may be.
    let near = |known: &str| known.len().min(plain.len()).div_ceil(5).min(2);
    let slips = all()
        .filter(|(known, _)| known.len().abs_diff(plain.len()) <= near(known))
        .map(|(known, _)| (strsim::osa_distance(&plain, known), *known));
    slips
        .filter(|(distance, known)| *distance <= near(known))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

const fn key(kind: Kind, key: &'static str) -> Rule {
    Rule::Key { kind, key }
}

const fn moved(kind: Kind, key: &'static str, directive: &'static str) -> Rule {
    Rule::Moved {
        kind,
        key,
        directive,
    }
}

const fn gone(why: &'static str) -> Rule {
    Rule::NotNeeded(why)
}

const fn no(refusal: &'static Refusal) -> Rule {
    Rule::NotPossible(refusal)
}

const fn own(topic: &'static Topic) -> Rule {
    Rule::Own(topic)
}
