//! The options that act when they are read, of which nothing is replaced: files, placeholders, blocks, limits.

use super::{
    collect::{Made, Reader},
    error::ReadError,
    input::Format,
    line::{Pair, asked, said},
    list::Fate,
    logic::{self, words},
};
use crate::convert::uwsgi::names;

/// How deep declared options may use each other. uWSGI has no limit.
const DEPTH: usize = 16;

/// How many texts may be put around each file.
const INJECTED: usize = 100;

/// The format that an option of this name loads; `None` in it: by the ending of the file.
pub(super) fn loads(name: &str) -> Option<Option<Format>> {
    Some(match name {
        "include" | "inherit" => None,
        "ini" => Some(Format::Ini),
        "js" | "json" => Some(Format::Json),
        "xml" | "xmlconfig" => Some(Format::Xml),
        "yal" | "yaml" | "yml" => Some(Format::Yaml),
        _ => return None,
    })
}

/// uWSGI's idea of what is true.
fn is_true(value: Option<&str>) -> bool {
    value.is_none_or(|value| {
        value != "0"
            && !["false", "no", "off"]
                .iter()
                .any(|no| value.eq_ignore_ascii_case(no))
    })
}

impl Reader<'_> {
    /// Lets the option at `place` act.
    pub(super) fn act(&mut self, place: usize) -> Result<(), ReadError> {
        let Some(item) = self.list.items.get(place) else {
            return Ok(());
        };
        let (name, value) = (item.pair.name.clone(), item.pair.value.clone());
        self.do_option(place, &name, value.as_deref(), 0)
    }

    /// Does what an option does, on behalf of the item at `place`.
    fn do_option(
        &mut self,
        place: usize,
        name: &str,
        value: Option<&str>,
        depth: usize,
    ) -> Result<(), ReadError> {
        let text = value.unwrap_or("");
        if let Some(format) = loads(name) {
            return self.load_for(place, text, format);
        }
        if let Some(logic) = logic::opened_by(name) {
            self.open(place, logic, text.to_owned());
            return Ok(());
        }
        if names::find(name).is_none() {
            return self.expand_declared(place, name, text, depth);
        }
        match name {
            "set" => return self.set(place, text, false),
            "set-placeholder" | "set-ph" => return self.set(place, text, true),
            "resolve" => return self.resolve(place, text),
            "declare-option" | "declare-option2" => self.declare(place, text),
            "inject-before" => self.inject(place, 0, text),
            "inject-after" => self.inject(place, 1, text),
            "blacklist" => self.forbid(Some(text)),
            "whitelist" => self.allow(Some(text)),
            "end-blacklist" => self.forbid(None),
            "end-whitelist" => self.allow(None),
            "strict" => self.be_strict(is_true(value)),
            "exit" => self.exit(place),
            "ienv" => self.set_variable(text),
            "early-envdir" => self.set_variables_in(text),
            _ => {}
        }
        Ok(())
    }

    /// `set = name=value`: an option or, if there is none, a placeholder.
    fn set(&mut self, place: usize, text: &str, only_placeholder: bool) -> Result<(), ReadError> {
        let Some((name, value)) = text.split_once('=') else {
            self.refuse(place, "uWSGI does not start: `name=value` is expected here");
            return Ok(());
        };
        let Some(mut pair) = self.copy_of(place) else {
            return Ok(());
        };
        name.clone_into(&mut pair.name);
        pair.value = Some(value.to_owned());
        value.clone_into(&mut pair.written);
        let meant = name.trim();
        if meant != name && names::find(meant).is_some() {
            pair.remarks.push(asked(format!(
                "uWSGI does not see the option `{meant}` here because of the space before `=`"
            )));
            meant.clone_into(&mut pair.name);
            pair.value = Some(value.trim().to_owned());
        }
        self.settle(place, Fate::Elsewhere);
        self.check_lists(&mut pair);
        self.add(pair, only_placeholder).map(drop)
    }

    /// `resolve = name=host`
    fn resolve(&mut self, place: usize, text: &str) -> Result<(), ReadError> {
        let (name, host) = text.split_once('=').unwrap_or((text, ""));
        let Some(address) = self.surroundings.address(host) else {
            let why = format!("the address of `{host}` cannot be found here");
            let instead = format!("write the address where `%({name})` stands");
            self.settle(place, Fate::Refused { why, instead });
            return Ok(());
        };
        self.remark(
            place,
            asked(format!("`{host}` is {address} here, and fixed now")),
        );
        self.set(place, &format!("{name}={address}"), true)
    }

    /// `declare-option = name=template`
    pub(super) fn declare(&mut self, place: usize, text: &str) {
        let Some((name, template)) = text.split_once('=') else {
            self.refuse(
                place,
                "uWSGI does not start: `name=template` is expected here",
            );
            return;
        };
        let declared = self.declared.entry(name.to_owned());
        declared.or_insert_with(|| template.to_owned());
        self.settle(place, Fate::Used(format!("declares `{name}`")));
    }

    /// A declared option becomes what its template says.
    pub(super) fn expand_declared(
        &mut self,
        place: usize,
        name: &str,
        text: &str,
        depth: usize,
    ) -> Result<(), ReadError> {
        let Some(template) = self.declared.get(name).cloned() else {
            return Ok(());
        };
        if depth == DEPTH {
            self.refuse(
                place,
                "uWSGI does not start: this option leads back to itself",
            );
            return Ok(());
        }
        let mut arguments = words(text);
        if arguments.is_empty() {
            arguments.push(String::new());
        }
        let pieces = template.split(';').filter(|piece| !piece.is_empty());
        for piece in pieces {
            // uWSGI stops at the first piece without a value.
            let Some((name, value)) = piece.split_once('=') else {
                break;
            };
            let name = self.with_arguments(place, name, &arguments)?;
            let value = self.with_arguments(place, value, &arguments)?;
            if names::find(&name).is_some_and(|known| !known.immediate) {
                let in_place = self.is_applying;
                self.made.push(Made {
                    place,
                    name,
                    value,
                    in_place,
                });
            } else {
                self.do_option(place, &name, Some(&value), depth + 1)?;
            }
        }
        self.settle(place, Fate::Elsewhere);
        Ok(())
    }

    /// `$1`, `$2` and so on replaced, one after the other.
    fn with_arguments(
        &mut self,
        place: usize,
        text: &str,
        arguments: &[String],
    ) -> Result<String, ReadError> {
        let mut text = text.to_owned();
        for (argument, number) in arguments.iter().zip(1..) {
            let sign = format!("${number}");
            let count = text.matches(&sign).count();
            self.spend(place, 1 + text.len() + count * argument.len())?;
            text = text.replace(&sign, argument);
        }
        Ok(text)
    }

    fn inject(&mut self, place: usize, side: usize, path: &str) {
        if self.injected.iter().flatten().count() == INJECTED {
            self.refuse(place, "too many texts are put around each file");
            return;
        }
        if let Some(list) = self.injected.get_mut(side) {
            list.push(path.to_owned());
        }
        let what = "puts a text around each file that is read after it";
        self.settle(place, Fate::Used(what.to_owned()));
    }

    fn exit(&mut self, place: usize) {
        let remark = self
            .notes
            .refusal("uWSGI ends here and does not start; the conversion goes on");
        self.remark(place, remark);
        self.settle(place, Fate::Used("ends uWSGI when it is read".to_owned()));
    }

    fn set_variable(&mut self, text: &str) {
        if let Some((name, value)) = text.split_once('=') {
            self.environment.insert(name.to_owned(), value.to_owned());
        }
    }

    /// A directory with a file for each variable.
    fn set_variables_in(&mut self, directory: &str) {
        let directory = self.absolute(directory);
        for name in self.surroundings.entries(&directory) {
            let path = format!("{directory}/{name}");
            if !name.starts_with('.')
                && let Ok(text) = self.surroundings.read(&path, super::load::LARGEST)
            {
                let text = String::from_utf8_lossy(&text);
                self.environment.insert(name, text.trim_end().to_owned());
            }
        }
    }

    /// Includes a file on behalf of an item.
    pub(super) fn load_for(
        &mut self,
        place: usize,
        name: &str,
        format: Option<Format>,
    ) -> Result<(), ReadError> {
        let before = self.list.items.len();
        let was_included = self.is_included;
        self.is_included |= format.is_none();
        let loaded = self.load(name, format)?;
        self.is_included = was_included;
        match loaded {
            Ok(remarks) => {
                let count = self.list.items.len() - before;
                self.settle(
                    place,
                    Fate::Used(format!("{count} options were read from it")),
                );
                for text in remarks {
                    self.remark(place, said(text));
                }
            }
            Err(why) => {
                let instead =
                    "give the file to the conversion as well, or put its options here".to_owned();
                self.notes.refusals.push(why.clone());
                self.settle(place, Fate::Refused { why, instead });
            }
        }
        Ok(())
    }

    /// The item cannot be followed, by uWSGI neither.
    fn refuse(&mut self, place: usize, text: &str) {
        let remark = self.notes.refusal(text);
        let why = remark.text;
        let instead = "correct the line".to_owned();
        self.settle(place, Fate::Refused { why, instead });
    }

    /// A pair that stands where another one does.
    fn copy_of(&self, place: usize) -> Option<Pair> {
        self.list.items.get(place).map(|item| item.pair.clone())
    }
}
