//! Settings that can be written and that this version does not serve yet.
//!
//! The schema is ahead of the server: old configurations can be converted to it, and nothing of them is lost in
//! silence. `check` names such settings, `serve` refuses them. Whoever serves a key takes its line out of the list.

use std::fmt;

use toml::{Table, Value};

use super::{
    error::Position,
    schema::{Listen, Settings},
    value::Address,
};

/// Keys, and sections without a key, each with the values that are served in spite of it, beside the default; `*` at the
/// end of a value stands for whatever comes there. There are none at the moment.
const UNSERVED: &[(&str, &[&str])] = &[];

/// A setting that this version does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unserved {
    /// From the section inwards; an entry of a list by its number, from 0.
    pub key: Vec<String>,
    /// As a person would call it: `listen.redirect-to`, `[[cgi]]`, `log.to "syslog"`.
    pub name: String,
    /// Where it stands, if there is a file.
    pub position: Option<Position>,
}

impl fmt::Display for Unserved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, .. }) => write!(formatter, "{} (line {line})", self.name),
            None => formatter.write_str(&self.name),
        }
    }
}

impl Settings {
    /// What these settings ask for and this version does not do. A key that says what holds anyway asks for nothing.
    pub fn unserved(&self) -> Vec<Unserved> {
        search(self, UNSERVED)
    }
}

/// What the settings say of the keys of a list.
fn search(settings: &Settings, list: &[(&str, &[&str])]) -> Vec<Unserved> {
    let mut found = Vec::new();
    // Settings have a form in TOML, because they come from there; those from the command line are a part of them.
    let (Ok(values), Ok(defaults)) = (Table::try_from(settings), Table::try_from(defaults()))
    else {
        return found;
    };
    for (name, served) in list {
        let path: Vec<&str> = name.split('.').collect();
        let search = Search { name, served };
        search.section(&mut Vec::new(), &path, &values, &defaults, &mut found);
    }
    found
}

/// Every section that has defaults, with them.
fn defaults() -> Settings {
    Settings {
        listen: vec![Listen::at(Address::Tcp {
            host: None,
            port: 0,
        })],
        ..Settings::default()
    }
}

/// The search for one line of the list.
struct Search<'l> {
    name: &'l str,
    served: &'l [&'l str],
}

impl Search<'_> {
    /// Goes down from a section of the file to the key.
    fn section(
        &self,
        place: &mut Vec<String>,
        path: &[&str],
        values: &Table,
        defaults: &Table,
        found: &mut Vec<Unserved>,
    ) {
        let [key, inner @ ..] = path else {
            return;
        };
        let (Some(value), default) = (values.get(*key), defaults.get(*key)) else {
            return;
        };
        place.push((*key).to_owned());
        match (value, inner) {
            (_, []) => self.value(place, value, default, found),
            (Value::Table(table), inner) => {
                self.section(place, inner, table, table_of(default), found);
            }
            (Value::Array(tables), inner) => {
                let default = default
                    .and_then(Value::as_array)
                    .and_then(|list| list.first());
                for (number, table) in tables.iter().enumerate() {
                    place.push(number.to_string());
                    self.section(
                        place,
                        inner,
                        table_of(Some(table)),
                        table_of(default),
                        found,
                    );
                    place.pop();
                }
            }
            _ => {}
        }
        place.pop();
    }

    /// A key that has a value of its own; of a list each entry, because some of them may be served.
    fn value(
        &self,
        place: &mut Vec<String>,
        value: &Value,
        default: Option<&Value>,
        found: &mut Vec<Unserved>,
    ) {
        let is_served = |value: &Value| {
            let fits = |text: &str, served: &str| match served.strip_suffix('*') {
                Some(beginning) => text.starts_with(beginning),
                None => text == served,
            };
            value
                .as_str()
                .is_some_and(|text| self.served.iter().any(|served| fits(text, served)))
        };
        match value {
            value if Some(value) == default || is_served(value) => {}
            Value::Array(list) if !self.served.is_empty() => {
                for (number, entry) in list.iter().enumerate().filter(|(_, one)| !is_served(one)) {
                    place.push(number.to_string());
                    found.push(self.found(place, entry));
                    place.pop();
                }
            }
            value => found.push(self.found(place, value)),
        }
    }

    fn found(&self, place: &[String], value: &Value) -> Unserved {
        let name = match value {
            Value::String(text) if !self.served.is_empty() => format!("{} {text:?}", self.name),
            Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_table) => {
                format!("[[{}]]", self.name)
            }
            Value::Table(_) if !self.name.contains('.') => format!("[{}]", self.name),
            _ => self.name.to_owned(),
        };
        Unserved {
            key: place.to_owned(),
            name,
            position: None,
        }
    }
}

/// The table, or one without keys.
fn table_of(value: Option<&Value>) -> &Table {
    static NONE: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::new);
    value.and_then(Value::as_table).unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{parse, shape};

    /// The list changes with every version; this one does not.
    const LIST: &[(&str, &[&str])] = &[
        ("app.argv", &[]),
        ("mount", &[]),
        ("http", &[]),
        ("listen.protocol", &["uwsgi"]),
        ("listen.backlog", &[]),
        ("workers.cheaper.idle", &[]),
        ("log.to", &["stderr", "file:*"]),
    ];

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let text = format!("app.module = \"shop\"\n{text}");
        let settings = parse(&text, Path::new("/site.toml")).unwrap();
        let found = search(&settings, LIST);
        let names = found
            .iter()
            .map(|one| format!("{} at {}", one.name, one.key.join(".")));
        assert_eq!(names.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_not_asked_for_is_not_missed() {
        check("listen = [{ address = \":80\" }]", &[]);
        check(
            "app.argv = []\nlisten = [{ address = \":80\", protocol = \"uwsgi\" }]\n\
             http.keep-alive = 75\nlog.to = [\"stderr\", \"file:/a\"]",
            &[],
        );
    }

    #[test]
    fn keys_values_and_sections_are_named() {
        check(
            "app.argv = [\"-v\"]\n[[listen]]\naddress = \":80\"\n\
             [[listen]]\naddress = \":81\"\nprotocol = \"https\"\nbacklog = 5\n\
             certificate = \"a\"\nkey = \"b\"\n\
             [http]\nkeep-alive = 1\n[workers]\nprocesses = 2\n[workers.cheaper]\nminimum = 1\nidle = 60\n\
             [log]\nto = [\"stderr\", \"syslog\"]\n[[mount]]\npath = \"/a\"\nmodule = \"a\"",
            &[
                "app.argv at app.argv",
                "[[mount]] at mount",
                "[http] at http",
                "listen.protocol \"https\" at listen.1.protocol",
                "listen.backlog at listen.1.backlog",
                "workers.cheaper.idle at workers.cheaper.idle",
                "log.to \"syslog\" at log.to.1",
            ],
        );
    }

    #[test]
    fn every_line_of_the_list_names_something_of_the_schema() {
        for (name, _) in UNSERVED {
            let path: Vec<&str> = name.split('.').collect();
            let (key, section) = path.split_last().unwrap();
            let keys = shape(section).keys().unwrap();
            assert!(keys.contains(key), "{name}");
        }
    }
}
