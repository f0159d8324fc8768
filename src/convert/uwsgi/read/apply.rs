//! After everything is collected: replacing in values, and then applying the options, which may bring more.

use std::cell::OnceCell;

use super::{
    act::loads,
    arithmetic,
    collect::{Reader, too_much},
    error::ReadError,
    expand::{self, Endless, Expansion},
    line::{asked, said},
    load::{self, LARGEST},
};
use crate::convert::{account::Remark, uwsgi::names};

/// What comes up while a value is gone through.
#[derive(Default)]
struct Finds {
    remarks: Vec<Remark>,
    /// Names whose values were used.
    references: Vec<String>,
    refusals: Vec<String>,
}

impl Finds {
    fn say(&mut self, text: String) {
        self.remarks.push(asked(text));
    }
}

impl Reader<'_> {
    /// Replaces and applies until nothing new comes.
    ///
    /// # Errors
    /// What makes the whole configuration unreadable.
    pub(super) fn apply(&mut self) -> Result<(), ReadError> {
        let mut from = 0;
        self.is_applying = true;
        loop {
            self.replace(from)?;
            from = self.list.items.len();
            self.apply_in_order()?;
            if self.list.items.len() == from {
                return Ok(());
            }
        }
    }

    /// The three passes over the items from this place on.
    fn replace(&mut self, from: usize) -> Result<(), ReadError> {
        for sign in *b"$@%" {
            for place in from..self.list.items.len() {
                let is_changed = self.replace_in(place, sign)?;
                if is_changed && from > 0 {
                    let text = "uWSGI before 2.1 replaces nothing in inherited files";
                    self.remark(place, asked(text));
                }
            }
        }
        Ok(())
    }

    /// One pass over the value of one item; whether it has changed.
    fn replace_in(&mut self, place: usize, sign: u8) -> Result<bool, ReadError> {
        let Some(item) = self.list.items.get(place).filter(|item| !item.done) else {
            return Ok(false);
        };
        let Some(value) = item.pair.value.as_deref() else {
            return Ok(false);
        };
        let mut budget = self.budget;
        let mut finds = Finds::default();
        let result = expand::expand(value, sign, &mut budget, |name, state| match sign {
            b'$' => self.variable_named(name, &mut finds),
            b'@' => self.content_of(name, &mut finds),
            _ => self.value_of(name, place, state, &mut finds),
        });
        let result = result.map_err(|Endless| {
            too_much(&item.pair.origin, expand::LIMIT, "bytes of replacements")
        })?;
        self.budget = budget;
        for name in finds.references {
            self.list.refer(&name);
        }
        self.notes.refusals.extend(finds.refusals);
        let is_changed = result.is_some();
        if let Some(item) = self.list.items.get_mut(place) {
            item.pair.remarks.extend(finds.remarks);
            item.pair.value = result.or(item.pair.value.take());
        }
        Ok(is_changed)
    }

    /// `$(NAME)`, or `$(NAME:-default)` and `$(NAME-default)`, which uWSGI knows from 2.1 on.
    fn variable_named(&self, name: &str, finds: &mut Finds) -> Option<String> {
        if let Some(value) = self.variable(name) {
            finds.say(format!(
                "`$({name})` is `{value}` in this environment, and fixed now"
            ));
            return Some(value);
        }
        let is_name = |name: &str| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let Some((own, default)) = name.split_once('-') else {
            // `$(hostname -f)` is for a shell.
            if is_name(name) {
                finds.say(format!(
                    "`$({name})` is not set in this environment, and stays as it is"
                ));
            }
            return None;
        };
        let (own, or_empty) = own
            .strip_suffix(':')
            .map_or((own, false), |own| (own, true));
        if !is_name(own) {
            return None;
        }
        let value = self
            .variable(own)
            .filter(|value| !or_empty || !value.is_empty());
        let value = value.unwrap_or_else(|| default.to_owned());
        finds.say(format!(
            "`$({name})` is `{value}` in this environment, and fixed now; uWSGI knows defaults from 2.1 on, and leaves \
             this as it is before"
        ));
        Some(value)
    }

    fn content_of(&self, name: &str, finds: &mut Finds) -> Option<String> {
        if let Some(scheme) = load::scheme(name) {
            finds.say(format!(
                "`@({name})` stays as it is: `{scheme}://` is not followed"
            ));
            return None;
        }
        match self.surroundings.read(&self.absolute(name), LARGEST) {
            Ok(bytes) => {
                finds.say(format!("`@({name})` is what the file contains now"));
                let text = String::from_utf8_lossy(&bytes);
                let text = text.split('\0').next().unwrap_or("");
                Some(text.strip_suffix(['\n', '\r']).unwrap_or(text).to_owned())
            }
            Err(error) => {
                let text = format!("uWSGI does not start: `{name}` cannot be read ({error})");
                finds.refusals.push(text.clone());
                finds.say(text);
                None
            }
        }
    }

    /// What the list has for a name, for the item at `place`.
    fn value_of(
        &self,
        name: &str,
        place: usize,
        state: &Expansion,
        finds: &mut Finds,
    ) -> Option<String> {
        let own = OnceCell::new();
        let found = arithmetic::evaluate(name, |name| {
            if self.list.is_first(name, place) {
                return Some(own.get_or_init(|| state.whole()).as_str());
            }
            self.list.find(name)
        })?;
        finds.references.extend(name.split(' ').map(str::to_owned));
        Some(found.into_owned())
    }

    /// Applies what has not been applied. An option that brings others is applied before those behind it.
    fn apply_in_order(&mut self) -> Result<(), ReadError> {
        for place in 0..self.list.items.len() {
            let Some(item) = self.list.items.get_mut(place).filter(|item| !item.done) else {
                continue;
            };
            let name = item.pair.name.clone();
            let value = item.pair.value.clone().unwrap_or_default();
            let is_known = names::find(&name).is_some();
            // What nobody knows may still be declared by what comes.
            item.done = is_known;
            if name == "inherit" {
                self.inherit(place, &value)?;
            } else if name == "declare-option2" {
                self.declare(place, &value);
            } else if is_known {
                continue;
            } else if self.declared.contains_key(&name) {
                self.expand_declared(place, &name, &value, 0)?;
                if let Some(item) = self.list.items.get_mut(place) {
                    item.done = true;
                }
            } else {
                self.check_strict(place);
            }
        }
        Ok(())
    }

    fn inherit(&mut self, place: usize, value: &str) -> Result<(), ReadError> {
        let before = self.list.items.len();
        self.load_for(place, value, loads("inherit").flatten())?;
        if self.list.items.len() > before {
            self.remark(place, said("uWSGI puts inherited options behind all others, so that they win over the file's own"));
        }
        Ok(())
    }
}
