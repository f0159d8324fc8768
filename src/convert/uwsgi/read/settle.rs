//! From the list of options to the account: each line ends as an option for the translation or as something that the
//! reading has used.

use std::{collections::HashMap, rc::Rc};

use super::{
    collect::{Made, Reader},
    line::asked,
    list::{Fate, Item, List},
    logic, meant,
};
use crate::convert::{
    account::{Entry, Verdict},
    uwsgi::{
        names,
        reading::{Applied, Reading},
    },
};

/// Sorts what was read.
pub(super) fn reading(mut reader: Reader<'_>) -> Reading {
    let made = std::mem::take(&mut reader.made);
    let (late, early): (Vec<Made>, Vec<Made>) = made.into_iter().partition(|made| made.in_place);
    let list = &reader.list;
    let mut options: Vec<Applied> = early
        .iter()
        .filter_map(|made| from_made(list, made))
        .collect();
    let mut used = reader.notes.used;
    let mut late = late.iter().peekable();
    for (place, item) in list.items.iter().enumerate() {
        while let Some(made) = late.next_if(|made| made.place <= place) {
            options.extend(from_made(list, made));
        }
        match verdict(list, item) {
            Some(Sorted::Option) => options.push(meant::applied(&item.pair)),
            Some(Sorted::Used(verdict)) => used.push(entry(item, verdict)),
            None => {}
        }
    }
    sort(&mut used, &options);
    Reading {
        options,
        used,
        notices: reader.notes.notices,
    }
}

/// Where an item belongs.
enum Sorted {
    Option,
    Used(Verdict),
}

/// `None`: another item stands for the line.
fn verdict(list: &List, item: &Item) -> Option<Sorted> {
    let not_needed = |why: &str| {
        let why = why.to_owned();
        Some(Sorted::Used(Verdict::NotNeeded { why }))
    };
    match &item.fate {
        Fate::Elsewhere => return None,
        Fate::Used(why) => return not_needed(why),
        Fate::Refused { why, instead } => {
            return Some(Sorted::Used(Verdict::NotPossible {
                why: why.clone(),
                instead: instead.clone(),
            }));
        }
        Fate::Open => {}
    }
    let name = &item.pair.name[..];
    if let Some(why) = consumed(name) {
        return not_needed(why);
    }
    if names::find(name).is_some() {
        return Some(Sorted::Option);
    }
    if meant::is_template_line(name) {
        return not_needed("a mark of a template, and no option");
    }
    if list.is_used(name) {
        return not_needed("a placeholder: its value is now in the lines that ask for it");
    }
    if item.placeholder {
        return not_needed("a placeholder that no line asks for");
    }
    if item.pair.origin.line.is_none() && &*item.pair.origin.source == "environment" {
        return not_needed("no option, and no line asks for it");
    }
    Some(Sorted::Option)
}

/// Options that have done all they do when everything is read.
fn consumed(name: &str) -> Option<&'static str> {
    Some(match name {
        _ if logic::closes(name) => "the end of a block",
        "else" => "stands in no block",
        "print" | "iprint" => "a message of uWSGI at its start",
        "strict" => "concerned the reading alone",
        "blacklist" | "end-blacklist" | "end-whitelist" | "whitelist" => {
            "limited the options that could follow"
        }
        _ => return None,
    })
}

fn entry(item: &Item, verdict: Verdict) -> Entry {
    let mut remarks = item.pair.remarks.clone();
    if meant::is_template_line(&item.pair.name) {
        remarks.push(asked(
            "nobody can say before the template is filled in whether the lines around it count; they were converted as if \
             they do",
        ));
    }
    Entry {
        origin: item.pair.origin.clone(),
        name: item.pair.name.clone(),
        value: item.pair.written.clone(),
        verdict,
        remarks,
    }
}

fn from_made(list: &List, made: &Made) -> Option<Applied> {
    let pair = &list.items.get(made.place)?.pair;
    Some(Applied {
        name: made.name.clone(),
        value: made.value.clone(),
        written: made.value.clone(),
        origin: pair.origin.clone(),
        comments: pair.comments.clone(),
        remarks: pair.remarks.clone(),
    })
}

/// By file, in the order in which the files were met, and by line.
fn sort(used: &mut [Entry], options: &[Applied]) {
    let origins = options.iter().map(|option| &option.origin);
    let origins = origins.chain(used.iter().map(|entry| &entry.origin));
    let mut files: HashMap<Rc<str>, usize> = HashMap::new();
    for origin in origins {
        let next = files.len();
        files.entry(Rc::clone(&origin.source)).or_insert(next);
    }
    used.sort_by_key(|entry| (files.get(&entry.origin.source).copied(), entry.origin.line));
}
