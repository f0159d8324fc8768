//! Configurations in JSON, XML and YAML: from a document to pairs.

use super::{
    input::Format,
    json,
    line::{Draft, Source},
    xml, yaml,
};
use crate::convert::account::Remark;

/// What a document has to say.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The options in their order.
    pub(super) drafts: Vec<Draft>,
    /// About lines.
    pub(super) remarks: Vec<(u32, Remark)>,
}

impl Found {
    /// One more option.
    pub(super) fn push(&mut self, line: u32, name: &str, value: &str) {
        self.drafts.push(Draft {
            name: name.to_owned(),
            value: value.to_owned(),
            written: value.to_owned(),
            line,
            comments: Vec::new(),
        });
    }
}

/// The pairs of a section; otherwise the name of the format and what is wrong.
pub(super) fn read(
    source: &Source,
    format: Format,
    section: &str,
) -> Result<Found, (&'static str, String)> {
    let text = source.text();
    let mut found = match format {
        Format::Json => json::read(&text, section).map_err(|problem| ("JSON", problem)),
        Format::Xml => xml::read(&text, section).map_err(|problem| ("XML", problem)),
        Format::Ini | Format::Yaml => {
            yaml::read(&text, section).map_err(|problem| ("YAML", problem))
        }
    }?;
    if format == Format::Yaml {
        take_comments(source, &mut found.drafts);
    }
    Ok(found)
}

/// The comments above each option; those above a line that has several belong to the first.
fn take_comments(source: &Source, drafts: &mut [Draft]) {
    let mut last = 0;
    for draft in drafts.iter_mut().filter(|draft| draft.line > 0) {
        let above = (last + 1..draft.line).rev();
        let comments = above.map_while(|line| source.line(line)?.raw.trim().strip_prefix('#'));
        draft.comments = comments
            .map(|comment| comment.trim_start_matches('#').trim().to_owned())
            .collect();
        draft.comments.reverse();
        last = last.max(draft.line);
    }
}

/// Where the lines of a text begin, so that a place in it has a number.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// Of a text.
    pub(super) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate();
        let ends = ends.filter_map(|(at, byte)| (byte == b'\n').then_some(at));
        Self(ends.collect())
    }

    /// The line of a place, from 1.
    pub(super) fn at(&self, place: usize) -> u32 {
        let before = self.0.partition_point(|end| *end < place);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    }
}
