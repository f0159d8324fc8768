//! An answer, from the bytes of a connection.
//!
//! Tolerant on purpose: the question is what the two servers say, not whether they say it well. Only where an answer
//! ends must be beyond doubt.

use std::io::{self, Read};

use httparse::{ParserConfig, Status};

use crate::protocol::http::body::Chunked;

use super::Failure;

/// Bytes of the head.
const MAX_HEAD: usize = 256 << 10;
/// Header fields of one answer.
const MAX_FIELDS: usize = 256;
/// Bytes of the body; both bodies are held in memory to be compared.
const MAX_BODY: usize = 256 << 20;
/// Interim answers (1xx) before the answer itself.
const MAX_INTERIM: usize = 16;
/// Bytes that are asked of the kernel at a time.
const PIECE: usize = 64 << 10;

/// What a server has answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// For example 200.
    pub(crate) status: u16,
    /// Names and values, in their order.
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    /// Without its transfer coding.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The values of the field of this name, in their order.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let fields = self.fields.iter();
        let fields = fields.filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_slice())
    }
}

/// How long a body is (RFC 9112 section 6.3).
enum Length {
    Chunked,
    Exactly(usize),
    UntilClosed,
}

/// Takes in one answer to a request of this method, to its end.
pub(super) fn receive(stream: &mut impl Read, method: &str) -> Result<Answer, Failure> {
    let mut buffer = Vec::new();
    let mut answer = head(stream, &mut buffer)?;
    let body = match length(&answer, method)? {
        Length::Chunked => chunked(stream, buffer),
        Length::Exactly(length) => exactly(stream, buffer, length),
        Length::UntilClosed => until_closed(stream, buffer),
    };
    answer.body = body?;
    Ok(answer)
}

/// Reads until the head of the answer itself is there; what follows it is left in `buffer`.
fn head(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<Answer, Failure> {
    let mut interim = 0;
    loop {
        if let Some((answer, end)) = parse(buffer)? {
            buffer.drain(..end);
            // 101 is the last answer of this protocol, whatever follows it.
            if answer.status >= 200 || answer.status == 101 {
                return Ok(answer);
            }
            interim += 1;
            if interim > MAX_INTERIM {
                let reason = format!("more than {MAX_INTERIM} interim answers");
                return Err(Failure::Malformed { reason });
            }
            continue;
        }
        if buffer.len() > MAX_HEAD {
            return Err(Failure::TooLarge {
                part: "head",
                limit: MAX_HEAD,
            });
        }
        match (more(stream, buffer)?, buffer.is_empty()) {
            (0, true) => return Err(Failure::Closed),
            (0, false) => return Err(Failure::CutShort { body: 0 }),
            _ => {}
        }
    }
}

/// The head that the bytes begin with, and where it ends.
fn parse(bytes: &[u8]) -> Result<Option<(Answer, usize)>, Failure> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    let mut config = ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    config.allow_spaces_after_header_name_in_responses(true);
    let malformed = |reason: httparse::Error| Failure::Malformed {
        reason: reason.to_string(),
    };
    match config
        .parse_response(&mut response, bytes)
        .map_err(malformed)?
    {
        Status::Partial => Ok(None),
        Status::Complete(end) => {
            let fields = response.headers.iter();
            let fields = fields.map(|field| (field.name.to_owned(), field.value.to_vec()));
            let answer = Answer {
                status: response.code.unwrap_or_default(),
                fields: fields.collect(),
                body: Vec::new(),
            };
            Ok(Some((answer, end)))
        }
    }
}

fn length(answer: &Answer, method: &str) -> Result<Length, Failure> {
    if method == "HEAD" || matches!(answer.status, 101 | 204 | 304) {
        return Ok(Length::Exactly(0));
    }
    let coding = answer.values("transfer-encoding").last();
    if coding.is_some_and(|coding| {
        coding
            .trim_ascii_end()
            .to_ascii_lowercase()
            .ends_with(b"chunked")
    }) {
        return Ok(Length::Chunked);
    }
    let mut lengths = answer.values("content-length");
    let Some(first) = lengths.next() else {
        return Ok(Length::UntilClosed);
    };
    let number = std::str::from_utf8(first)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match number.filter(|_| lengths.all(|other| other == first)) {
        Some(length) => Ok(Length::Exactly(length)),
        None => Err(Failure::Malformed {
            reason: format!("the Content-Length `{}`", String::from_utf8_lossy(first)),
        }),
    }
}

