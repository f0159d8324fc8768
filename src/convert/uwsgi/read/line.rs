//! A text as lines, and a line as it goes through the reading: drafted by a format, then collected.

use std::rc::Rc;

use crate::convert::account::{Origin, Remark};

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TextLine {
    /// In its file, from 1.
    pub(super) number: u32,
    /// Its file, if that is another one (`inject-before`).
    pub(super) source: Option<Rc<str>>,
    /// As it stands in the file.
    pub(super) raw: String,
    /// With magic variables replaced.
    pub(super) text: String,
    /// What has to be said about the replacements.
    pub(super) remarks: Vec<Remark>,
}

/// A file or text, ready to be cut up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Source {
    /// In order.
    pub(super) lines: Vec<TextLine>,
}

impl Source {
    /// A text in which nothing is replaced.
    #[cfg(test)]
    pub(super) fn plain(text: &str) -> Self {
        let lines = text.split('\n').zip(1..);
        let lines = lines.map(|(line, number)| TextLine {
            number,
            source: None,
            raw: line.to_owned(),
            text: line.to_owned(),
            remarks: Vec::new(),
        });
        Self {
            lines: lines.collect(),
        }
    }

    /// The text with magic variables replaced, for formats that do not go by lines.
    pub(super) fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|line| &line.text[..]).collect();
        lines.join("\n")
    }

    /// The line at this place, from 1.
    pub(super) fn line(&self, place: u32) -> Option<&TextLine> {
        let index = usize::try_from(place).ok()?.checked_sub(1)?;
        self.lines.get(index)
    }
}

/// A pair as a format gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    /// Before the `=`.
    pub(super) name: String,
    /// Behind it, magic variables replaced.
    pub(super) value: String,
    /// Behind it, as it stands in the file.
    pub(super) written: String,
    /// Its place among the lines of the source, from 1.
    pub(super) line: u32,
    /// Right above it.
    pub(super) comments: Vec<String>,
}

/// A pair on its way into the list of options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    /// Before the `=`.
    pub(super) name: String,
    /// `None` is a flag of the command line, which has no value.
    pub(super) value: Option<String>,
    /// As it stands in the file.
    pub(super) written: String,
    /// Where.
    pub(super) origin: Origin,
    /// Right above it.
    pub(super) comments: Vec<String>,
    /// What has been found out about it.
    pub(super) remarks: Vec<Remark>,
}

/// A remark that nobody has to act on.
pub(super) fn said(text: impl Into<String>) -> Remark {
    Remark {
        text: text.into(),
        needs_human: false,
    }
}

/// A remark that somebody has to look at.
pub(super) fn asked(text: impl Into<String>) -> Remark {
    Remark {
        text: text.into(),
        needs_human: true,
    }
}
