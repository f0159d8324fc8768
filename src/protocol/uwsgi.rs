//! The uwsgi protocol: uWSGI's binary packets, as nginx's `uwsgi_pass` sends them.
//!
//! One packet is `modifier1` (1 byte), the size of the variables (2 bytes, little endian), `modifier2` (1 byte), then
//! the variables: length of the name (2), name, length of the value (2), value. The body follows as it is,
//! `CONTENT_LENGTH` bytes. Variables are data, whatever their names are: what uWSGI would load code for (`UWSGI_FILE`,
//! `UWSGI_MODULE` ...) has no meaning here.

#[cfg(test)]
pub(crate) mod tests;

use super::{Field, Head, Kind, Parsed, Refusal, Span, variables::Variables};

/// Answer to a ping: no variables, `modifier2` 1.
pub const PONG: [u8; 4] = [PING, 0, 0, 1];

/// `modifier1` of a request for a WSGI application.
pub const WSGI: u8 = 0;
/// `modifier1` of a request for a CGI program.
pub const CGI: u8 = 9;
/// For an application, and SCRIPT_NAME has to be cut off PATH_INFO.
pub const WSGI_MANAGE_PATH_INFO: u8 = 30;
/// `modifier1` of a ping, a packet that is answered with [`PONG`].
pub const PING: u8 = 100;

/// Bytes before the variables.
const HEADER: usize = 4;

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
    let variables = read(packet, &mut head.fields)?;
    let kind = Kind::Uwsgi {
        modifier1,
        modifier2,
    };
    let len = packet.len();
    // PEP 3333 on REQUEST_METHOD: "This cannot ever be an empty string".
    let is_request = matches!(modifier1, CGI | WSGI | WSGI_MANAGE_PATH_INFO);
    variables.finish(buffer, is_request, body_limit, head)?;
    (head.len, head.kind) = (len, kind);
    Ok(Parsed::Complete)
}

/// Reads the variables, which fill `buffer` from [`HEADER`] on, into `fields`.
fn read(buffer: &[u8], fields: &mut Vec<Field>) -> Result<Variables, Refusal> {
    let mut variables = Variables::new(fields);
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
        variables.add(buffer, name, value, fields)?;
        at = value.end as usize;
    }
    Ok(variables)
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
