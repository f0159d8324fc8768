//! FastCGI 1.0 in the role of a responder, as nginx's `fastcgi_pass` and Apache's mod_proxy_fcgi speak it.
//!
//! Everything travels in records: a header of eight bytes, then content, then padding. [`parse`] reads them up to the
//! end of a request's variables, [`Stdin`] up to the end of its body, and what the application says goes out in
//! records of [`seal`] and [`end`]. A connection carries one request after the other; a second one at the same time is
//! refused in the protocol's own words, as are roles and records that we do not know.

pub use answer::{MAX_CONTENT, complete, end, open, seal, stdout_header};
pub use head::{active, is_http, parse};
pub use stdin::Stdin;

mod answer;
mod head;
mod other;
mod stdin;
#[cfg(test)]
mod tests;

use super::Refusal;

/// The one version there is.
const VERSION: u8 = 1;
/// Bytes of a record's header.
pub const HEADER: usize = 8;

const BEGIN_REQUEST: u8 = 1;
const ABORT_REQUEST: u8 = 2;
const END_REQUEST: u8 = 3;
const PARAMS: u8 = 4;
const STDIN: u8 = 5;
const STDOUT: u8 = 6;
const DATA: u8 = 8;
const GET_VALUES: u8 = 9;
const GET_VALUES_RESULT: u8 = 10;
const UNKNOWN_TYPE: u8 = 11;

/// The header of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Record {
    kind: u8,
    id: u16,
    /// Bytes of content.
    length: usize,
    /// Bytes of padding behind it.
    padding: usize,
}

impl Record {
    /// Reads a header.
    fn read(header: &[u8; HEADER]) -> Result<Self, Refusal> {
        let &[
            version,
            kind,
            id_high,
            id_low,
            length_high,
            length_low,
            padding,
            _,
        ] = header;
        if version != VERSION {
            return Err(NOT_FASTCGI);
        }
        Ok(Self {
            kind,
            id: u16::from_be_bytes([id_high, id_low]),
            length: usize::from(u16::from_be_bytes([length_high, length_low])),
            padding: usize::from(padding),
        })
    }

    /// Bytes of the whole record.
    fn total(&self) -> usize {
        HEADER + self.length + self.padding
    }
}

const NOT_FASTCGI: Refusal = Refusal::new(400, "a record of another version than FastCGI 1.0");

/// The header of a record of ours; there is no padding.
fn header(kind: u8, id: u16, length: u16) -> [u8; HEADER] {
    let ([id_high, id_low], [high, low]) = (id.to_be_bytes(), length.to_be_bytes());
    [VERSION, kind, id_high, id_low, high, low, 0, 0]
}

/// A length before a name or a value: one byte up to 127, else four. Gives it and where it ends.
fn length(buffer: &[u8], at: usize) -> Option<(usize, usize)> {
    let first = *buffer.get(at)?;
    if first < 0x80 {
        return Some((usize::from(first), at + 1));
    }
    let (bytes, _) = buffer.get(at..)?.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*bytes) & 0x7fff_ffff;
    Some((length as usize, at + 4))
}