fn chunked(stream: &mut impl Read, mut buffer: Vec<u8>) -> Result<Vec<u8>, Failure> {
    let mut decoder = Chunked::new(MAX_BODY as u64);
    let mut body = Vec::new();
    loop {
        let refused = |refusal: crate::protocol::Refusal| match refusal.status {
            413 => TOO_LARGE,
            _ => Failure::Malformed {
                reason: refusal.reason.to_owned(),
            },
        };
        let taken = decoder
            .decode(&buffer, &mut body, usize::MAX)
            .map_err(refused)?;
        buffer.drain(..taken);
        if decoder.is_complete() {
            return Ok(body);
        }
        if more(stream, &mut buffer)? == 0 {
            return Err(Failure::CutShort { body: body.len() });
        }
    }
}

fn exactly(stream: &mut impl Read, mut body: Vec<u8>, length: usize) -> Result<Vec<u8>, Failure> {
    if length > MAX_BODY {
        return Err(TOO_LARGE);
    }
    while body.len() < length {
        if more(stream, &mut body)? == 0 {
            return Err(Failure::CutShort { body: body.len() });
        }
    }
    body.truncate(length);
    Ok(body)
}

fn until_closed(stream: &mut impl Read, mut body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    while body.len() <= MAX_BODY {
        if more(stream, &mut body)? == 0 {
            return Ok(body);
        }
    }
    Err(TOO_LARGE)
}

const TOO_LARGE: Failure = Failure::TooLarge {
    part: "body",
    limit: MAX_BODY,
};

/// Appends what the connection has, and gives its number of bytes; 0: it has ended.
fn more(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Result<usize, Failure> {
    let before = buffer.len();
    buffer.resize(before + PIECE, 0);
    let read = loop {
        match stream.read(&mut buffer[before..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => break other,
        }
    };
    buffer.truncate(before + read.as_ref().copied().unwrap_or_default());
    read.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => Failure::TimedOut,
        _ => Failure::Io(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same bytes at once and one by one; the answer as `status body`.
    #[track_caller]
    fn check(method: &str, bytes: &str, expected: Result<&str, &str>) {
        let answers = [PIECE, 1].map(|size| {
            let answer = receive(&mut Pieces(bytes.as_bytes(), size), method);
            answer
                .map(|answer| {
                    format!(
                        "{} {}",
                        answer.status,
                        String::from_utf8_lossy(&answer.body)
                    )
                })
                .map_err(|failure| failure.to_string())
        });
        for answer in &answers {
            assert_eq!(answer.as_deref().map_err(String::as_str), expected);
        }
    }

    /// A connection that gives so many bytes at a time.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let take = self.1.min(self.0.len()).min(buffer.len());
            let (piece, rest) = self.0.split_at(take);
            buffer[..take].copy_from_slice(piece);
            self.0 = rest;
            Ok(take)
        }
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        check(
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcd",
            Ok("200 ab"),
        );
        check("GET", "HTTP/1.0 200 OK\r\n\r\nabcd", Ok("200 abcd"));
        check(
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            Ok("200 abc"),
        );
    }

    #[test]
    fn some_answers_have_no_body() {
        check(
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            Ok("200 "),
        );
        check(
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            Ok("304 "),
        );
    }

    #[test]
    fn interim_answers_are_passed_over() {
        check(
            "GET",
            "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\na",
            Ok("200 a"),
        );
        let endless = "HTTP/1.1 102 Wait\r\n\r\n".repeat(17);
        check(
            "GET",
            &endless,
            Err("not HTTP: more than 16 interim answers"),
        );
    }

    #[test]
    fn an_answer_that_is_not_whole_is_none() {
        check("GET", "", Err("the connection was closed without one"));
        check(
            "GET",
            "HTTP/1.1 200",
            Err("it ends early, after 0 bytes of the body"),
        );
        check(
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
            Err("it ends early, after 3 bytes of the body"),
        );
        check(
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
            Err("it ends early, after 3 bytes of the body"),
        );
    }

    #[test]
    fn what_is_no_http_is_named() {
        check(
            "GET",
            "SSH-2.0-OpenSSH\r\n",
            Err("not HTTP: invalid HTTP version"),
        );
        check(
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            Err("not HTTP: the Content-Length `x`"),
        );
    }

    #[test]
    fn limits_hold() {
        let head = format!("HTTP/1.1 200 OK\r\nA: {}", "a".repeat(MAX_HEAD + PIECE));
        let refused = receive(&mut head.as_bytes(), "GET").unwrap_err();
        assert_eq!(refused.to_string(), "its head has more than 262144 bytes");
        check(
            "GET",
            "HTTP/1.1 200 OK\r\nContent-Length: 268435457\r\n\r\n",
            Err("its body has more than 268435456 bytes"),
        );
    }
}
