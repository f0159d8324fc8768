//! The facts about the names that uWSGI knows: short flag, argument, what kind of value, and whether it acts at once.
//!
//! What becomes of an option is not decided here. The table is `names.txt`, a line for each name in uWSGI's own order,
//! which matters: of several names with the same short flag the first is meant.

use std::{collections::HashMap, sync::LazyLock};

/// Name, short flag or `.`, argument, kind, and `now` or `later`.
const TABLE: &str = include_str!("names.txt");

/// Whether an option takes an argument on the command line, as getopt_long(3) counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Argument {
    /// Never.
    None,
    /// In the same word (`--name=value`) or not at all.
    Optional,
    /// In the same word or the next.
    Required,
}

/// What a value is to uWSGI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A form of its own.
    Custom,
    /// `false`, `off`, `no` and `0` are false, all else is true.
    Flag,
    /// The digits at the beginning count.
    Int,
    /// Each value is added to those before.
    List,
    /// An `Int` in MiB.
    Megabytes,
    /// As it is.
    String,
}

/// One name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    /// Without dashes in front.
    pub(super) name: &'static str,
    /// The letter of `-p`.
    pub(super) short: Option<char>,
    /// On the command line.
    pub(super) argument: Argument,
    /// Of its value.
    pub(super) kind: Kind,
    /// It acts when it is read, so that nothing in its value is replaced.
    pub(super) immediate: bool,
}

/// All names, and where each stands.
static NAMES: LazyLock<(Vec<Name>, HashMap<&'static str, usize>)> = LazyLock::new(|| {
    let all: Vec<Name> = TABLE.lines().filter_map(name).collect();
    let places = all
        .iter()
        .enumerate()
        .map(|(place, found)| (found.name, place));
    let places = places.collect();
    (all, places)
});

/// All names in uWSGI's order.
pub(super) fn all() -> &'static [Name] {
    &NAMES.0
}

/// The name that is written exactly so.
pub(super) fn find(name: &str) -> Option<&'static Name> {
    NAMES.1.get(name).and_then(|place| NAMES.0.get(*place))
}

/// One line of the table.
fn name(line: &'static str) -> Option<Name> {
    let mut cells = line.split(' ');
    Some(Name {
        name: cells.next()?,
        short: cells.next()?.chars().next().filter(|short| *short != '.'),
        argument: match cells.next()? {
            "none" => Argument::None,
            "optional" => Argument::Optional,
            _ => Argument::Required,
        },
        kind: match cells.next()? {
            "flag" => Kind::Flag,
            "int" => Kind::Int,
            "list" => Kind::List,
            "megabytes" => Kind::Megabytes,
            "string" => Kind::String,
            _ => Kind::Custom,
        },
        immediate: cells.next()? == "now",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_name() {
        assert_eq!(all().len(), TABLE.lines().count());
        assert!(all().len() > 1300);
    }

    #[test]
    fn a_name_is_found_with_what_is_known_of_it() {
        let expected = Name {
            name: "listen",
            short: Some('l'),
            argument: Argument::Required,
            kind: Kind::Int,
            immediate: true,
        };
        assert_eq!(find("listen"), Some(&expected));
        assert_eq!(find("buffer_size"), None);
    }
}
