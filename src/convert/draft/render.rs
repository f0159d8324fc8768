//! From a draft to a text: what comes first, what goes on a line of its own, and where lines end.

use std::{fmt::Write, ops::RangeInclusive};

use toml::Value;

use crate::config::{Shape, shape};

use super::{Draft, Key, Notes, Table};

/// Lines of lists and comments end before this column where they can.
const WIDTH: usize = 100;

/// What a remark begins with, so that an editor finds it.
const MARK: &str = "CHECK: ";

/// Where a key or a header has been written.
pub(super) struct Place {
    /// From 1.
    pub(super) lines: RangeInclusive<usize>,
    /// The number of its section in the draft.
    pub(super) table: usize,
    /// `None`: the header.
    pub(super) key: Option<String>,
}

/// The whole text, one blank line between sections, and where its keys are.
pub(super) fn render(draft: &Draft) -> (String, Vec<Place>) {
    let mut text = String::new();
    let mut places = Vec::new();
    for paragraph in &draft.head {
        write_comment(paragraph, "", &mut text);
    }
    let tables = draft.tables.iter().enumerate();
    let mut tables: Vec<(usize, &Table)> = tables.filter(|(_, t)| !t.keys.is_empty()).collect();
    // The sort keeps the order of sections with the same name.
    tables.sort_by_key(|(_, table)| rank(&table.name));
    for (number, table) in tables {
        if !text.is_empty() {
            text.push('\n');
        }
        write_table(table, number, &mut text, &mut places);
    }
    (text, places)
}

fn write_table(table: &Table, number: usize, text: &mut String, places: &mut Vec<Place>) {
    write_notes(&table.notes, text);
    let (open, close) = if table.repeated {
        ("[[", "]]")
    } else {
        ("[", "]")
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{open}{}{close}", table.name);
    let written = text.lines().count();
    places.push(Place {
        lines: written..=written,
        table: number,
        key: None,
    });
    let section: Vec<&str> = table.name.split('.').collect();
    let known = shape(&section).keys().unwrap_or_default();
    let mut keys: Vec<&Key> = table.keys.iter().collect();
    keys.sort_by_key(|key| {
        let place = known.iter().position(|name| *name == key.name);
        place.unwrap_or(usize::MAX)
    });
    for key in keys {
        write_notes(&key.notes, text);
        let Some(value) = &key.value else {
            continue;
        };
        let first = text.lines().count() + 1;
        let name = name_of(&key.name);
        let value = value_of(value, name.len() + 3);
        let _ = writeln!(text, "{name} = {value}");
        places.push(Place {
            lines: first..=text.lines().count(),
            table: number,
            key: Some(key.name.clone()),
        });
    }
}

fn write_notes(notes: &Notes, text: &mut String) {
    for line in &notes.comments {
        let line = line.trim_end();
        // Writing to a string cannot fail.
        let _ = match line.is_empty() {
            true => writeln!(text, "#"),
            false => writeln!(text, "# {}", printable(line)),
        };
    }
    for remark in &notes.remarks {
        write_comment(remark, MARK, text);
    }
}

/// TOML allows no control characters in comments but the tab.
fn printable(line: &str) -> String {
    let replace = |c: char| match c.is_control() && c != '\t' {
        true => '\u{fffd}',
        false => c,
    };
    line.chars().map(replace).collect()
}

/// A paragraph as comment lines, broken between words.
fn write_comment(paragraph: &str, mark: &str, text: &mut String) {
    let paragraph = printable(&paragraph.replace(['\n', '\r'], " "));
    let mut line = format!("# {mark}");
    let mut fresh = true;
    for word in paragraph.split(' ').filter(|word| !word.is_empty()) {
        if !fresh && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = "#   ".to_owned();
            fresh = true;
        }
        if !fresh {
            line.push(' ');
        }
        line.push_str(word);
        fresh = false;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

/// Where a section stands: the schema's place of each part of its name; what the schema does not know comes last.
fn rank(name: &str) -> Vec<usize> {
    let mut outer: Vec<&str> = Vec::new();
    let mut rank = Vec::new();
    for part in name.split('.') {
        let place = match shape(&outer) {
            Shape::Section(keys) | Shape::Sections(keys) => {
                keys.iter().position(|key| *key == part)
            }
            Shape::Value => None,
        };
        rank.push(place.unwrap_or(usize::MAX));
        outer.push(part);
    }
    rank
}

/// Bare where TOML allows it.
fn name_of(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => Value::from(name).to_string(),
    }
}

/// A value that begins at this column; a list that is too long for the line has its entries below each other.
fn value_of(value: &Value, column: usize) -> String {
    let short = inline(value);
    match value {
        Value::Array(list) if column + short.chars().count() > WIDTH && list.len() > 1 => {
            let mut text = "[\n".to_owned();
            for entry in list {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "    {},", inline(entry));
            }
            text.push(']');
            text
        }
        _ => short,
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            let entries: Vec<String> = list.iter().map(inline).collect();
            format!("[{}]", entries.join(", "))
        }
        Value::Table(table) if table.is_empty() => "{}".to_owned(),
        Value::Table(table) => {
            let entries = table.iter();
            let entries =
                entries.map(|(key, value)| format!("{} = {}", name_of(key), inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        // Its notation for several lines is not for a line.
        Value::String(text) if text.contains('\n') => one_line(text),
        scalar => scalar.to_string(),
    }
}

/// A string with everything escaped that a basic string of TOML does not take as it is.
fn one_line(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push('\t'),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
