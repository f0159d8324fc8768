//! What is said beside the list of options: lines that went no further, sections nobody reads, where uWSGI gives up.

use std::{collections::HashMap, rc::Rc};

use super::line::{Pair, asked, said};
use crate::convert::account::{Entry, Notice, Origin, Remark, Verdict};

/// A section of a file, whether or not it is read.
#[derive(Debug)]
struct Section {
    source: Rc<str>,
    /// Of its header.
    line: u32,
    /// Its header; empty for what stands before the first.
    header: String,
    /// How many options it has.
    options: usize,
    is_read: bool,
}

/// Said so far.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Lines that never came into the list.
    pub(super) used: Vec<Entry>,
    /// Remarks on the files.
    pub(super) notices: Vec<Notice>,
    /// Why uWSGI would not start, if it would not.
    pub(super) refusals: Vec<String>,
    sections: Vec<Section>,
    known_sections: HashMap<(Rc<str>, u32), usize>,
}

impl Notes {
    /// A line ends here.
    pub(super) fn used(&mut self, pair: Pair, why: &str) {
        self.used.push(Entry {
            origin: pair.origin,
            name: pair.name,
            value: pair.written,
            verdict: Verdict::NotNeeded {
                why: why.to_owned(),
            },
            remarks: pair.remarks,
        });
    }

    /// Something to be said about a place.
    pub(super) fn notice(&mut self, origin: Origin, remark: Remark) {
        self.notices.push(Notice { origin, remark });
    }

    /// uWSGI refuses this configuration; the remark that says so.
    pub(super) fn refusal(&mut self, text: impl Into<String>) -> Remark {
        let text = text.into();
        self.refusals.push(text.clone());
        asked(text)
    }

    /// A section was seen in a file, read or not; a file may be read several times.
    pub(super) fn section(&mut self, origin: &Origin, header: &str, options: usize, is_read: bool) {
        let line = origin.line.unwrap_or(0);
        let place = (Rc::clone(&origin.source), line);
        let next = self.sections.len();
        let known = *self.known_sections.entry(place).or_insert(next);
        match self.sections.get_mut(known) {
            Some(known) => known.is_read |= is_read,
            None => self.sections.push(Section {
                source: Rc::clone(&origin.source),
                line,
                header: header.to_owned(),
                options,
                is_read,
            }),
        }
    }

    /// A notice for each section that nobody has read.
    pub(super) fn finish_sections(&mut self) {
        for section in std::mem::take(&mut self.sections) {
            if section.is_read || (section.line == 0 && section.options == 0) {
                continue;
            }
            let count = match section.options {
                1 => "its line".to_owned(),
                count => format!("its {count} lines"),
            };
            let remark = if section.line == 0 {
                asked(format!(
                    "uWSGI does not read what stands above the first section, and neither do we: {count}"
                ))
            } else {
                said(format!(
                    "`{}` is another section, and {count} are not uWSGI's here",
                    section.header
                ))
            };
            let origin = Origin {
                source: section.source,
                line: Some(section.line.max(1)),
            };
            self.notice(origin, remark);
        }
    }
}
