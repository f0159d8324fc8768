//! `docs/settings.md` has every key of the schema once, in the schema's order, with its true default.

use std::{collections::BTreeMap, fs};

use toml::{Table, Value};

use super::*;
use crate::config::keys::{header, sections};

/// Key and default of each row, by the header of the section.
type Rows = BTreeMap<String, Vec<(String, String)>>;

/// What the manual says: `## [section]`, and below it rows of key, type, default and meaning.
fn written() -> Rows {
    let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md");
    let mut rows = Rows::new();
    let mut section = String::new();
    for line in fs::read_to_string(manual).unwrap().lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.to_owned();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", key, _type, default, _meaning, ""] = cells[..]
            && key.starts_with('`')
        {
            let row = (key.trim_matches('`').to_owned(), default.to_owned());
            rows.entry(section.clone()).or_default().push(row);
        }
    }
    rows
}

/// What the schema says.
fn true_rows() -> Rows {
    let settings = site("");
    let mut values = Table::try_from(Settings::default()).unwrap();
    let listen = Table::try_from(&settings.listen[0]).unwrap();
    values.insert("listen".to_owned(), Value::Table(listen));
    let timer = site("[[timer]]\nname = \"a\"\ncommand = [\"a\"]\nevery = 60").timer;
    let mut timer = Table::try_from(&timer[0]).unwrap();
    timer.insert("every".to_owned(), Value::from("0"));
    values.insert("timer".to_owned(), Value::Table(timer));
    let rows = sections().into_iter().map(|(section, keys)| {
        let table = section
            .iter()
            .fold(&values, |outer, name| outer[*name].as_table().unwrap());
        let keys = keys
            .iter()
            .filter(|key| shape(&[&section[..], &[key]].concat()).keys().is_none());
        let rows = keys.map(|key| (key.to_string(), default(&section, key, table.get(*key))));
        (header(&section), rows.collect())
    });
    rows.collect()
}

/// As `check --show` prints it.
fn default(section: &[&str], key: &str, value: Option<&Value>) -> String {
    match (section, key, value) {
        (["listen"], "address", _) | (["timer"], "name" | "command", _) => "required".to_owned(),
        (_, _, Some(value)) => format!("`{value}`"),
        (_, _, None) => "not set".to_owned(),
    }
}

#[test]
fn the_manual_has_every_key_with_its_default() {
    let written = written();
    for (section, keys) in true_rows() {
        assert_eq!(written.get(&section), Some(&keys), "{section}");
    }
    assert_eq!(written.len(), true_rows().len());
}
