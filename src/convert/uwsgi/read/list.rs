//! The list of options in the order in which they were collected, which is all that uWSGI remembers of its files.

use std::collections::HashMap;

use super::line::Pair;

/// What the reading itself has done with an item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is for the translation, if uWSGI knows its name; else it is a placeholder.
    #[default]
    Open,
    /// It is in the account by way of another item of the same line.
    Elsewhere,
    /// It cannot be followed.
    Refused {
        /// In one sentence.
        why: String,
        /// What to do.
        instead: String,
    },
    /// The reading has used it.
    Used(String),
}

/// A collected option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    /// As it was collected, its value as it has become.
    pub(super) pair: Pair,
    /// Nothing in it is replaced any more, and it is not applied again.
    pub(super) done: bool,
    /// What was done with it.
    pub(super) fate: Fate,
    /// How often `%( )` or a condition has asked for it.
    pub(super) references: usize,
    /// It can only be a placeholder (`set-placeholder`).
    pub(super) placeholder: bool,
    /// It is in uWSGI's list; files as arguments are not.
    pub(super) is_named: bool,
}

/// All items, and the first of each name.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) items: Vec<Item>,
    first: HashMap<String, usize>,
}

impl List {
    /// Appends an item, and gives its place.
    pub(super) fn push(&mut self, pair: Pair, placeholder: bool) -> usize {
        let place = self.items.len();
        self.first.entry(pair.name.clone()).or_insert(place);
        self.items.push(Item {
            pair,
            done: placeholder,
            fate: Fate::Open,
            references: 0,
            placeholder,
            is_named: true,
        });
        place
    }

    /// Appends what has a place in the account but no name that could be asked for.
    pub(super) fn push_nameless(&mut self, pair: Pair) -> usize {
        let place = self.items.len();
        self.items.push(Item {
            pair,
            done: true,
            fate: Fate::Open,
            references: 0,
            placeholder: false,
            is_named: false,
        });
        place
    }

    /// The value of the first item of this name, if it has one; uWSGI looks no further.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        let item = self.items.get(*self.first.get(name)?)?;
        item.pair.value.as_deref()
    }

    /// Whether the item at this place is the one that its name stands for.
    pub(super) fn is_first(&self, name: &str, place: usize) -> bool {
        self.first.get(name) == Some(&place)
    }

    /// Remembers that somebody has used the value of this name.
    pub(super) fn refer(&mut self, name: &str) {
        if let Some(item) = self
            .first
            .get(name)
            .and_then(|place| self.items.get_mut(*place))
        {
            item.references += 1;
        }
    }

    /// Whether somebody has used the value of this name.
    pub(super) fn is_used(&self, name: &str) -> bool {
        let first = self
            .first
            .get(name)
            .and_then(|place| self.items.get(*place));
        first.is_some_and(|item| item.references > 0)
    }
}
