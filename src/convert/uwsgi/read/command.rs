//! A command line as getopt_long(3) reads it: abbreviations, bundled letters, values in the same word or the next; what
//! is left are files, which are read behind all options. And `UWSGI_…` variables, which come before everything.

use std::rc::Rc;

use super::{
    collect::Reader,
    error::ReadError,
    input::Format,
    line::{Pair, asked},
    list::Fate,
};
use crate::convert::{
    account::{Origin, Remark},
    uwsgi::names::{self, Argument, Name},
};

/// What a word with a dash in front has turned out to be.
struct Flag {
    name: String,
    value: Option<String>,
    remarks: Vec<Remark>,
}

/// Variables that uWSGI uses for itself.
const NOT_OPTIONS: [&str; 8] = [
    "UWSGI_RELOADS",
    "UWSGI_VASSALS_DIR",
    "UWSGI_EMPEROR_FD",
    "UWSGI_BROODLORD_NUM",
    "UWSGI_EMPEROR_FD_CONFIG",
    "UWSGI_EMPEROR_PROXY",
    "UWSGI_JAIL_PID",
    "UWSGI_ORIGINAL_PROC_NAME",
];

impl Reader<'_> {
    /// `UWSGI_FOO_BAR=v` is `foo-bar = v`.
    pub(super) fn environment(&mut self) -> Result<(), ReadError> {
        let mut variables = self.surroundings.variables();
        variables.retain(|(name, _)| !self.environment.contains_key(name));
        let own = self.environment.iter();
        variables.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        variables.sort();
        let source: Rc<str> = "environment".into();
        for (variable, value) in variables {
            let Some(name) = variable.strip_prefix("UWSGI_") else {
                continue;
            };
            if NOT_OPTIONS.contains(&&variable[..]) {
                continue;
            }
            self.collect(Pair {
                name: name.to_ascii_lowercase().replace('_', "-"),
                written: value.clone(),
                value: Some(value),
                origin: Origin {
                    source: Rc::clone(&source),
                    line: None,
                },
                comments: Vec::new(),
                remarks: vec![asked(format!("`{variable}` is set in the environment"))],
            })?;
        }
        Ok(())
    }

    /// Reads the words of a command line, which `called` names.
    pub(super) fn command_line(&mut self, called: &str, words: &[String]) -> Result<(), ReadError> {
        let source: Rc<str> = called.into();
        let mut words = without_program(words).iter().cloned().peekable();
        let mut files = Vec::new();
        while let Some(word) = words.next() {
            if word == "--" {
                files.extend(words.by_ref());
            } else if let Some(long) = word.strip_prefix("--") {
                let flag = self.long(long, &mut words);
                self.flag(&source, flag)?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                for flag in letters_of(letters, &mut words) {
                    self.flag(&source, flag)?;
                }
            } else {
                files.push(word);
            }
        }
        // Whatever begins with a bracket is for the list of processes.
        for file in files.into_iter().filter(|file| !file.starts_with('[')) {
            self.positional(&source, file)?;
        }
        Ok(())
    }

    fn flag(&mut self, source: &Rc<str>, flag: Flag) -> Result<(), ReadError> {
        self.collect(Pair {
            name: flag.name,
            written: flag.value.clone().unwrap_or_default(),
            value: flag.value,
            origin: Origin {
                source: Rc::clone(source),
                line: None,
            },
            comments: Vec::new(),
            remarks: flag.remarks,
        })
    }

    /// A file, which has to have an ending that says what it is.
    fn positional(&mut self, source: &Rc<str>, file: String) -> Result<(), ReadError> {
        let pair = Pair {
            name: "include".to_owned(),
            value: Some(file.clone()),
            written: file.clone(),
            origin: Origin {
                source: Rc::clone(source),
                line: None,
            },
            comments: Vec::new(),
            remarks: Vec::new(),
        };
        // It is loaded as `include` does, but is in no list of options.
        let place = self.list.push_nameless(pair);
        if Format::of_name(&file).is_none() {
            let why = format!("uWSGI does not start: it cannot load `{file}`");
            self.notes.refusals.push(why.clone());
            let instead = "write `--ini FILE:SECTION` for a file, `--wsgi-file` or `--module` for an application";
            let instead = instead.to_owned();
            self.settle(place, Fate::Refused { why, instead });
            return Ok(());
        }
        self.load_for(place, &file, None)
    }

    /// `name`, `name=value` or the beginning of a name.
    fn long(
        &self,
        word: &str,
        words: &mut std::iter::Peekable<impl Iterator<Item = String>>,
    ) -> Flag {
        let (written, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let mut remarks = Vec::new();
        let (name, argument) = match self.named(written) {
            Ok(Some(found)) => found,
            Ok(None) => return unknown(written, value, words),
            Err(candidates) => {
                let text = format!(
                    "uWSGI does not start: this may be {}",
                    candidates.join(", ")
                );
                remarks.push(asked(text));
                (written.to_owned(), Argument::None)
            }
        };
        let value = match argument {
            Argument::Required => value.or_else(|| words.next()),
            Argument::Optional => value,
            Argument::None => {
                if value.is_some() {
                    remarks.push(asked(
                        "uWSGI does not start: this option takes no value here",
                    ));
                }
                value
            }
        };
        Flag {
            name,
            value,
            remarks,
        }
    }

    /// The option that is meant by a name or by its beginning, and whether it takes a value; else what may be meant.
    fn named(&self, written: &str) -> Result<Option<(String, Argument)>, Vec<String>> {
        let of_table = |name: &Name| (name.name.to_owned(), name.argument);
        if let Some(name) = names::find(written) {
            return Ok(Some(of_table(name)));
        }
        let mut candidates: Vec<(String, Argument)> = names::all()
            .iter()
            .filter(|name| name.name.starts_with(written))
            .map(of_table)
            .collect();
        for (name, template) in &self.declared {
            let takes = ["$1", "$2", "$3"]
                .iter()
                .any(|sign| template.contains(sign));
            let argument = if takes {
                Argument::Required
            } else {
                Argument::None
            };
            if name == written {
                return Ok(Some((name.clone(), argument)));
            }
            if name.starts_with(written) {
                candidates.push((name.clone(), argument));
            }
        }
        if candidates.len() < 2 {
            return Ok(candidates.pop());
        }
        let names = candidates.into_iter().take(4);
        Err(names.map(|(name, _)| format!("`--{name}`")).collect())
    }
}

