//! Status codes of answers that are errors.

use std::{fmt, str::FromStr};

use super::{Notation, ValueError};

/// A status from 400 to 599 (RFC 9110 sections 15.5 and 15.6), `"404"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorStatus(pub u16);

impl fmt::Display for ErrorStatus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

impl FromStr for ErrorStatus {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        match text.parse() {
            Ok(status @ 400..=599) if text.len() == 3 => Ok(Self(status)),
            _ => Err(ValueError {
                text: text.to_owned(),
                kind: "the status of an error",
                reason: "it goes from 400 to 599, as in \"404\"".to_owned(),
            }),
        }
    }
}

impl Notation for ErrorStatus {
    const EXPECTED: &'static str = "the status of an error like \"404\"";
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn errors_go_from_400_to_599() {
        testing::check("404", ErrorStatus(404), "404");
        for text in ["", "200", "600", "+404", "0404", "404 "] {
            testing::check_refused::<ErrorStatus>(text, "it goes from 400 to 599, as in \"404\"");
        }
    }
}
