//! Complete small answers of the server itself, for when no application can answer.

use super::response::{header, status_line};
use crate::protocol::{Kind, Version, fastcgi};

/// A complete `text/plain` answer whose body is the reason phrase, as uWSGI's own answers are; the connection closes
/// after it. [`enclose`] makes of it what goes over the wire.
///
/// `head_method` leaves out the body, but not its length; `date` is the text of the Date header (RFC 9110 section
/// 6.6.1).
pub fn canned(kind: Kind, status: u16, head_method: bool, date: &str) -> Vec<u8> {
    let phrase = reason_phrase(status);
    let mut out = Vec::with_capacity(160 + phrase.len() * 2);
    let line = format!("{status} {phrase}");
    let is_cgi = matches!(kind, Kind::Fastcgi { .. } | Kind::Scgi);
    if is_cgi {
        header(&mut out, b"Status", line.as_bytes());
    } else {
        status_line(&mut out, Version::Http11, line.as_bytes());
        header(&mut out, b"Date", date.as_bytes());
    }
    header(&mut out, b"Content-Type", b"text/plain");
    header(
        &mut out,
        b"Content-Length",
        phrase.len().to_string().as_bytes(),
    );
    if !is_cgi {
        header(&mut out, b"Connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    if !head_method {
        out.extend_from_slice(phrase.as_bytes());
    }
    out
}

/// What a protocol puts around a complete answer.
pub fn enclose(kind: Kind, answer: Vec<u8>) -> Vec<u8> {
    match kind {
        Kind::Fastcgi { id } => fastcgi::complete(id, &answer),
        Kind::Http | Kind::Scgi | Kind::Uwsgi { .. } => answer,
    }
}

/// Puts a further header into a complete answer.
pub fn add_header(answer: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    if let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") {
        let mut line = Vec::with_capacity(name.len() + value.len() + 4);
        header(&mut line, name, value);
        answer.splice(end + 2..end + 2, line);
    }
}

/// What IANA's registry says of the status; `Unknown` if it says nothing.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        411 => "Length Required",
        413 => "Content Too Large",
        414 => "URI Too Long",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Unknown",
    }
}
