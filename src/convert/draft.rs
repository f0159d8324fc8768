//! The settings file that is being written: values at their keys, with comments above them, in the schema's order.
//!
//! Apart from the translations, which say what is to stand where; how it looks is decided here alone. The text depends
//! on nothing but what was said: the same conversion gives the same file.

mod render;
#[cfg(test)]
mod tests;

use toml::Value;

/// A settings file before it is a text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    head: Vec<String>,
    tables: Vec<Table>,
}

/// A section of a [`Draft`], or one of the entries of a section in double brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Section(usize);

#[derive(Debug, Clone)]
struct Table {
    /// With dots, and without brackets.
    name: String,
    /// Whether there may be several, in double brackets.
    repeated: bool,
    notes: Notes,
    keys: Vec<Key>,
}

#[derive(Debug, Clone)]
struct Key {
    name: String,
    /// `None`: the key stands there as a remark alone.
    value: Option<Value>,
    notes: Notes,
}

/// What stands above a header or a key.
#[derive(Debug, Clone, Default)]
struct Notes {
    /// Lines of the old file.
    comments: Vec<String>,
    /// What a person has to look at.
    remarks: Vec<String>,
}

impl Draft {
    /// Adds a paragraph to the comment at the top of the file.
    pub(crate) fn say(&mut self, paragraph: &str) {
        self.head.push(paragraph.to_owned());
    }

    /// The section of this name, with dots and without brackets: `workers.cheaper`, or a table of the user's own names
    /// like `app.env`. It is made when it is not there; one without keys is not written.
    pub(crate) fn section(&mut self, name: &str) -> Section {
        let found = self.tables.iter().position(|table| table.name == name);
        found.map_or_else(|| self.make(name, false), Section)
    }

    /// One more section in double brackets: `listen`.
    pub(crate) fn add(&mut self, name: &str) -> Section {
        self.make(name, true)
    }

    /// All sections in double brackets of this name, in their order.
    pub(crate) fn all(&self, name: &str) -> Vec<Section> {
        let tables = self.tables.iter().enumerate();
        let named = tables.filter(|(_, table)| table.repeated && table.name == name);
        named.map(|(number, _)| Section(number)).collect()
    }

    /// Gives a key its value, in place of one that it had.
    pub(crate) fn set(&mut self, section: Section, key: &str, value: impl Into<Value>) {
        self.key(section, key).value = Some(value.into());
    }

    /// Adds to the list at a key.
    pub(crate) fn push(&mut self, section: Section, key: &str, value: impl Into<Value>) {
        let key = self.key(section, key);
        match &mut key.value {
            Some(Value::Array(list)) => list.push(value.into()),
            other => *other = Some(Value::Array(vec![value.into()])),
        }
    }

    /// Puts a value in front of the list at a key.
    pub(crate) fn push_front(&mut self, section: Section, key: &str, value: impl Into<Value>) {
        let key = self.key(section, key);
        match &mut key.value {
            Some(Value::Array(list)) => list.insert(0, value.into()),
            other => *other = Some(Value::Array(vec![value.into()])),
        }
    }

    /// Takes the value of a key away, and keeps its place for a remark.
    pub(crate) fn leave_out(&mut self, section: Section, key: &str) {
        self.key(section, key).value = None;
    }

    /// Takes a section away; what was said about it and its keys goes to the top of the file.
    pub(crate) fn drop_section(&mut self, section: Section) {
        if let Some(table) = self.tables.get_mut(section.0) {
            let notes = std::mem::take(&mut table.notes).remarks;
            let of_keys = std::mem::take(&mut table.keys);
            let of_keys = of_keys.into_iter().flat_map(|key| key.notes.remarks);
            self.head.extend(notes.into_iter().chain(of_keys));
        }
    }

    /// The value that a key has.
    pub(crate) fn get(&self, section: Section, key: &str) -> Option<&Value> {
        let keys = &self.tables.get(section.0)?.keys;
        let known = keys.iter().find(|known| known.name == key)?;
        known.value.as_ref()
    }

    /// What a section is called.
    pub(crate) fn name(&self, section: Section) -> &str {
        self.tables.get(section.0).map_or("", |table| &table.name)
    }

    /// Whether anything was said about a section or its keys.
    pub(crate) fn has(&self, section: Section) -> bool {
        let table = self.tables.get(section.0);
        table.is_some_and(|table| !table.keys.is_empty())
    }

    /// Takes a key away, with what was said about it.
    pub(crate) fn remove(&mut self, section: Section, key: &str) {
        if let Some(table) = self.tables.get_mut(section.0) {
            table.keys.retain(|known| known.name != key);
        }
    }

    /// Keeps comment lines of the old file above a key, or above the header of the section; the key has to be there.
    pub(crate) fn comment(&mut self, section: Section, key: Option<&str>, lines: &[String]) {
        if let Some(notes) = self.notes(section, key) {
            notes.comments.extend_from_slice(lines);
        }
    }

    /// Says above a key, or above the header of the section, what a person has to look at; without the key it is said
    /// at the top of the file.
    pub(crate) fn remark(&mut self, section: Section, key: Option<&str>, text: &str) {
        match self.notes(section, key) {
            Some(notes) => notes.remarks.push(text.to_owned()),
            None => self.say(text),
        }
    }

    /// The text of the file.
    pub(crate) fn render(&self) -> String {
        render::render(self).0
    }

    /// What is written at this line of the text, counted from 1: a key, or without one the header of a section.
    pub(crate) fn at_line(&self, line: usize) -> Option<(Section, Option<String>)> {
        let (_, places) = render::render(self);
        let place = places
            .into_iter()
            .find(|place| place.lines.contains(&line))?;
        Some((Section(place.table), place.key))
    }

    fn make(&mut self, name: &str, repeated: bool) -> Section {
        self.tables.push(Table {
            name: name.to_owned(),
            repeated,
            notes: Notes::default(),
            keys: Vec::new(),
        });
        Section(self.tables.len() - 1)
    }

    /// Sections are made by this draft and never taken away, so that their numbers are good; another draft's would get
    /// a section of its own.
    fn key(&mut self, section: Section, name: &str) -> &mut Key {
        let number = match section.0 < self.tables.len() {
            true => section.0,
            false => self.make("", false).0,
        };
        let keys = &mut self.tables[number].keys;
        let place = keys.iter().position(|known| known.name == name);
        let place = place.unwrap_or_else(|| {
            keys.push(Key {
                name: name.to_owned(),
                value: None,
                notes: Notes::default(),
            });
            keys.len() - 1
        });
        &mut keys[place]
    }

    fn notes(&mut self, section: Section, key: Option<&str>) -> Option<&mut Notes> {
        let table = self.tables.get_mut(section.0)?;
        match key {
            None => Some(&mut table.notes),
            Some(name) => {
                let key = table.keys.iter_mut().find(|known| known.name == name);
                key.map(|key| &mut key.notes)
            }
        }
    }
}
