//! Reads a configuration as uWSGI does: collects its options, replaces what stands for something else, applies what
//! brings further options, and keeps an account of every line.
//!
//! uWSGI 2.0.31 is the measure, and where 2.1 does what the author of a file surely meant, 2.1; the difference is said.
//! Nothing is run and nothing fetched. What depends on the machine is asked of [`Surroundings`], and said too.

mod act;
mod apply;
mod arithmetic;
mod collect;
mod command;
mod error;
mod expand;
mod glob;
mod ini;
mod input;
mod json;
mod line;
mod list;
mod load;
mod logic;
mod machine;
mod magic;
mod meant;
mod notes;
pub mod outside;
mod settle;
mod structured;
mod surroundings;
mod unit;
mod xml;
mod yaml;

#[cfg(test)]
mod tests;

pub(crate) use error::ReadError;
pub(crate) use input::{Format, Input};
pub(crate) use machine::Machine;
pub(crate) use surroundings::{Identity, Kind, Surroundings};

use std::rc::Rc;

use crate::convert::{account::Origin, uwsgi::reading::Reading};
use collect::Reader;

/// Reads the inputs one after the other, as uWSGI reads what it finds on its command line.
///
/// # Errors
/// An input that cannot be read at all, or that grows without end. Everything else is in the account.
pub(super) fn read(
    inputs: &[Input],
    surroundings: &dyn Surroundings,
) -> Result<Reading, ReadError> {
    collected(inputs, surroundings).map(settle::reading)
}

/// All that reading finds, before it is sorted into an account.
fn collected<'a>(
    inputs: &[Input],
    surroundings: &'a dyn Surroundings,
) -> Result<Reader<'a>, ReadError> {
    let mut reader = Reader::new(surroundings);
    let inputs = reader.without_units(inputs)?;
    reader.environment()?;
    for input in &inputs {
        reader.input(input)?;
    }
    reader.apply()?;
    reader.finish_blocks();
    reader.notes.finish_sections();
    Ok(reader)
}

impl Reader<'_> {
    fn input(&mut self, input: &Input) -> Result<(), ReadError> {
        match input {
            Input::CommandLine(words) => {
                self.program(words)?;
                self.command_line("command line", words)
            }
            Input::File { path, section } => self.file(path, section.as_deref()),
            Input::Text { name, text, format } => {
                self.magic.enter_nameless(name);
                let origin = Origin {
                    source: name.as_str().into(),
                    line: None,
                };
                let format =
                    format.unwrap_or_else(|| Format::of_text(&String::from_utf8_lossy(text)));
                self.text(&origin, text, format, "uwsgi")
            }
            // It has become a command line before.
            Input::Unit { .. } => Ok(()),
        }
    }

    /// A uWSGI that lies in a virtual environment runs its Python, unless an option says otherwise.
    fn program(&mut self, words: &[String]) -> Result<(), ReadError> {
        let home = words
            .first()
            .and_then(|word| word.strip_suffix("/bin/uwsgi"));
        let Some(home) = home.filter(|home| !["", "/usr", "/usr/local"].contains(home)) else {
            return Ok(());
        };
        self.collect(line::Pair {
            name: "home".to_owned(),
            value: Some(home.to_owned()),
            written: home.to_owned(),
            origin: Origin {
                source: "command line".into(),
                line: None,
            },
            comments: Vec::new(),
            remarks: vec![line::said("this is where the program lies")],
        })
    }

    /// A file that was named as an input must be there and be what it seems.
    fn file(&mut self, path: &str, section: Option<&str>) -> Result<(), ReadError> {
        let absolute = self.absolute(path);
        let bytes = self.surroundings.read(&absolute, load::LARGEST);
        let bytes = bytes.map_err(|source| ReadError::File {
            path: path.to_owned(),
            source,
        })?;
        let looks = || Format::of_text(&String::from_utf8_lossy(&bytes));
        let format = Format::of_name(path).unwrap_or_else(looks);
        let name = match section {
            Some(section) => format!("{path}:{section}"),
            None => path.to_owned(),
        };
        self.magic.enter(self.surroundings, &name, &absolute, true);
        self.last_file = path.to_owned();
        let section = section.unwrap_or("uwsgi");
        self.within.push(format!("{absolute}:{section}"));
        let origin = Origin {
            source: Rc::from(path),
            line: None,
        };
        let result = self.text(&origin, &bytes, format, section);
        self.within.pop();
        result
    }
}
