//! From a file and a request to an answer: status, headers, and which bytes of the file follow.
//!
//! Nothing is read or sent here. Which headers a 304 has is in RFC 9110 section 15.4.5, a 206 in 15.3.7, a 416 in 15.5.17.

use std::{
    io::Write,
    time::{Duration, SystemTime},
};

use rustix::rand::{GetRandomFlags, getrandom};

use super::{
    Range,
    condition::{Conditions, Validators, Verdict, judge},
    range::{self, Wanted},
};
use crate::protocol::http::response::header;

/// What is said of a file beside its bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entity {
    /// `Content-Type`
    pub(crate) content_type: String,
    /// `Content-Encoding`, without it the empty text.
    pub(crate) coding: &'static str,
    /// Whether the answer depends on `Accept-Encoding`.
    pub(crate) varies: bool,
    /// Seconds for which clients may keep it.
    pub(crate) lifetime: Option<u64>,
    /// Bytes.
    pub(crate) size: u64,
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Reply {
    /// 200, 206, 304, 412 or 416.
    pub(crate) status: u16,
    /// Header lines, each with its CRLF; neither framing nor Date are among them.
    pub(crate) lines: Vec<u8>,
    /// The body.
    pub(crate) body: Vec<Piece>,
}

/// A piece of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Bytes between parts of the file.
    Bytes(Vec<u8>),
    /// A part of the file.
    File(Range),
}

impl Piece {
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(range) => range.length,
        }
    }
}

/// Answers a GET or HEAD for a file; `now` in seconds since 1970.
pub(crate) fn reply(
    conditions: &Conditions<'_>,
    entity: &Entity,
    validators: &Validators,
    is_head: bool,
    now: u64,
) -> Reply {
    let mut lines = Vec::with_capacity(256);
    let ranges = match judge(conditions, validators) {
        Verdict::Failed => {
            return Reply {
                status: 412,
                ..Reply::default()
            };
        }
        Verdict::NotModified => {
            common(&mut lines, entity, validators, now);
            return Reply {
                status: 304,
                lines,
                body: Vec::new(),
            };
        }
        // RFC 9110 section 14.2: Range is for GET.
        Verdict::Go { ranges } => ranges && !is_head,
    };
    common(&mut lines, entity, validators, now);
    header(
        &mut lines,
        b"Last-Modified",
        date(validators.modified).as_bytes(),
    );
    header(&mut lines, b"Accept-Ranges", b"bytes");
    match range::parse(if ranges { conditions.range } else { b"" }, entity.size) {
        Wanted::All => whole(lines, entity),
        Wanted::Some(ranges) => partial(lines, entity, &ranges),
        Wanted::Unsatisfiable => unsatisfiable(entity.size),
    }
}

/// The parts of a body of `size` bytes that a client asks for, headers of the whole being `lines`, without its type;
/// `None` when it wants the whole.
pub(crate) fn parts(
    lines: Vec<u8>,
    conditions: &Conditions<'_>,
    content_type: String,
    size: u64,
) -> Option<Reply> {
    let entity = Entity {
        content_type,
        size,
        ..Entity::default()
    };
    match range::parse(conditions.range, size) {
        Wanted::All => None,
        Wanted::Some(ranges) => Some(partial(lines, &entity, &ranges)),
        Wanted::Unsatisfiable => Some(unsatisfiable(size)),
    }
}

/// The fields that a 304 repeats.
fn common(lines: &mut Vec<u8>, entity: &Entity, validators: &Validators, now: u64) {
    header(lines, b"ETag", validators.tag.as_bytes());
    if entity.varies {
        header(lines, b"Vary", b"Accept-Encoding");
    }
    if let Some(seconds) = entity.lifetime {
        // Writing to a Vec cannot fail.
        let _ = write!(lines, "Cache-Control: max-age={seconds}\r\n");
        header(
            lines,
            b"Expires",
            date(now.saturating_add(seconds)).as_bytes(),
        );
    }
}

fn whole(mut lines: Vec<u8>, entity: &Entity) -> Reply {
    describe(&mut lines, entity, &entity.content_type);
    let all = Range {
        offset: 0,
        length: entity.size,
    };
    Reply {
        status: 200,
        lines,
        body: vec![Piece::File(all)],
    }
}

/// RFC 9110 section 15.3.7.1 for one range, 15.3.7.2 for more: each is a part with the fields that tell of it.
fn partial(mut lines: Vec<u8>, entity: &Entity, ranges: &[Range]) -> Reply {
    if let [range] = ranges {
        describe(&mut lines, entity, &entity.content_type);
        header(
            &mut lines,
            b"Content-Range",
            content_range(*range, entity.size).as_bytes(),
        );
        return Reply {
            status: 206,
            lines,
            body: vec![Piece::File(*range)],
        };
    }
    let boundary = boundary();
    describe(
        &mut lines,
        entity,
        &format!("multipart/byteranges; boundary={boundary}"),
    );
    let mut body = Vec::with_capacity(2 * ranges.len() + 1);
    let mut between = format!("--{boundary}\r\n");
    for range in ranges {
        let mut part = between.into_bytes();
        if !entity.content_type.is_empty() {
            header(&mut part, b"Content-Type", entity.content_type.as_bytes());
        }
        header(
            &mut part,
            b"Content-Range",
            content_range(*range, entity.size).as_bytes(),
        );
        part.extend_from_slice(b"\r\n");
        body.extend([Piece::Bytes(part), Piece::File(*range)]);
        between = format!("\r\n--{boundary}\r\n");
    }
    body.push(Piece::Bytes(format!("\r\n--{boundary}--\r\n").into_bytes()));
    Reply {
        status: 206,
        lines,
        body,
    }
}

/// Tells how long the file is, so that the client may ask for what there is.
fn unsatisfiable(size: u64) -> Reply {
    let mut lines = Vec::new();
    header(
        &mut lines,
        b"Content-Range",
        format!("bytes */{size}").as_bytes(),
    );
    Reply {
        status: 416,
        lines,
        body: Vec::new(),
    }
}

fn describe(lines: &mut Vec<u8>, entity: &Entity, content_type: &str) {
    if !content_type.is_empty() {
        header(lines, b"Content-Type", content_type.as_bytes());
    }
    if !entity.coding.is_empty() {
        header(lines, b"Content-Encoding", entity.coding.as_bytes());
    }
}

fn content_range(range: Range, size: u64) -> String {
    let last = range.offset + range.length - 1;
    format!("bytes {}-{last}/{size}", range.offset)
}

/// A line that no file has in it but by a chance of one in 2^128 (RFC 2046 section 5.1.1).
fn boundary() -> String {
    let mut bytes = [0; 16];
    // So few bytes are given whole, and fail only on kernels older than any that we run on.
    let _ = getrandom(&mut bytes, GetRandomFlags::empty());
    format!("{:032x}", u128::from_ne_bytes(bytes))
}

fn date(seconds: u64) -> String {
    // Years beyond 9999 have no place in the format.
    const LAST: u64 = 253_402_300_799;
    let since = Duration::from_secs(seconds.min(LAST));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since)
}

#[cfg(test)]
mod tests;
