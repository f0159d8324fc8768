//! What differs between two answers.

use std::error::Error;

use serde::Serialize;

use super::{
    Answer, Failure, Rules,
    excerpt::{self, shown},
};

/// One difference, with what each server said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "what",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub(crate) enum Difference {
    /// At least one of them gave no whole answer.
    Answer {
        /// The status, or why there is none.
        old: String,
        /// Likewise.
        new: String,
    },
    /// The bodies.
    Body {
        /// Length of the old one.
        old_bytes: usize,
        /// Length of the new one.
        new_bytes: usize,
        /// The first byte that differs, from 0, without what is left aside.
        offset: usize,
        /// Its line, from 1.
        line: usize,
        /// The old body there, printable.
        old: String,
        /// The new body there, printable.
        new: String,
    },
    /// The fields of one name.
    Header {
        /// As the first server that has it writes it.
        name: String,
        /// Each value of the old server, printable.
        old: Vec<String>,
        /// Each value of the new server, printable.
        new: Vec<String>,
    },
    /// The status.
    Status {
        /// Of the old server.
        old: u16,
        /// Of the new server.
        new: u16,
    },
}

/// One of two servers: what it answered, and the names by which it may call itself.
pub(super) struct Side<'a> {
    pub(super) answer: Result<&'a Answer, &'a Failure>,
    pub(super) names: [&'a str; 2],
}

impl Rules {
    /// All differences between the answers to a request of this method: the status first, the body last.
    pub(super) fn differences(&self, method: &str, sides: [Side<'_>; 2]) -> Vec<Difference> {
        let (old, new) = match sides.each_ref().map(|side| side.answer) {
            [Ok(old), Ok(new)] => (old, new),
            answers => {
                let [old, new] = answers.map(words);
                return vec![Difference::Answer { old, new }];
            }
        };
        let mut differences = Vec::new();
        if old.status != new.status {
            let (old, new) = (old.status, new.status);
            differences.push(Difference::Status { old, new });
        }
        let has_body = method != "HEAD" && old.status != 304;
        let names = sides.map(|side| side.names);
        differences.extend(self.headers([old, new], names, has_body));
        differences.extend(self.bodies(&old.body, &new.body));
        differences
    }

    fn headers(
        &self,
        answers: [&Answer; 2],
        names: [[&str; 2]; 2],
        has_body: bool,
    ) -> Vec<Difference> {
        let mut seen: Vec<&str> = Vec::new();
        let mut differences = Vec::new();
        for (name, _) in answers.iter().flat_map(|answer| &answer.fields) {
            let is_seen = seen.iter().any(|known| known.eq_ignore_ascii_case(name));
            if is_seen || !self.compares(name, has_body) {
                continue;
            }
            seen.push(name);
            let [old, new] = answers.map(|answer| answer.values(name).collect::<Vec<_>>());
            let mut pairs = old.iter().zip(&new);
            let is_same = old.len() == new.len()
                && pairs.all(|(old, new)| self.same(name, [old, new], names));
            if !is_same {
                let [old, new] = [old, new].map(|values| values.into_iter().map(shown).collect());
                let name = name.clone();
                differences.push(Difference::Header { name, old, new });
            }
        }
        differences
    }

    fn bodies(&self, old: &[u8], new: &[u8]) -> Option<Difference> {
        if old == new {
            return None;
        }
        let (old_bytes, new_bytes) = (old.len(), new.len());
        let (old, new) = (self.body(old), self.body(new));
        let offset = excerpt::first_difference(&old, &new)?;
        Some(Difference::Body {
            old_bytes,
            new_bytes,
            offset,
            line: excerpt::line(&old, offset),
            old: excerpt::around(&old, offset),
            new: excerpt::around(&new, offset),
        })
    }
}

fn words(answer: Result<&Answer, &Failure>) -> String {
    match answer {
        Ok(answer) => answer.status.to_string(),
        Err(failure) => match failure.source() {
            Some(cause) => format!("no answer: {failure}: {cause}"),
            None => format!("no answer: {failure}"),
        },
    }
}
