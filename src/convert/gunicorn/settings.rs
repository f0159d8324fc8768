//! Every setting that gunicorn knows: its options, its default, and what becomes of it here.
//!
//! The table is `settings.tsv`, one line each, so that it can be read as a table. What is `kept` is translated by
//! `translate`; the verdict on everything else stands in the table itself. `tests/convert/gunicorn.rs` holds it against
//! the settings of an installed gunicorn.

use std::sync::OnceLock;

use serde_json::Value;

const TABLE: &str = include_str!("settings.tsv");

/// One setting of gunicorn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// With their hyphens; empty: it can be set in the file alone.
    pub(super) flags: Vec<&'static str>,
    /// `None` where it depends on the machine, and for hooks.
    pub(super) default: Option<Value>,
    pub(super) fate: Fate,
}

/// What values a setting has, and how its option is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A function that the server calls.
    Hook,
    /// Its option may be repeated.
    List,
    /// A dictionary.
    Map,
    /// A whole number, not negative.
    Number,
    /// Its option stands for `False`.
    Off,
    /// A text, whose option stands for `auto` when it has no value.
    Optional,
    /// Its option stands for `True`.
    Switch,
    Text,
}

/// What becomes of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is translated.
    Kept,
    /// Nothing is lost without it.
    NotNeeded { why: &'static str },
    /// It has no counterpart.
    NotPossible {
        why: &'static str,
        instead: &'static str,
    },
}

/// All of them, in the order of their names.
pub(super) fn all() -> &'static [Setting] {
    static SETTINGS: OnceLock<Vec<Setting>> = OnceLock::new();
    SETTINGS.get_or_init(|| TABLE.lines().skip(1).filter_map(setting).collect())
}

/// The setting of this name.
pub(super) fn named(name: &str) -> Option<&'static Setting> {
    all().iter().find(|setting| setting.name == name)
}

/// The name that was probably meant, if one is near enough.
pub(super) fn nearest(name: &str) -> Option<&'static str> {
    /// A letter too many, or two that have changed places, in a name of six.
    const NEAR: f64 = 0.8;
    let names = all().iter().map(|setting| setting.name);
    let ranked = names.map(|known| (strsim::normalized_damerau_levenshtein(known, name), known));
    let best = ranked.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(score, _)| *score >= NEAR)
        .map(|(_, name)| name)
}

/// One line of the table; a test sees to it that every line is one.
fn setting(line: &'static str) -> Option<Setting> {
    let mut columns = line.split('\t');
    let mut column = || columns.next().unwrap_or_default();
    let name = column();
    let kind = match column() {
        "hook" => Kind::Hook,
        "list" => Kind::List,
        "map" => Kind::Map,
        "number" => Kind::Number,
        "off" => Kind::Off,
        "optional" => Kind::Optional,
        "switch" => Kind::Switch,
        "text" => Kind::Text,
        _ => return None,
    };
    let flags = column().split(' ').filter(|flag| *flag != "-").collect();
    let default = serde_json::from_str(column()).ok();
    let fate = match (column(), column(), column()) {
        ("kept", "", "") => Fate::Kept,
        ("not needed", why, "") if !why.is_empty() => Fate::NotNeeded { why },
        ("not possible", why, instead) if !why.is_empty() && !instead.is_empty() => {
            Fate::NotPossible { why, instead }
        }
        _ => return None,
    };
    Some(Setting {
        name,
        kind,
        flags,
        default,
        fate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_setting() {
        assert_eq!(all().len(), TABLE.lines().count() - 1);
        assert!(all().windows(2).all(|pair| pair[0].name < pair[1].name));
    }

    #[test]
    fn defaults_are_of_their_kind() {
        for Setting {
            name,
            kind,
            default,
            ..
        } in all()
        {
            let is_sound = match (kind, default) {
                (_, None) | (Kind::Text | Kind::Off, Some(Value::Null)) => true,
                (Kind::Text | Kind::Optional, Some(Value::String(_))) => true,
                (Kind::Number, Some(Value::Number(_))) => true,
                (Kind::Switch, Some(Value::Bool(_))) => true,
                (Kind::List, Some(Value::Array(_))) | (Kind::Map, Some(Value::Object(_))) => true,
                // gunicorn itself takes a text for the protocol version of TLS, and has a number as its default.
                (Kind::Text, Some(Value::Number(_))) => *name == "ssl_version",
                _ => false,
            };
            assert!(is_sound, "{name}: {kind:?} {default:?}");
        }
    }

    #[test]
    fn a_misspelt_name_is_led_home() {
        assert_eq!(nearest("worker"), Some("workers"));
        assert_eq!(nearest("time_out"), Some("timeout"));
        assert_eq!(nearest("accesslogs"), Some("accesslog"));
        assert_eq!(nearest("cores"), None);
        assert_eq!(nearest("name"), None);
    }
}
