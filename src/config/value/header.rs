//! Names of headers, and headers as one line: name, colon, value.

use std::{fmt, str::FromStr};

use super::{Notation, ValueError};

/// The name of a header (RFC 9110 section 5.1), as it was written; upper and lower case mean the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeaderName(String);

/// A header that is added to a response, `"X-Frame-Options: DENY"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderLine {
    /// Its name.
    pub name: HeaderName,
    /// Its value: neither line ends nor other control characters are in it, nor spaces around it.
    pub value: String,
}

/// Headers that say how the message is framed, or that belong to one connection (RFC 9110 section 7.6.1). Whoever
/// changed them from outside would break the connection.
const FRAMING: [&str; 6] = [
    "connection",
    "content-length",
    "keep-alive",
    "te",
    "transfer-encoding",
    "upgrade",
];

impl HeaderName {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for HeaderLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.value)
    }
}

impl FromStr for HeaderName {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        name(text).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "the name of a header",
            reason,
        })
    }
}

impl FromStr for HeaderLine {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        line(text).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a header",
            reason,
        })
    }
}

impl Notation for HeaderName {
    const EXPECTED: &'static str = "the name of a header like \"Server\"";
}

impl Notation for HeaderLine {
    const EXPECTED: &'static str = "a header like \"X-Frame-Options: DENY\"";
}

/// RFC 9110 section 5.6.2: `token = 1*tchar`.
fn name(text: &str) -> Result<HeaderName, String> {
    let is_tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_tchar) {
        return Err("use letters, digits and `-`, as in \"X-Frame-Options\"".to_owned());
    }
    match FRAMING.iter().find(|name| text.eq_ignore_ascii_case(name)) {
        Some(_) => Err("it belongs to the connection, and hostler alone sets it".to_owned()),
        None => Ok(HeaderName(text.to_owned())),
    }
}

/// RFC 9110 section 5.5: `field-value` is made of visible characters, spaces and tabs.
fn line(text: &str) -> Result<HeaderLine, String> {
    let Some((before, value)) = text.split_once(':') else {
        return Err("write name, colon and value, as in \"X-Frame-Options: DENY\"".to_owned());
    };
    let name = name(before)?;
    let value = value.trim_matches([' ', '\t']);
    match value.contains(|c: char| c.is_control() && c != '\t') {
        true => Err("the value contains a control character".to_owned()),
        false => Ok(HeaderLine {
            name,
            value: value.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check(text: &str, name: &str, value: &str) {
        let line = HeaderLine {
            name: HeaderName(name.to_owned()),
            value: value.to_owned(),
        };
        testing::check(text, line, &format!("{name}: {value}"));
    }

    #[test]
    fn a_line_is_a_name_and_a_value() {
        check("X-A: b: c ", "X-A", "b: c");
        check("x-a:b", "x-a", "b");
        testing::check("Server", HeaderName("Server".to_owned()), "Server");
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<HeaderLine>(text, reason);
    }

    #[test]
    fn what_would_break_a_response_is_refused() {
        check_refused(
            "X-A",
            "write name, colon and value, as in \"X-Frame-Options: DENY\"",
        );
        for text in [": a", "X A: b", "é: b", "X-A : b"] {
            check_refused(
                text,
                "use letters, digits and `-`, as in \"X-Frame-Options\"",
            );
        }
        for text in ["X-A: b\r\nSet-Cookie: c", "X-A: \0"] {
            check_refused(text, "the value contains a control character");
        }
        for text in ["Content-Length: 3", "transfer-encoding: chunked"] {
            check_refused(
                text,
                "it belongs to the connection, and hostler alone sets it",
            );
        }
    }
}
