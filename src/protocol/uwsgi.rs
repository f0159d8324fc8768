//! The uwsgi protocol: uWSGI's binary packets, as nginx's `uwsgi_pass` sends them.
//!
//! One packet is `modifier1` (1 byte), the size of the variables (2 bytes, little endian), `modifier2` (1 byte), then
//! the variables: length of the name (2), name, length of the value (2), value. The body follows as it is,
//! `CONTENT_LENGTH` bytes. Variables are data, whatever their names are: what uWSGI would load code for (`UWSGI_FILE`,
//! `UWSGI_MODULE` ...) has no meaning here.

#[cfg(test)]
pub(crate) mod tests;

use super::{
    Field, Framing, Head, Kind, Parsed, Refusal, Span, Version,
    fields::{Names, decimal},
};

/// Answer to a ping: no variables, `modifier2` 1.
pub const PONG: [u8; 4] = [PING, 0, 0, 1];

/// `modifier1` of a request for a WSGI application.
pub const WSGI: u8 = 0;
/// The same, and SCRIPT_NAME has to be cut off PATH_INFO.
pub const WSGI_MANAGE_PATH_INFO: u8 = 30;
/// `modifier1` of a ping, a packet that is answered with [`PONG`].
pub const PING: u8 = 100;

/// Bytes before the variables.
const HEADER: usize = 4;
/// Variables of one packet; uWSGI takes 128. It bounds the work per request.
const MAX_VARIABLES: usize = 512;

/// Parses the packet that `buffer` begins with; `limit` is for its variables, `body_limit` (0: none) for
/// `CONTENT_LENGTH`, both in bytes. `head` is filled on [`Parsed::Complete`] alone, its memory is reused.
///
/// # Errors
/// 400 for a malformed packet, 413 and 431 for one above a limit. uWSGI closes without an answer; a front server can
/// do more with a status than with a closed connection.
pub fn parse(
    buffer: &[u8],
    limit: usize,
    body_limit: u64,
    head: &mut Head,
) -> Result<Parsed, Refusal> {
    let Some((&[modifier1, low, high, modifier2], _)) = buffer.split_first_chunk::<HEADER>() else {
        return Ok(Parsed::Incomplete);
    };
    // A browser would otherwise wait for an answer to a packet that never ends.
    if [modifier1, low, high, modifier2]
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || *byte == b' ')
    {
        return Err(Refusal::new(
            400,
            "an HTTP request came to a listener of the uwsgi protocol",
        ));
    }
    let size = usize::from(u16::from_le_bytes([low, high]));
    if size > limit {
        return Err(Refusal::new(431, "a packet of variables above the limit"));
    }
    let Some(packet) = buffer.get(..HEADER + size) else {
        return Ok(Parsed::Incomplete);
    };
    let packet = Packet::read(packet, &mut head.fields)?;
    // PEP 3333 on REQUEST_METHOD: "This cannot ever be an empty string".
    if packet.method.start == packet.method.end && matches!(modifier1, WSGI | WSGI_MANAGE_PATH_INFO)
    {
        return Err(Refusal::new(400, "a packet without REQUEST_METHOD"));
    }
    if let Framing::Length(length) = packet.framing
        && body_limit != 0
        && length > body_limit
    {
        return Err(Refusal::new(
            413,
            "a CONTENT_LENGTH above the limit of the body",
        ));
    }
    head.len = HEADER + size;
    head.kind = Kind::Uwsgi {
        modifier1,
        modifier2,
    };
    head.method = packet.method;
    head.target = packet.target;
    head.path = packet.path;
    head.query = packet.query;
    head.authority = Span::default();
    head.version = packet.version;
    head.framing = packet.framing;
    head.keep_alive = false;
    head.expect_continue = false;
    head.repeats = packet.names.repeat;
    Ok(Parsed::Complete)
}

/// What the variables of one packet say to the server itself.
#[derive(Debug, Default)]
struct Packet {
    method: Span,
    target: Span,
    path: Span,
    query: Span,
    version: Version,
    framing: Framing,
    names: Names,
}

impl Packet {
    /// Reads the variables, which fill `buffer` from [`HEADER`] on, into `fields`. Of a variable that comes twice the
    /// last one counts, as in uWSGI.
    fn read(buffer: &[u8], fields: &mut Vec<Field>) -> Result<Self, Refusal> {
        let mut packet = Self {
            version: Version::Http10,
            ..Self::default()
        };
        fields.clear();
        let mut at = HEADER;
        while at < buffer.len() {
            let name = text(buffer, at).filter(|name| name.start < name.end);
            let name = name.ok_or(Refusal::new(
                400,
                "a variable without a name, or longer than its packet",
            ))?;
            let value = text(buffer, name.end as usize);
            let value = value.ok_or(Refusal::new(
                400,
                "a variable without a value, or longer than its packet",
            ))?;
            if fields.len() == MAX_VARIABLES {
                return Err(Refusal::new(431, "more variables than 512"));
            }
            packet.note(buffer, name.of(buffer), value)?;
            packet.names.note(buffer, name.of(buffer), fields);
            fields.push(Field { name, value });
            at = value.end as usize;
        }
        Ok(packet)
    }

    fn note(&mut self, buffer: &[u8], name: &[u8], value: Span) -> Result<(), Refusal> {
        match name {
            b"REQUEST_METHOD" => self.method = value,
            b"REQUEST_URI" => self.target = value,
            b"PATH_INFO" => self.path = value,
            b"QUERY_STRING" => self.query = value,
            b"SERVER_PROTOCOL" if value.of(buffer) != b"HTTP/1.0" => self.version = Version::Http11,
            b"SERVER_PROTOCOL" => self.version = Version::Http10,
            b"CONTENT_LENGTH" => {
                let framing = content_length(value.of(buffer))?;
                // The front server sends one. A second one would be a request header that posed as it.
                if self.framing != Framing::None && self.framing != framing {
                    return Err(Refusal::new(
                        400,
                        "CONTENT_LENGTH twice, with different values",
                    ));
                }
                self.framing = framing;
            }
            _ => {}
        }
        Ok(())
    }
}

/// nginx sends an empty CONTENT_LENGTH where there is no body.
fn content_length(value: &[u8]) -> Result<Framing, Refusal> {
    if value.is_empty() {
        return Ok(Framing::None);
    }
    decimal(value)
        .map(Framing::Length)
        .ok_or(Refusal::new(400, "an invalid CONTENT_LENGTH"))
}

/// The text at `at`: its length in two bytes, little endian, then itself.
fn text(buffer: &[u8], at: usize) -> Option<Span> {
    let (length, rest) = buffer.get(at..)?.split_first_chunk::<2>()?;
    let length = u16::from_le_bytes(*length);
    let start = (at + 2) as u32;
    (rest.len() >= usize::from(length)).then(|| Span {
        start,
        end: start + u32::from(length),
    })
}
