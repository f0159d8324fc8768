//! Complete small answers of the server itself, for when no application can answer.

use super::response::{header, status_line};
use crate::protocol::{Kind, Version, fastcgi};

/// A complete answer with this body and its media type; the connection closes after it. [`enclose`] makes of it what
/// goes over the wire.
///
/// `head_method` leaves out the body, but not its length; `date` is the text of the Date header (RFC 9110 section
/// 6.6.1).
pub fn canned(
    kind: Kind,
    status: u16,
    (media_type, body): (&str, &[u8]),
    head_method: bool,
    date: &str,
) -> Vec<u8> {
    let phrase = reason_phrase(status);
    let mut out = Vec::with_capacity(200 + body.len());
    let line = format!("{status} {phrase}");
    let is_cgi = matches!(kind, Kind::Fastcgi { .. } | Kind::Scgi);
    if is_cgi {
        header(&mut out, b"Status", line.as_bytes());
    } else {
        status_line(&mut out, Version::Http11, line.as_bytes());
        header(&mut out, b"Date", date.as_bytes());
    }
    header(&mut out, b"Content-Type", media_type.as_bytes());
    header(
        &mut out,
        b"Content-Length",
        body.len().to_string().as_bytes(),
    );
    if !is_cgi {
        header(&mut out, b"Connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    if !head_method {
        out.extend_from_slice(body);
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
    let mut line = Vec::with_capacity(name.len() + value.len() + 4);
    header(&mut line, name, value);
    add_lines(answer, &line);
}

/// Puts further header lines, each with its CRLF, into a complete answer.
pub fn add_lines(answer: &mut Vec<u8>, lines: &[u8]) {
    if let Some(end) = memchr::memmem::find(answer, b"\r\n\r\n") {
        answer.splice(end + 2..end + 2, lines.iter().copied());
    }
}

/// What IANA's registry says of the status; `Unknown` if it says nothing.
pub fn reason_phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        506 => "Variant Also Negotiates",
        507 => "Insufficient Storage",
        508 => "Loop Detected",
        511 => "Network Authentication Required",
        _ => "Unknown",
    }
}
