//! From bytes to the head of a request: where it ends, its request line, its limits.
//!
//! Most heads arrive in one piece and are parsed at once ([`parse`], then [`accept`]). All others, the incomplete and
//! the invalid, go through [`scan`], which looks at every byte once, however small the pieces are in which they come,
//! and finds the same fault whatever the pieces. What the header fields mean is in `fields`, the target in `target`.

#[cfg(test)]
mod tests;

use std::mem::MaybeUninit;

use httparse::{Header, Status};

use super::{fields, target};
use crate::protocol::{Head, Kind, Parsed, Refusal, Span, Version};

/// Header fields of one request; more are answered 431. It bounds the work per request and the stack of [`parse`].
pub const MAX_FIELDS: usize = 128;

/// Empty lines that are skipped before a request line, RFC 9112 section 2.2: "at least one empty line (CRLF)".
const MAX_BLANK_LINES: usize = 2;

/// What a client may make us take in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest head in bytes, empty lines before it included; 4 GiB at most.
    pub head: usize,
    /// Largest body in bytes; 0: no limit.
    pub body: u64,
}

/// Parses the head that `buffer` begins with; what follows it is not looked at.
///
/// `scanned` is 0 for a new request and belongs to the caller between calls: the bytes that are known not to hold the
/// end of the head. `head` is filled on [`Parsed::Complete`] alone, its memory is reused.
///
/// # Errors
/// The first fault in the order of the bytes; the same one whether they come together or one by one.
pub fn parse(
    buffer: &[u8],
    scanned: &mut usize,
    limits: &Limits,
    head: &mut Head,
) -> Result<Parsed, Refusal> {
    let limit = limits.head.min(u32::MAX as usize);
    let start = blank_lines(buffer);
    let mut slots = [const { MaybeUninit::uninit() }; MAX_FIELDS];
    if *scanned == 0
        && let Some((request, end)) = whole(buffer, start, limit, &mut slots)
    {
        accept(buffer, end, &request, limits, head)?;
        return Ok(Parsed::Complete);
    }
    let Some(end) = scan(buffer, start, scanned, limit)? else {
        return Ok(Parsed::Incomplete);
    };
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(&buffer[start..end], &mut slots) {
        Ok(Status::Complete(len)) if start + len == end => {
            accept(buffer, end, &request, limits, head)?
        }
        Ok(_) => return Err(Refusal::new(400, "the head ends before its empty line")),
        Err(error) => return Err(broken(error)),
    }
    Ok(Parsed::Complete)
}

/// Where the request line begins.
fn blank_lines(buffer: &[u8]) -> usize {
    let mut start = 0;
    while start < 2 * MAX_BLANK_LINES && buffer[start..].starts_with(b"\r\n") {
        start += 2;
    }
    start
}

/// The common case: all of the head is there, and it is sound. Anything else is `None` and left to [`scan`].
fn whole<'b, 'h>(
    buffer: &'b [u8],
    start: usize,
    limit: usize,
    slots: &'h mut [MaybeUninit<Header<'b>>],
) -> Option<(httparse::Request<'h, 'b>, usize)> {
    // The library would skip any number of empty lines.
    if matches!(buffer.get(start), None | Some(b'\r' | b'\n')) {
        return None;
    }
    let mut request = httparse::Request::new(&mut []);
    let Ok(Status::Complete(len)) = request.parse_with_uninit_headers(&buffer[start..], slots)
    else {
        return None;
    };
    let end = start + len;
    (end <= limit && ends_lines_strictly(buffer, end, &request)).then_some((request, end))
}

/// The library takes a bare LF for the end of a line; here only CRLF is, and the byte before each line proves it.
fn ends_lines_strictly(buffer: &[u8], end: usize, request: &httparse::Request<'_, '_>) -> bool {
    let crlf_before = |at: usize| at >= 2 && buffer[at - 2] == b'\r';
    buffer[..end].ends_with(b"\r\n\r\n")
        && request
            .headers
            .iter()
            .all(|header| crlf_before(position(buffer, header.name.as_bytes())))
}

