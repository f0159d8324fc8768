//! What a program says: header fields up to an empty line (RFC 3875 section 6), and what they ask for.
//!
//! A program that writes a whole HTTP answer ("NPH", RFC 3875 section 5) is not served: it would have to know the
//! framing and the state of a connection that it does not own.

#[cfg(test)]
mod tests;

use crate::protocol::http::response::{Facts, header, is_name, is_value, reason_phrase};

/// Most bytes of header fields that are kept for a program.
pub const LONGEST: usize = 64 << 10;

/// Why there is no answer in what a program says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutputError {
    /// Two of a field that there may be one of.
    #[error("it has the header field {0} twice")]
    Twice(&'static str),
    /// No field of a known name has such a value.
    #[error("its header field {0} has a value that it cannot have")]
    Value(&'static str),
    /// It ended within its header.
    #[error("it ended before the empty line that ends its header")]
    Cut,
    /// More than [`LONGEST`].
    #[error("its header is longer than 64 KiB, or the empty line that ends it is missing")]
    Long,
    /// A line is no field.
    #[error("a line of its header is not `Name: value`")]
    Line,
    /// It makes its own status line.
    #[error(
        "it begins with a status line; programs that write whole HTTP answers (nph-) are not served"
    )]
    Nph,
    /// Nothing says what the answer is.
    #[error("its header has neither Content-Type nor Location nor Status")]
    Untyped,
}

/// What a program asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// An answer, whose body is what follows.
    Answer(Head),
    /// The answer that a GET for this path and query of the same server would have (RFC 3875 section 6.2.2).
    Local(Vec<u8>),
}

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Code and reason, `200 OK`.
    pub status: Vec<u8>,
    /// Header lines as they go out.
    pub lines: Vec<u8>,
    /// What they say about framing.
    pub facts: Facts,
}

/// Takes the header out of what a program has said so far. Gives what it asks for and where its body begins; `None`
/// when the header is not complete.
///
/// # Errors
/// It is none.
pub fn parse(said: &[u8]) -> Result<Option<(Output, usize)>, OutputError> {
    let mut fields = Fields::default();
    let mut at = 0;
    if is_status_line(said) {
        return Err(OutputError::Nph);
    }
    while let Some(length) = memchr::memchr(b'\n', &said[at..]) {
        let line = &said[at..at + length];
        // RFC 3875 section 6: "NL = LF", and section 7.2 lets programs end lines as their system does.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += length + 1;
        if at > LONGEST {
            return Err(OutputError::Long);
        }
        if line.is_empty() {
            return fields.output().map(|output| Some((output, at)));
        }
        fields.take(line)?;
    }
    match said.len() > LONGEST {
        true => Err(OutputError::Long),
        false => Ok(None),
    }
}

/// Header fields so far.
#[derive(Default)]
struct Fields<'o> {
    status: Option<&'o [u8]>,
    location: Option<&'o [u8]>,
    is_typed: bool,
    /// Whether there are fields that only a client can make something of.
    is_for_client: bool,
    lines: Vec<u8>,
    facts: Facts,
}

impl<'o> Fields<'o> {
    fn take(&mut self, line: &'o [u8]) -> Result<(), OutputError> {
        let colon = memchr::memchr(b':', line).ok_or(OutputError::Line)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if !is_name(name) || !is_value(value) {
            return Err(OutputError::Line);
        }
        match name.to_ascii_lowercase().as_slice() {
            b"status" => return once(&mut self.status, value, "Status"),
            b"location" => return once(&mut self.location, value, "Location"),
            b"content-type" if self.is_typed => return Err(OutputError::Twice("Content-Type")),
            b"content-type" => self.is_typed = true,
            b"content-length" => {
                let said = self.facts.content_length.replace(decimal(value)?);
                if said.is_some() {
                    return Err(OutputError::Twice("Content-Length"));
                }
            }
            // The framing and the life of the connection are the server's.
            b"transfer-encoding" => return Err(OutputError::Value("Transfer-Encoding")),
            b"connection" => {
                self.facts.close |= value.eq_ignore_ascii_case(b"close");
                return Ok(());
            }
            b"keep-alive" | b"upgrade" => return Ok(()),
            b"date" => self.facts.date = true,
            // RFC 3875 section 6.3.5: meant for the server, and not for its client.
            extension if extension.starts_with(b"x-cgi-") => return Ok(()),
            _ => self.is_for_client = true,
        }
        header(&mut self.lines, name, value);
        Ok(())
    }

    fn output(mut self) -> Result<Output, OutputError> {
        let status = self.status.map(status).transpose()?;
        let status = match (status, self.location) {
            (Some(status), _) => status,
            // RFC 3875 section 6.2.2: with a local Location "The script MUST NOT return any other header fields". One that
            // does, a cookie for example, speaks to the client, who loses nothing when it goes there itself.
            (None, Some(location)) if is_local(location) && !self.is_for_client => {
                return Ok(Output::Local(location.to_vec()));
            }
            (None, Some(_)) => Status::of(302),
            (None, None) if self.is_typed => Status::of(200),
            // A status alone will do: git-http-backend says 404 without any more.
            (None, None) => return Err(OutputError::Untyped),
        };
        if let Some(location) = self.location {
            header(&mut self.lines, b"Location", location);
        }
        self.facts.status = status.code;
        Ok(Output::Answer(Head {
            status: status.text,
            lines: self.lines,
            facts: self.facts,
        }))
    }
}

struct Status {
    code: u16,
    text: Vec<u8>,
}

impl Status {
    fn of(code: u16) -> Self {
        Self {
            code,
            text: format!("{code} {}", reason_phrase(code)).into_bytes(),
        }
    }
}

/// `404` or `404 Not Found`. What is below 200 announces an answer and is none.
fn status(value: &[u8]) -> Result<Status, OutputError> {
    let wrong = OutputError::Value("Status");
    let (code, reason) = value.split_at_checked(3).ok_or(wrong)?;
    let code = decimal(code).map_err(|_| wrong)?;
    let code = u16::try_from(code).map_err(|_| wrong)?;
    match reason {
        _ if !(200..=599).contains(&code) => Err(wrong),
        b"" => Ok(Status::of(code)),
        [b' ', ..] => Ok(Status {
            code,
            text: value.to_vec(),
        }),
        _ => Err(wrong),
    }
}

/// RFC 3875 section 6.3.2: a path of this server, perhaps with a query. Two slashes begin the name of a host, and what
/// is behind a `#` is for the client.
fn is_local(location: &[u8]) -> bool {
    location.starts_with(b"/") && !location.starts_with(b"//") && !location.contains(&b'#')
}

fn once<'o>(
    field: &mut Option<&'o [u8]>,
    value: &'o [u8],
    name: &'static str,
) -> Result<(), OutputError> {
    match field.replace(value) {
        _ if value.is_empty() => Err(OutputError::Value(name)),
        Some(_) => Err(OutputError::Twice(name)),
        None => Ok(()),
    }
}

fn decimal(value: &[u8]) -> Result<u64, OutputError> {
    let is_decimal = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(value).ok().filter(|_| is_decimal);
    text.and_then(|text| text.parse().ok())
        .ok_or(OutputError::Value("Content-Length"))
}

fn is_status_line(said: &[u8]) -> bool {
    // A slash is no part of the name of a field.
    said.starts_with(b"HTTP/")
}