/// An option that nobody knows: whether it takes a value, nobody knows either. What is neither a flag nor a file is one.
fn unknown(
    name: &str,
    value: Option<String>,
    words: &mut std::iter::Peekable<impl Iterator<Item = String>>,
) -> Flag {
    let is_value = |word: &String| !word.starts_with('-') && Format::of_name(word).is_none();
    Flag {
        name: name.to_owned(),
        value: value.or_else(|| words.next_if(is_value)),
        remarks: vec![asked("uWSGI does not start: it does not know this option")],
    }
}

/// The options behind one dash: flags without values, and then maybe one with the rest or the next word as its value.
fn letters_of(
    letters: &str,
    words: &mut std::iter::Peekable<impl Iterator<Item = String>>,
) -> Vec<Flag> {
    let mut flags = Vec::new();
    for (at, letter) in letters.char_indices() {
        let behind = &letters[at + letter.len_utf8()..];
        let behind = (!behind.is_empty()).then(|| behind.to_owned());
        let known = names::all().iter().find(|name| name.short == Some(letter));
        let Some(known) = known else {
            flags.push(Flag {
                name: letter.to_string(),
                value: None,
                remarks: vec![asked(format!(
                    "uWSGI does not start: it does not know `-{letter}`"
                ))],
            });
            continue;
        };
        let mut flag = Flag {
            name: known.name.to_owned(),
            value: None,
            remarks: Vec::new(),
        };
        match known.argument {
            Argument::None => {
                flags.push(flag);
                continue;
            }
            Argument::Optional => flag.value = behind,
            Argument::Required => flag.value = behind.or_else(|| words.next()),
        }
        flags.push(flag);
        break;
    }
    flags
}

/// The words behind the program, if the first is one.
fn without_program(words: &[String]) -> &[String] {
    match words {
        [first, rest @ ..] if !first.starts_with('-') && Format::of_name(first).is_none() => {
            let program = first.rsplit('/').next().unwrap_or(first);
            if program.contains("uwsgi") {
                rest
            } else {
                words
            }
        }
        _ => words,
    }
}
