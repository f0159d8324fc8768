//! From pairs to the list of options: blocks, and the options that act when they are read.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use super::{
    error::ReadError,
    expand,
    line::{Pair, asked, said},
    list::{Fate, List},
    load,
    logic::{self, Block, Logic, Outcome, REPETITIONS, View, words},
    magic,
    notes::Notes,
    surroundings::Surroundings,
};
use crate::convert::{
    account::{Origin, Remark},
    uwsgi::names,
};

/// The most options that a configuration may come to. uWSGI has no limit.
const OPTIONS: usize = 100_000;

/// An option that a declared option has come to.
pub(super) struct Made {
    /// Of the declared option.
    pub(super) place: usize,
    pub(super) name: String,
    pub(super) value: String,
    /// It is applied in its place; otherwise it was applied at once, before all that is not immediate.
    pub(super) in_place: bool,
}

/// A configuration that is being read.
pub(super) struct Reader<'a> {
    pub(super) surroundings: &'a dyn Surroundings,
    /// Relative paths begin here.
    pub(super) directory: String,
    /// What was set on the way (`ienv`, a unit's `Environment=`), over that of the machine.
    pub(super) environment: HashMap<String, String>,
    pub(super) list: List,
    pub(super) magic: magic::Table,
    pub(super) notes: Notes,
    /// `declare-option`: name and template.
    pub(super) declared: HashMap<String, String>,
    /// What declared options have come to.
    pub(super) made: Vec<Made>,
    /// Everything is collected: what is made now stands in its place, and not before all others.
    pub(super) is_applying: bool,
    pub(super) injected: [Vec<String>; 2],
    /// Files that are being read, the innermost last.
    pub(super) within: Vec<String>,
    pub(super) files: usize,
    /// Bytes of text that may still be read.
    pub(super) unread: usize,
    /// A file that was found by its ending is being read: `%D` and its like are not about what is in it.
    pub(super) is_included: bool,
    /// What `:section` as the name of a file means.
    pub(super) last_file: String,
    /// What may still be put in for `$( )`, `@( )` and `%( )`.
    pub(super) budget: usize,
    block: Option<Block>,
    /// A line of a block is being collected: nothing in it closes or repeats.
    in_block: bool,
    forbidden: Option<HashSet<String>>,
    allowed: Option<HashSet<String>>,
    strict: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(surroundings: &'a dyn Surroundings) -> Self {
        let directory = surroundings.directory();
        Self {
            surroundings,
            environment: HashMap::new(),
            list: List::default(),
            magic: magic::Table::new(surroundings, &directory),
            notes: Notes::default(),
            declared: HashMap::new(),
            made: Vec::new(),
            is_applying: false,
            injected: [Vec::new(), Vec::new()],
            within: Vec::new(),
            files: 0,
            unread: load::ALL,
            is_included: false,
            last_file: String::new(),
            budget: expand::LIMIT,
            block: None,
            in_block: false,
            forbidden: None,
            allowed: None,
            strict: false,
            directory,
        }
    }

    /// A variable of the environment as the configuration sees it.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        let own = self.environment.get(name).cloned();
        own.or_else(|| self.surroundings.variable(name))
    }

    /// The path seen from the working directory.
    pub(super) fn absolute(&self, path: &str) -> String {
        if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.directory.trim_end_matches('/'))
        }
    }

    fn view<T>(&self, look: impl FnOnce(&View<'_>) -> T) -> T {
        look(&View {
            surroundings: self.surroundings,
            list: &self.list,
            variable: &|name| self.variable(name),
            absolute: &|path| self.absolute(path),
        })
    }

    /// Takes the next pair.
    ///
    /// # Errors
    /// What makes the whole configuration unreadable.
    pub(super) fn collect(&mut self, mut pair: Pair) -> Result<(), ReadError> {
        self.check_lists(&mut pair);
        if self.in_block {
            return self.add(pair, false).map(drop);
        }
        if logic::closes(&pair.name) {
            self.block = None;
        }
        let Some(block) = &mut self.block else {
            return self.add(pair, false).map(drop);
        };
        if pair.name == "else" && matches!(block.logic, Logic::If(..)) {
            block.is_else = true;
            pair.remarks.push(asked(
                "uWSGI knows `else` from 2.1 on; before, the lines behind it count together with those above it, or not \
                 at all",
            ));
            self.notes
                .used(pair, "turns the condition around for the lines that follow");
            return Ok(());
        }
        let block = block.clone();
        self.in_block = true;
        let result = self.collect_in(&block, pair);
        self.in_block = false;
        result
    }

    /// Takes a line of a block.
    fn collect_in(&mut self, block: &Block, pair: Pair) -> Result<(), ReadError> {
        if let Logic::If(test, is_not) = block.logic {
            return match self.view(|view| view.outcome(test, is_not, block)) {
                Outcome::Count(item) => {
                    let pair = self.filled(&pair, item.as_deref())?;
                    self.add(pair, false).map(drop)
                }
                Outcome::Skip => {
                    let why = format!(
                        "left out, since {} does not hold here",
                        self.condition(block)
                    );
                    self.notes.used(pair, &why);
                    Ok(())
                }
            };
        }
        let items = Rc::clone(&block.items);
        if items.is_empty() {
            let why = format!(
                "left out, since {} finds nothing here",
                self.condition(block)
            );
            self.notes.used(pair, &why);
            return Ok(());
        }
        if items.len() > REPETITIONS {
            return Err(too_much(&pair.origin, REPETITIONS, "repetitions"));
        }
        for item in items.iter() {
            let pair = self.filled(&pair, Some(item))?;
            self.add(pair, false)?;
        }
        Ok(())
    }

    /// The option that has opened a block, as it is written.
    fn condition(&self, block: &Block) -> String {
        let name = self
            .list
            .items
            .get(block.place)
            .map_or("", |item| &item.pair.name);
        let not = if block.is_else {
            "the contrary of "
        } else {
            ""
        };
        format!("{not}`{name} = {}`", block.argument)
    }

    /// Takes what is put in off the budget.
    pub(super) fn spend(&mut self, place: usize, cost: usize) -> Result<(), ReadError> {
        match self.list.items.get(place) {
            Some(item) => spend(&mut self.budget, &item.pair.origin, cost),
            None => Ok(()),
        }
    }

    /// Appends a pair to the list, and lets it act if it is one that acts at once; gives its place.
    pub(super) fn add(&mut self, mut pair: Pair, placeholder: bool) -> Result<usize, ReadError> {
        if self.list.items.len() >= OPTIONS {
            return Err(too_much(&pair.origin, OPTIONS, "options"));
        }
        let known = names::find(&pair.name);
        let is_declared = self.declared.contains_key(&pair.name);
        if placeholder && known.is_some() {
            let text = format!(
                "uWSGI does not start: `{}` is an option and cannot be a placeholder",
                pair.name
            );
            pair.remarks.push(self.notes.refusal(text));
        }
        let place = self.list.push(pair, placeholder);
        if known.is_none() && !is_declared && !placeholder {
            self.check_strict(place);
        }
        if !placeholder && (is_declared || known.is_some_and(|name| name.immediate)) {
            if let Some(item) = self.list.items.get_mut(place) {
                item.done = true;
            }
            self.act(place)?;
        }
        Ok(place)
    }

    /// Says what was done with an item.
    pub(super) fn settle(&mut self, place: usize, fate: Fate) {
        if let Some(item) = self.list.items.get_mut(place) {
            item.fate = fate;
        }
    }

    pub(super) fn remark(&mut self, place: usize, remark: Remark) {
        if let Some(item) = self.list.items.get_mut(place) {
            item.pair.remarks.push(remark);
        }
    }

    /// Opens a block.
    pub(super) fn open(&mut self, place: usize, logic: Logic, argument: String) {
        if self.block.is_some() {
            let text = "uWSGI does not start: there can be no block within a block";
            let remark = self.notes.refusal(text);
            self.remark(place, remark);
            let why = "the condition is passed over: its lines follow the outer one".to_owned();
            let instead = "write it without the outer block".to_owned();
            self.settle(place, Fate::Refused { why, instead });
            return;
        }
        let items = self.view(|view| view.items(logic, &argument));
        let depends = match logic {
            Logic::For | Logic::ForTimes | Logic::If(logic::Test::Option, _) => None,
            Logic::ForGlob | Logic::ForReadline => Some(format!("it found {} here", items.len())),
            Logic::If(..) => Some("what this machine answers is fixed now".to_owned()),
        };
        if let Some(text) = depends {
            self.remark(place, asked(text));
        }
        self.settle(
            place,
            Fate::Used("decides about the lines up to its end".to_owned()),
        );
        self.block = Some(Block {
            place,
            logic,
            argument,
            is_else: false,
            items,
        });
    }

    /// What `blacklist` and `whitelist` say of a name; uWSGI refuses to start.
    pub(super) fn check_lists(&mut self, pair: &mut Pair) {
        // The lists are in small letters.
        let is_in = |names: &Option<HashSet<String>>| {
            let names = names.as_ref()?;
            Some(names.contains(&pair.name.to_ascii_lowercase()))
        };
        let list = if is_in(&self.forbidden) == Some(true) {
            "blacklist"
        } else if is_in(&self.allowed) == Some(false) {
            "whitelist"
        } else {
            return;
        };
        let text = format!("uWSGI does not start: `{list}` forbids this option");
        pair.remarks.push(self.notes.refusal(text));
    }

    /// What `strict` says of a name that nobody knows, when it is collected and again when it is applied.
    pub(super) fn check_strict(&mut self, place: usize) {
        let Some(item) = self.list.items.get(place).filter(|_| self.strict) else {
            return;
        };
        let name = &item.pair.name;
        let text = format!("uWSGI does not start: with `strict`, it does not accept `{name}`");
        if item.pair.remarks.iter().all(|remark| remark.text != text) {
            let remark = self.notes.refusal(text);
            self.remark(place, remark);
        }
    }

    pub(super) fn forbid(&mut self, list: Option<&str>) {
        self.forbidden = list.map(small_words);
    }

    pub(super) fn allow(&mut self, list: Option<&str>) {
        self.allowed = list.map(small_words);
    }

    pub(super) fn be_strict(&mut self, strict: bool) {
        self.strict = strict;
    }

    /// Blocks that are open at the end of everything.
    pub(super) fn finish_blocks(&mut self) {
        if let Some(block) = self.block.take() {
            self.remark(
                block.place,
                said("the block is never closed: it lasts to the end"),
            );
        }
    }

    /// The pair with `%(_)` replaced.
    fn filled(&mut self, pair: &Pair, item: Option<&str>) -> Result<Pair, ReadError> {
        let mut filled = pair.clone();
        if let (Some(item), Some(value)) = (item, &pair.value) {
            let cost = value.len() + value.matches("%(_)").count() * item.len();
            let origin = &pair.origin;
            spend(&mut self.budget, origin, cost)?;
            filled.value = Some(value.replace("%(_)", item));
        }
        Ok(filled)
    }
}

/// Between spaces, in small letters.
fn small_words(text: &str) -> HashSet<String> {
    words(&text.to_ascii_lowercase()).into_iter().collect()
}

pub(super) fn too_much(origin: &Origin, limit: usize, what: &'static str) -> ReadError {
    ReadError::TooMuch {
        origin: origin.to_string(),
        limit,
        what,
    }
}

/// Takes what is put in off the budget.
pub(super) fn spend(budget: &mut usize, origin: &Origin, cost: usize) -> Result<(), ReadError> {
    *budget = budget
        .checked_sub(cost)
        .ok_or_else(|| too_much(origin, expand::LIMIT, "bytes of replacements"))?;
    Ok(())
}
