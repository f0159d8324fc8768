//! A settings file as TOML whose every key and value knows where it stands.
//!
//! Apart from the loader because serde forgets positions: whoever finds a fault later asks here for the place.

use std::{ops::Range, path::Path};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

use super::{
    error::{ConfigError, Part, Position, Problem},
    schema::Settings,
};

/// One file.
pub(super) struct Document<'t> {
    path: &'t Path,
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

/// One `key = value`, one section, or one entry of a list.
pub(super) struct Entry<'d> {
    /// From the section inwards; an entry of a list by its number.
    pub(super) path: Vec<String>,
    /// The same as the schema sees it: without the numbers.
    pub(super) schema: Vec<&'d str>,
    /// Where the key stands; for an entry of a list, where the value stands.
    pub(super) key: Range<usize>,
    /// Where the value stands; for a section, where its header stands.
    pub(super) place: Range<usize>,
    /// The value.
    pub(super) value: &'d DeValue<'d>,
}

impl<'t> Document<'t> {
    /// Reads a text that must be TOML; the error is the parser's own.
    pub(super) fn parse(path: &'t Path, text: &'t str) -> Result<Self, Error> {
        Ok(Self {
            path,
            text,
            root: DeTable::parse(text)?,
        })
    }

    /// The values in the types of the schema.
    pub(super) fn settings(&self) -> Result<Settings, Error> {
        Settings::deserialize(toml::Deserializer::from(self.root.clone()))
    }

    /// Everything the file says, in its order.
    pub(super) fn entries(&self) -> Vec<Entry<'_>> {
        let mut entries = Vec::new();
        collect(self.root.get_ref(), &[], &[], &mut entries);
        entries.sort_by_key(|entry| entry.key.start);
        entries
    }

    /// An error at a place of the text.
    pub(super) fn error_at(&self, place: Option<Range<usize>>, message: &str) -> ConfigError {
        error_in(self.path, self.text, place, message)
    }

    /// An error at the key that is to blame, or at the innermost section on the way to it that the file has.
    pub(super) fn error_of(&self, problem: &Problem) -> ConfigError {
        self.error_at(self.place_of(&problem.key, problem.part), &problem.message)
    }

    /// Where a key stands, or the innermost section on the way to it that the file has.
    pub(super) fn place_of(&self, key: &[String], part: Part) -> Option<Range<usize>> {
        let nearest = self
            .entries()
            .into_iter()
            .filter(|entry| key.starts_with(&entry.path))
            .max_by_key(|entry| entry.path.len());
        nearest.map(|entry| match part {
            Part::Key if entry.path == key => entry.key,
            _ => entry.place,
        })
    }
}

/// An error at a place of a text, in one line.
pub(super) fn error_in(
    path: &Path,
    text: &str,
    place: Option<Range<usize>>,
    message: &str,
) -> ConfigError {
    // What is quoted from the file may hold anything that TOML can escape.
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    ConfigError::Invalid {
        path: path.to_owned(),
        position: place.map(|place| Position::of(place.start, text)),
        message: message.chars().map(escape).collect(),
    }
}

fn collect<'d>(
    table: &'d DeTable<'d>,
    path: &[String],
    schema: &[&'d str],
    entries: &mut Vec<Entry<'d>>,
) {
    for (key, value) in table {
        let name: &str = key.get_ref();
        let entry = Entry {
            path: [path, &[name.to_owned()]].concat(),
            schema: [schema, &[name]].concat(),
            key: key.span(),
            place: value.span(),
            value: value.get_ref(),
        };
        collect_inside(entry, entries);
    }
}

fn collect_inside<'d>(entry: Entry<'d>, entries: &mut Vec<Entry<'d>>) {
    match entry.value {
        DeValue::Array(list) => {
            for (number, value) in list.iter().enumerate() {
                let inner = Entry {
                    path: [&entry.path[..], &[number.to_string()]].concat(),
                    schema: entry.schema.clone(),
                    key: value.span(),
                    place: value.span(),
                    value: value.get_ref(),
                };
                collect_inside(inner, entries);
            }
        }
        DeValue::Table(table) => collect(table, &entry.path, &entry.schema, entries),
        _ => {}
    }
    entries.push(entry);
}