/// Looks at the bytes that no call has looked at, in order, up to the end of the head, which it gives if it is there.
fn scan(
    buffer: &[u8],
    start: usize,
    scanned: &mut usize,
    limit: usize,
) -> Result<Option<usize>, Refusal> {
    let window = &buffer[..buffer.len().min(limit)];
    for index in start.max(*scanned)..window.len() {
        let follows_cr = index > start && window[index - 1] == b'\r';
        match window[index] {
            b'\n' if !follows_cr => return Err(Refusal::new(400, "a line ends in LF without CR")),
            b'\n' => {
                let line =
                    memchr::memrchr(b'\n', &window[start..index]).map(|before| start + before + 1);
                match line {
                    None => first_line(&window[start..=index])?,
                    Some(line) if line + 1 == index => return Ok(Some(index + 1)),
                    Some(_) => {}
                }
            }
            _ if follows_cr => return Err(Refusal::new(400, "a CR without LF")),
            b'\r' | b'\t' | b' '..=b'~' | 0x80.. => {}
            _ => return Err(Refusal::new(400, "a control character in the head")),
        }
    }
    if window.len() == limit {
        return Err(match memchr::memchr(b'\n', &window[start.min(limit)..]) {
            None => Refusal::new(414, "the request line is longer than the limit of the head"),
            Some(_) => Refusal::new(431, "the head is larger than its limit"),
        });
    }
    *scanned = window.len();
    Ok(None)
}

/// Checks a request line before the rest of the head is there, so that garbage need not be waited for.
fn first_line(line: &[u8]) -> Result<(), Refusal> {
    if line == b"\r\n" {
        return Err(Refusal::new(
            400,
            "too many empty lines before the request line",
        ));
    }
    let mut request = httparse::Request::new(&mut []);
    match request.parse_with_uninit_headers(line, &mut []) {
        Ok(_) => request_line(line, &request).map(|_| ()),
        Err(httparse::Error::Version) if names_other_version(line) => Err(Refusal::new(
            505,
            "a version other than HTTP/1.0 and HTTP/1.1",
        )),
        Err(error) => Err(broken(error)),
    }
}

/// Whether all but the version may be right: RFC 9112 section 2.3, HTTP-version = HTTP-name "/" DIGIT "." DIGIT.
fn names_other_version(line: &[u8]) -> bool {
    let mut words = line.trim_ascii_end().splitn(3, |&byte| byte == b' ');
    let version = words
        .nth(2)
        .and_then(|version| version.strip_prefix(b"HTTP/"));
    matches!(version, Some([major, b'.', minor]) if major.is_ascii_digit() && minor.is_ascii_digit())
}

/// The library's error in our words.
fn broken(error: httparse::Error) -> Refusal {
    use httparse::Error;
    match error {
        Error::HeaderName => Refusal::new(400, "a malformed header name"),
        Error::HeaderValue => Refusal::new(400, "a malformed header value"),
        Error::TooManyHeaders => Refusal::new(431, "more header fields than 128"),
        Error::Version => Refusal::new(400, "a malformed version in the request line"),
        Error::NewLine | Error::Status | Error::Token => {
            Refusal::new(400, "a malformed request line")
        }
    }
}

/// The parts of the request line, checked; `None` parts cannot be when the library has taken the line.
fn request_line(
    buffer: &[u8],
    request: &httparse::Request<'_, '_>,
) -> Result<(Span, Span, Version, target::Parts), Refusal> {
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(Refusal::new(400, "a malformed request line"));
    };
    let target_span = span(buffer, target.as_bytes());
    let parts = target::parts(method.as_bytes(), target.as_bytes(), target_span.start)?;
    let version = if version == 0 {
        Version::Http10
    } else {
        Version::Http11
    };
    Ok((span(buffer, method.as_bytes()), target_span, version, parts))
}

/// Fills `head` from what the library found, unless what it found may not be.
fn accept(
    buffer: &[u8],
    end: usize,
    request: &httparse::Request<'_, '_>,
    limits: &Limits,
    head: &mut Head,
) -> Result<(), Refusal> {
    let (method, target, version, parts) = request_line(buffer, request)?;
    let meaning = fields::read(
        buffer,
        version,
        request.headers,
        limits.body,
        &mut head.fields,
    )?;
    head.len = end;
    head.kind = Kind::Http;
    head.method = method;
    head.target = target;
    head.path = parts.path;
    head.query = parts.query;
    head.authority = parts.authority;
    head.version = version;
    head.framing = meaning.framing;
    head.keep_alive = meaning.keep_alive;
    head.expect_continue = meaning.expect_continue;
    head.repeats = meaning.repeats;
    head.is_get = false;
    Ok(())
}

/// Where `part`, a slice of `buffer`, lies in it.
pub(super) fn span(buffer: &[u8], part: &[u8]) -> Span {
    let start = position(buffer, part);
    // No position exceeds the limit of the head, which `parse` caps at what a span can say.
    Span {
        start: start as u32,
        end: (start + part.len()) as u32,
    }
}

fn position(buffer: &[u8], part: &[u8]) -> usize {
    part.as_ptr() as usize - buffer.as_ptr() as usize
}
