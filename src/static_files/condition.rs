//! Conditional requests (RFC 9110 section 13): whether a client has the file already, or wants it only as it was.

use std::time::{Duration, SystemTime};

use crate::protocol::{Kind, Request};

/// Changes of a file that are as fresh may be followed by another one with the same time and size. Until then its tag is
/// weak (RFC 9110 section 8.8.2.2 has the same rule for dates).
const FRESH_S: u64 = 2;

/// What decides over a file being sent, as the request has it; empty: not given.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Conditions<'b> {
    pub(super) accept_encoding: &'b [u8],
    pub(super) if_match: &'b [u8],
    pub(super) if_modified_since: &'b [u8],
    pub(super) if_none_match: &'b [u8],
    pub(super) if_range: &'b [u8],
    pub(super) if_unmodified_since: &'b [u8],
    pub(super) range: &'b [u8],
}

impl<'b> Conditions<'b> {
    /// Those of a request, of whatever protocol.
    pub(crate) fn of(request: &Request<'b>) -> Self {
        let mut all = Self::default();
        let is_http = request.head.kind == Kind::Http;
        for (name, value) in request.fields() {
            let name = match is_http {
                true => Some(name),
                false => name.strip_prefix(b"HTTP_"),
            };
            if let Some(place) = name.and_then(|name| all.place(name)) {
                *place = value;
            }
        }
        all
    }

    fn place(&mut self, name: &[u8]) -> Option<&mut &'b [u8]> {
        let is = |other: &str| {
            name.iter().zip(other.as_bytes()).all(|(&one, &other)| {
                one.eq_ignore_ascii_case(&other) || (one, other) == (b'_', b'-')
            })
        };
        Some(match name.len() {
            5 if is("range") => &mut self.range,
            8 if is("if-match") => &mut self.if_match,
            8 if is("if-range") => &mut self.if_range,
            13 if is("if-none-match") => &mut self.if_none_match,
            15 if is("accept-encoding") => &mut self.accept_encoding,
            17 if is("if-modified-since") => &mut self.if_modified_since,
            19 if is("if-unmodified-since") => &mut self.if_unmodified_since,
            _ => return None,
        })
    }

    /// `If-Range`
    pub(crate) fn if_range(&self) -> &'b [u8] {
        self.if_range
    }

    /// The codings that the client takes, its favourite first.
    pub(crate) fn codings(&self) -> impl Iterator<Item = super::Coding> + use<> {
        super::coding::accepted(self.accept_encoding)
    }
}

/// By what two states of a file are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Validators {
    /// The entity tag as it is sent, `"..."` or `W/"..."`.
    pub(crate) tag: String,
    /// Seconds since 1970 of the last change.
    pub(crate) modified: u64,
}

impl Validators {
    /// For a file that was changed at `modified` (with nanoseconds) and has `size` bytes, looked at `now`. `coding` tells
    /// the variants of one file apart.
    pub(super) fn new(modified: (u64, u32), size: u64, coding: &str, now: u64) -> Self {
        let (seconds, nanoseconds) = modified;
        let weak = if seconds.saturating_add(FRESH_S) > now {
            "W/"
        } else {
            ""
        };
        Self {
            tag: format!("{weak}\"{seconds:x}.{nanoseconds:x}-{size:x}{coding}\""),
            modified: seconds,
        }
    }

    fn is_strong(&self) -> bool {
        self.tag.starts_with('"')
    }
}

/// What the conditions say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// 412
    Failed,
    /// Send it; `ranges`: if parts are asked for, these.
    Go {
        /// Whether `Range` counts.
        ranges: bool,
    },
    /// 304
    NotModified,
}

/// Holds a file against the conditions, in the order of RFC 9110 section 13.2.2.
pub(super) fn judge(conditions: &Conditions<'_>, file: &Validators) -> Verdict {
    let given = |value: &[u8]| !value.is_empty();
    if given(conditions.if_match) {
        if !lists(conditions.if_match, |tag| {
            file.is_strong() && tag == file.tag
        }) {
            return Verdict::Failed;
        }
    } else if date(conditions.if_unmodified_since).is_some_and(|date| file.modified > date) {
        return Verdict::Failed;
    }
    if given(conditions.if_none_match) {
        let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        if lists(conditions.if_none_match, |tag| {
            opaque(tag) == opaque(&file.tag)
        }) {
            return Verdict::NotModified;
        }
    } else if date(conditions.if_modified_since).is_some_and(|date| file.modified <= date) {
        return Verdict::NotModified;
    }
    Verdict::Go {
        ranges: !given(conditions.if_range) || is_as_it_was(conditions.if_range, file),
    }
}

/// RFC 9110 section 13.1.5: only a strong validator says that the parts belong together.
fn is_as_it_was(if_range: &[u8], file: &Validators) -> bool {
    let is_tag = if_range.starts_with(b"\"") || if_range.starts_with(b"W/");
    file.is_strong()
        && match is_tag {
            true => if_range == file.tag.as_bytes(),
            false => date(if_range) == Some(file.modified),
        }
}

/// Whether a list of entity tags is `*`, or has one that `is_it`.
fn lists(value: &[u8], is_it: impl Fn(&str) -> bool) -> bool {
    let Ok(mut rest) = str::from_utf8(value) else {
        return false;
    };
    if rest.trim() == "*" {
        return true;
    }
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let quote = if rest.starts_with("W/") { 2 } else { 0 };
        if !rest[quote..].starts_with('"') {
            return false;
        }
        // A tag may have commas in it, but no quotes.
        let Some(length) = rest[quote + 1..].find('"') else {
            return false;
        };
        let (tag, after) = rest.split_at(quote + length + 2);
        if is_it(tag) {
            return true;
        }
        rest = after;
    }
}

/// Seconds since 1970; `None` for what is no date, which is as if it was not there.
fn date(value: &[u8]) -> Option<u64> {
    let text = str::from_utf8(value).ok().filter(|text| !text.is_empty())?;
    let time = httpdate::parse_http_date(text).ok()?;
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    Some(since.map_or(0, |since: Duration| since.as_secs()))
}

#[cfg(test)]
mod tests;
