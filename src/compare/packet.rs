//! A request as a packet of the uwsgi protocol, with the variables that nginx sends with its `uwsgi_params`.
//!
//! `protocol::uwsgi` reads what this writes; it is apart because the program itself never sends packets.

use super::{Failure, Request};

/// The protocol counts the bytes of the variables, and of each name and value, in 16 bits.
const MAX_VARIABLES: &str = "its header fields take more than the 64 KiB of a uwsgi packet";

/// The address of a client that does not exist (RFC 5737), so that both servers see the same one.
const CLIENT: &str = "192.0.2.1";

/// The packet without the body that follows it.
///
/// # Errors
/// The request is too large for the protocol.
pub(super) fn encode(request: &Request, https: bool) -> Result<Vec<u8>, Failure> {
    let too_large = || Failure::Request {
        reason: MAX_VARIABLES,
    };
    let mut block = Vec::new();
    for (name, value) in variables(request, https) {
        for text in [name.as_bytes(), &value] {
            let size = u16::try_from(text.len()).map_err(|_| too_large())?;
            block.extend_from_slice(&size.to_le_bytes());
            block.extend_from_slice(text);
        }
    }
    let [low, high] = u16::try_from(block.len())
        .map_err(|_| too_large())?
        .to_le_bytes();
    let mut packet = vec![0, low, high, 0];
    packet.append(&mut block);
    Ok(packet)
}

fn variables(request: &Request, https: bool) -> Vec<(String, Vec<u8>)> {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let (name, port) = server(request, https);
    // nginx sends an empty one where the client has sent none.
    let length = request
        .length()
        .map(|length| length.to_string())
        .unwrap_or_default();
    let fixed = [
        ("QUERY_STRING", query),
        ("REQUEST_METHOD", &request.method),
        (
            "CONTENT_TYPE",
            request.value("content-type").unwrap_or_default(),
        ),
        ("CONTENT_LENGTH", &length),
        ("REQUEST_URI", &request.target),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_SCHEME", if https { "https" } else { "http" }),
        ("REMOTE_ADDR", CLIENT),
        ("REMOTE_PORT", "49152"),
        ("SERVER_PORT", port),
        ("SERVER_NAME", name),
    ];
    let mut variables: Vec<_> = fixed
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .into();
    variables.push(("PATH_INFO".to_owned(), unescaped(path)));
    if https {
        variables.push(("HTTPS".to_owned(), b"on".to_vec()));
    }
    let headers = request.headers.iter();
    let headers = headers.filter(|header| !header.name.eq_ignore_ascii_case("content-type"));
    variables.extend(headers.map(|header| {
        let name = header.name.to_ascii_uppercase().replace('-', "_");
        (format!("HTTP_{name}"), header.value.as_bytes().to_vec())
    }));
    variables
}

/// Name and port of the front server, from the Host.
fn server(request: &Request, https: bool) -> (&str, &str) {
    let host = request.value("host").unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, if https { "443" } else { "80" }),
    }
}

/// A `%` that begins no escape stays as it is.
fn unescaped(path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|_| first == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        compare::Header,
        protocol::{Head, Parsed, uwsgi},
    };

    fn request(target: &str, headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(name, value)| Header {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        });
        Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: headers.collect(),
            ..Request::default()
        }
    }

    /// What our own decoder reads under this name.
    #[track_caller]
    fn check(request: &Request, https: bool, name: &str, expected: Option<&[u8]>) {
        let packet = encode(request, https).unwrap();
        let mut head = Head::default();
        let parsed = uwsgi::parse(&packet, 65535, 0, &mut head).unwrap();
        assert_eq!((parsed, head.len), (Parsed::Complete, packet.len()));
        let mut fields = head.fields.iter();
        let found = fields.find(|field| field.name.of(&packet) == name.as_bytes());
        assert_eq!(
            found.map(|field| field.value.of(&packet)),
            expected,
            "{name}"
        );
    }

    #[test]
    fn the_target_is_taken_apart() {
        let request = request("/caf%C3%A9/%zz?a=%20", &[]);
        check(
            &request,
            false,
            "PATH_INFO",
            Some("/caf\u{e9}/%zz".as_bytes()),
        );
        check(&request, false, "QUERY_STRING", Some(b"a=%20"));
        check(
            &request,
            false,
            "REQUEST_URI",
            Some(b"/caf%C3%A9/%zz?a=%20"),
        );
    }

    #[test]
    fn header_fields_are_variables() {
        let request = request(
            "/",
            &[
                ("Host", "a.example:81"),
                ("X-A", "b"),
                ("content-type", "c"),
            ],
        );
        check(&request, false, "HTTP_X_A", Some(b"b"));
        check(&request, false, "CONTENT_TYPE", Some(b"c"));
        check(&request, false, "HTTP_CONTENT_TYPE", None);
        check(&request, false, "HTTP_HOST", Some(b"a.example:81"));
        check(&request, false, "SERVER_NAME", Some(b"a.example"));
        check(&request, false, "SERVER_PORT", Some(b"81"));
    }

    #[test]
    fn tls_is_told_as_nginx_tells_it() {
        let request = request("/", &[("Host", "[::1]")]);
        check(&request, true, "HTTPS", Some(b"on"));
        check(&request, true, "SERVER_PORT", Some(b"443"));
        check(&request, false, "HTTPS", None);
        check(&request, false, "SERVER_NAME", Some(b"[::1]"));
    }

    #[test]
    fn what_does_not_fit_is_not_sent() {
        let large = request("/", &[("X-Large", &"a".repeat(65530))]);
        assert!(encode(&large, false).is_err());
    }
}
