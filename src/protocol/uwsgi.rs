//! The uwsgi protocol: uWSGI's binary packets, as nginx's `uwsgi_pass` sends them.
//!
//! One packet is `modifier1` (1 byte), the size of the variables (2 bytes, little endian), `modifier2` (1 byte), then
//! the variables: length of the name (2), name, length of the value (2), value. The body follows as it is,
//! `CONTENT_LENGTH` bytes. Variables are data, whatever their names are: what uWSGI would load code for (`UWSGI_FILE`,
//! `UWSGI_MODULE` ...) has no meaning here.

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

#[cfg(test)]
mod tests {
    use super::{MAX_VARIABLES, PING, WSGI, parse};
    use crate::protocol::{Framing, Head, Kind, Parsed, Refusal, Request, Version};

    fn packet(modifier1: u8, variables: &[(&str, &str)]) -> Vec<u8> {
        let mut packet = vec![modifier1, 0, 0, 0];
        for text in variables.iter().flat_map(|(name, value)| [name, value]) {
            packet.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
            packet.extend_from_slice(text.as_bytes());
        }
        let size = u16::try_from(packet.len() - 4).unwrap().to_le_bytes();
        packet[1..3].copy_from_slice(&size);
        packet
    }

    fn parsed(packet: &[u8]) -> Result<Head, Refusal> {
        let mut head = Head::default();
        assert_eq!(parse(packet, 4096, 100, &mut head)?, Parsed::Complete);
        Ok(head)
    }

    fn check_refused(packet: &[u8], expected: u16) {
        assert_eq!(
            parsed(packet).map_err(|refusal| refusal.status),
            Err(expected),
            "{}",
            packet.escape_ascii()
        );
    }

    /// A packet with these variables and a method.
    fn check_head(variables: &[(&str, &str)], check: impl FnOnce(&Head)) {
        check(
            &parsed(&packet(
                WSGI,
                &[&[("REQUEST_METHOD", "GET")], variables].concat(),
            ))
            .unwrap(),
        );
    }

    #[test]
    fn a_request_as_nginx_sends_it() {
        let variables = [
            ("QUERY_STRING", "q=1"),
            ("REQUEST_METHOD", "POST"),
            ("CONTENT_LENGTH", "7"),
            ("REQUEST_URI", "/%41?q=1"),
            ("PATH_INFO", "/A"),
            ("SERVER_PROTOCOL", "HTTP/2.0"),
            ("HTTP_HOST", "a"),
        ];
        let mut buffer = packet(WSGI, &variables);
        let len = buffer.len();
        buffer.extend_from_slice(b"the body");
        let head = parsed(&buffer).unwrap();
        let request = Request {
            head: &head,
            buffer: &buffer,
        };
        assert_eq!(
            (request.method(), request.target()),
            (&b"POST"[..], &b"/%41?q=1"[..])
        );
        assert_eq!(
            (head.path.of(&buffer), head.query.of(&buffer)),
            (&b"/A"[..], &b"q=1"[..])
        );
        assert_eq!(
            (head.len, head.kind),
            (
                len,
                Kind::Uwsgi {
                    modifier1: 0,
                    modifier2: 0
                }
            )
        );
        assert_eq!(
            (head.framing, head.version),
            (Framing::Length(7), Version::Http11)
        );
        assert!(
            request
                .fields()
                .eq(variables.map(|(name, value)| (name.as_bytes(), value.as_bytes())))
        );
    }

    #[test]
    fn an_empty_length_is_no_body() {
        check_head(&[("CONTENT_LENGTH", "")], |head| {
            assert_eq!(head.framing, Framing::None)
        });
    }

    #[test]
    fn without_a_protocol_it_is_http10() {
        check_head(&[], |head| assert_eq!(head.version, Version::Http10));
    }

    #[test]
    fn repeated_variables_are_noticed() {
        check_head(&[("A", "1"), ("B", "1")], |head| assert!(!head.repeats));
        check_head(&[("A", "1"), ("A", "2")], |head| assert!(head.repeats));
    }

    #[test]
    fn a_ping_has_no_variables() {
        assert_eq!(
            parsed(&[PING, 0, 0, 0]).unwrap().kind,
            Kind::Uwsgi {
                modifier1: PING,
                modifier2: 0
            }
        );
    }

    #[test]
    fn a_wsgi_request_has_a_method() {
        check_refused(&packet(0, &[]), 400);
        check_refused(&packet(30, &[("REQUEST_METHOD", "")]), 400);
    }

    #[test]
    fn lengths_beyond_the_packet() {
        check_refused(b"\0\x01\0\0\x01", 400);
        check_refused(b"\0\x02\0\0\x01\0", 400);
        check_refused(b"\0\x03\0\0\x01\0A", 400);
        check_refused(b"\0\x06\0\0\x01\0A\x02\0B", 400);
        check_refused(b"\0\x05\0\0\x01\0A\xff\xff", 400);
    }

    #[test]
    fn a_name_may_not_be_empty() {
        check_refused(&packet(0, &[("REQUEST_METHOD", "GET"), ("", "value")]), 400);
    }

    #[test]
    fn content_length() {
        for (value, status) in [
            ("x", 400),
            ("-1", 400),
            ("1 ", 400),
            ("99999999999999999999", 400),
            ("101", 413),
        ] {
            check_refused(
                &packet(0, &[("REQUEST_METHOD", "GET"), ("CONTENT_LENGTH", value)]),
                status,
            );
        }
        let twice = [
            ("REQUEST_METHOD", "GET"),
            ("CONTENT_LENGTH", "1"),
            ("CONTENT_LENGTH", "2"),
        ];
        check_refused(&packet(0, &twice), 400);
    }

    #[test]
    fn limits() {
        check_refused(b"\0\x01\x10\0", 431);
        check_refused(&packet(0, &[("A", ""); MAX_VARIABLES + 1]), 431);
        assert_eq!(
            parse(b"\0\x00\x10\0", 4096, 0, &mut Head::default()),
            Ok(Parsed::Incomplete)
        );
    }

    #[test]
    fn http_is_answered_at_once() {
        check_refused(b"GET / HTTP/1.1\r\n", 400);
        check_refused(b"POST", 400);
    }
}
