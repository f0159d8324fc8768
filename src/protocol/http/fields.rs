//! What the header fields of a request mean for the connection: framing, persistence, expectations.
//!
//! Only fields that decide where the request ends or what becomes of the connection are understood here; all others
//! are the application's.

use httparse::Header;

use super::{head::span, octets::PLAIN_NAME, target};
use crate::protocol::{
    Field, Framing, Refusal, Standard, Version,
    fields::{Names, decimal},
};

/// What all fields together say.
#[derive(Debug, Default)]
pub(super) struct Meaning {
    pub(super) framing: Framing,
    pub(super) keep_alive: bool,
    pub(super) expect_continue: bool,
    pub(super) repeats: bool,
}

/// Reads `headers` into `fields` and gives their meaning; `max_body` in bytes, 0 for any.
pub(super) fn read(
    buffer: &[u8],
    version: Version,
    headers: &[Header<'_>],
    max_body: u64,
    fields: &mut Vec<Field>,
) -> Result<Meaning, Refusal> {
    fields.clear();
    let mut seen = Seen::default();
    let mut names = Names::default();
    for header in headers {
        let name = header.name.as_bytes();
        // An underscore and a hyphen give the same CGI variable: `X_Forwarded_For` would pass for the header that a
        // front server has checked.
        if !PLAIN_NAME.are_all(name) {
            continue;
        }
        seen.note(name, header.value)?;
        names.note(buffer, name, fields);
        fields.push(Field {
            name: span(buffer, name),
            value: span(buffer, header.value),
            standard: standard(name),
        });
    }
    seen.conclude(version, max_body, names.repeat)
}

/// CGI has names of their own for two headers (RFC 3875 section 4.1).
fn standard(name: &[u8]) -> Option<Standard> {
    match name.len() {
        12 if name.eq_ignore_ascii_case(b"content-type") => Some(Standard::ContentType),
        14 if name.eq_ignore_ascii_case(b"content-length") => Some(Standard::ContentLength),
        _ => None,
    }
}

/// The fields that matter, each at most once.
#[derive(Debug, Default)]
struct Seen {
    host: bool,
    content_length: Option<u64>,
    chunked: bool,
    /// Another coding below chunked; refused when it is known that nothing worse is wrong.
    unknown_coding: bool,
    close: bool,
    keep_alive: bool,
    expect_continue: bool,
    expect_other: bool,
}

impl Seen {
    fn note(&mut self, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
        match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => self.note_host(value),
            6 if name.eq_ignore_ascii_case(b"expect") => {
                let is_known = value.eq_ignore_ascii_case(b"100-continue");
                self.expect_continue |= is_known;
                self.expect_other |= !is_known;
                Ok(())
            }
            10 if name.eq_ignore_ascii_case(b"connection") => {
                for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
                Ok(())
            }
            14 if name.eq_ignore_ascii_case(b"content-length") => self.note_content_length(value),
            17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                self.note_transfer_encoding(value)
            }
            _ => Ok(()),
        }
    }

    /// RFC 9112 section 3.2: 400 "to any request message that contains more than one Host header field line or a Host
    /// header field with an invalid field value".
    fn note_host(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.host {
            return Err(Refusal::new(400, "more than one Host"));
        }
        if !target::is_host(value) {
            return Err(Refusal::new(400, "an invalid Host"));
        }
        self.host = true;
        Ok(())
    }

    /// RFC 9110 section 8.6 lets a recipient accept a list of equal numbers; there is no reason but smuggling to send it.
    fn note_content_length(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.content_length.is_some() {
            return Err(Refusal::new(400, "more than one Content-Length"));
        }
        self.content_length =
            Some(decimal(value).ok_or(Refusal::new(400, "an invalid Content-Length"))?);
        Ok(())
    }

    /// RFC 9112 section 6.3: 400 where chunked is not the final coding; section 6.1: 501 for a coding not understood.
    fn note_transfer_encoding(&mut self, value: &[u8]) -> Result<(), Refusal> {
        if self.chunked {
            return Err(Refusal::new(400, "more than one Transfer-Encoding"));
        }
        let mut codings = value.rsplit(|&byte| byte == b',').map(<[u8]>::trim_ascii);
        if !codings.next().is_some_and(is_chunked) {
            return Err(Refusal::new(
                400,
                "a Transfer-Encoding whose last coding is not chunked",
            ));
        }
        self.chunked = true;
        for coding in codings {
            if coding.is_empty() || is_chunked(coding) {
                return Err(Refusal::new(400, "an invalid Transfer-Encoding"));
            }
            self.unknown_coding = true;
        }
        Ok(())
    }

    fn conclude(self, version: Version, max_body: u64, repeats: bool) -> Result<Meaning, Refusal> {
        let is_http10 = version == Version::Http10;
        if !self.host && !is_http10 {
            return Err(Refusal::new(400, "an HTTP/1.1 request without Host"));
        }
        let framing = match (self.content_length, self.chunked) {
            // RFC 9112 section 6.1: "ought to be handled as an error"; the two ends would disagree on the length.
            (Some(_), true) => {
                return Err(Refusal::new(
                    400,
                    "both Content-Length and Transfer-Encoding",
                ));
            }
            // RFC 9112 section 6.1: "MUST treat the message as if the framing is faulty".
            (None, true) if is_http10 => {
                return Err(Refusal::new(
                    400,
                    "Transfer-Encoding in an HTTP/1.0 request",
                ));
            }
            (None, true) if self.unknown_coding => {
                return Err(Refusal::new(501, "a transfer coding other than chunked"));
            }
            (None, true) => Framing::Chunked,
            (Some(length), false) if max_body != 0 && length > max_body => {
                return Err(Refusal::new(
                    413,
                    "a Content-Length above the limit of the body",
                ));
            }
            (Some(length), false) => Framing::Length(length),
            (None, false) => Framing::None,
        };
        // RFC 9110 section 10.1.1: an HTTP/1.0 client has no expectations.
        if self.expect_other && !is_http10 {
            return Err(Refusal::new(417, "an expectation other than 100-continue"));
        }
        Ok(Meaning {
            framing,
            // RFC 9112 section 9.3; `close` wins.
            keep_alive: !self.close && (self.keep_alive || !is_http10),
            expect_continue: self.expect_continue
                && !is_http10
                && !matches!(framing, Framing::None | Framing::Length(0)),
            repeats,
        })
    }
}

fn is_chunked(coding: &[u8]) -> bool {
    coding.eq_ignore_ascii_case(b"chunked")
}
