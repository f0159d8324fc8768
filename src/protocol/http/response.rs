//! From the application's answer to bytes: the framing of the body, the lines of the head, the marks of chunks.
//!
//! [`plan`] decides, the rest writes. Nothing is checked twice: names and values come from the layer that speaks to
//! the application, which refuses what is no header (see [`is_name`] and [`is_value`]).

#[cfg(test)]
mod tests;

use std::io::Write;

use super::octets::{TOKEN, VALUE};
use crate::protocol::{Head, Kind, Version};

pub use super::canned::{add_header, add_lines, canned, enclose, reason_phrase};

/// Tells a client that waits for it to send its body (RFC 9110 section 10.1.1).
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Ends the data of each chunk.
pub const CHUNK_END: &[u8] = b"\r\n";
/// Ends a chunked body; there are no trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// How the client knows where the body ends (RFC 9112 section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFraming {
    /// Every piece is a chunk.
    Chunked,
    /// So many bytes and no more; fewer cost the connection.
    Length(u64),
    /// No body is sent, whatever the application gives.
    None,
    /// All bytes up to the end of the connection.
    UntilClose,
}

/// What is known of the answer when its head is made, collected while the application's headers are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Status code.
    pub status: u16,
    /// `Content-Length` that the application sent.
    pub content_length: Option<u64>,
    /// Length of the whole body where the server knows it although the application did not say it.
    pub body_length: Option<u64>,
    /// Whether application or server want the connection closed; `Connection` itself is always ours to write.
    pub close: bool,
    /// Whether the application sent `Date`.
    pub date: bool,
    /// Whether the application sent `Transfer-Encoding`: then what it gives is coded already.
    pub transfer_encoding: bool,
}

/// Decides how the body is framed, and whether the connection stays open after it.
///
/// RFC 9112 sections 6.1, 6.3 and 9.3, RFC 9110 sections 6.4.1, 8.6 and 15. For front servers nothing is framed, they
/// do it, and over uwsgi and SCGI the connection ends with the answer. FastCGI's records tell its end.
pub fn plan(request: &Head, is_head_method: bool, facts: &Facts) -> (BodyFraming, bool) {
    let length = facts.content_length.or(facts.body_length);
    let framing = if is_head_method || never_has_body(facts.status) {
        BodyFraming::None
    } else if facts.transfer_encoding {
        BodyFraming::UntilClose
    } else if let Some(length) = length {
        BodyFraming::Length(length)
    } else if request.kind == Kind::Http && request.version == Version::Http11 {
        BodyFraming::Chunked
    } else {
        BodyFraming::UntilClose
    };
    let tells_its_end = match request.kind {
        // After a 1xx the client waits for the final answer, which does not come.
        Kind::Http => framing != BodyFraming::UntilClose && facts.status >= 200,
        Kind::Fastcgi { .. } => true,
        Kind::Scgi | Kind::Uwsgi { .. } => false,
    };
    let keep_alive = tells_its_end && request.keep_alive && !facts.close;
    (framing, keep_alive)
}

/// RFC 9112 section 6.3: answers with these statuses end with the empty line, whatever their fields say.
fn never_has_body(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

/// Writes what a head begins with, `status` being code and phrase, `200 OK`.
///
/// RFC 9112 section 2.3: on an HTTP connection the version is always [`Version::Http11`], ours, whatever the client's
/// is; for the uwsgi protocol it is the request's, as uWSGI does it. FastCGI and SCGI have CGI's header instead (RFC
/// 3875 section 6.3.3).
pub fn begin_head(out: &mut Vec<u8>, request: &Head, status: &[u8]) {
    match request.kind {
        Kind::Http => status_line(out, Version::Http11, status),
        Kind::Uwsgi { .. } => status_line(out, request.version, status),
        Kind::Fastcgi { .. } | Kind::Scgi => header(out, b"Status", status),
    }
}

/// Writes a status line.
pub(super) fn status_line(out: &mut Vec<u8>, version: Version, status: &[u8]) {
    out.extend_from_slice(match version {
        Version::Http10 => b"HTTP/1.0 ",
        Version::Http11 => b"HTTP/1.1 ",
    });
    out.extend_from_slice(status);
    out.extend_from_slice(b"\r\n");
}

/// Writes one header line.
pub fn header(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Writes what [`plan`] decided and the application did not say, then the empty line.
///
/// `date` is the text of the `Date` header; it and all other additions are for HTTP alone.
pub fn finish_head(
    out: &mut Vec<u8>,
    request: &Head,
    facts: &Facts,
    framing: BodyFraming,
    keep_alive: bool,
    date: &[u8],
) {
    if request.kind == Kind::Http {
        if !facts.date {
            header(out, b"Date", date);
        }
        finish_framing(out, facts, framing);
        match request.version {
            _ if !keep_alive => out.extend_from_slice(b"Connection: close\r\n"),
            Version::Http10 if keep_alive => out.extend_from_slice(b"Connection: keep-alive\r\n"),
            _ => {}
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn finish_framing(out: &mut Vec<u8>, facts: &Facts, framing: BodyFraming) {
    let length = match framing {
        BodyFraming::Chunked => return out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        BodyFraming::Length(length) => Some(length),
        // RFC 9110 section 8.6: a HEAD answer may tell the length that GET would have; an empty body here says nothing
        // about it, and 1xx, 204 and 304 have none to tell.
        BodyFraming::None => facts
            .body_length
            .filter(|&length| length > 0 && !never_has_body(facts.status)),
        BodyFraming::UntilClose => None,
    };
    if let Some(length) = length
        && facts.content_length.is_none()
        && !facts.transfer_encoding
    {
        out.extend_from_slice(b"Content-Length: ");
        decimal(out, length);
        out.extend_from_slice(b"\r\n");
    }
}

/// Writes the line before a chunk of `len` bytes; `len` is not 0, which would end the body.
pub fn chunk_header(out: &mut Vec<u8>, len: usize) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{len:x}\r\n");
}

/// Whether an application may give a header this name: RFC 9110 section 5.1, a token.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && TOKEN.are_all(name)
}

/// Whether an application may give a header this value: no control character but a tab, RFC 9110 section 5.5.
pub fn is_value(value: &[u8]) -> bool {
    VALUE.are_all(value)
}

fn decimal(out: &mut Vec<u8>, mut value: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}
