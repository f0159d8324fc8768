//! Regular expressions, compiled while there still is a line of the file to point at.

use std::{fmt, str::FromStr};

use regex::bytes::{Regex, RegexBuilder};

use super::{Notation, ValueError};

/// A regular expression in the syntax of the `regex` crate (docs.rs/regex), found anywhere in the text unless `^` and
/// `$` hold it.
///
/// Matching takes time in proportion to the text, whatever the expression, so that no request can make it slow. It is
/// compiled once in each process that reads the settings, and matches
/// bytes: paths of URLs need not be UTF-8, so `.` is any byte at all, and `\w` and its like are those of ASCII.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// The compiled expression.
    pub fn regex(&self) -> &Regex {
        &self.0
    }
}

/// Two are the same when they are written the same.
impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str())
    }
}

impl FromStr for Pattern {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        // What a client can put into a path must not slip through `.*`: line ends, and bytes that are no UTF-8.
        let built = RegexBuilder::new(text)
            .dot_matches_new_line(true)
            .unicode(false)
            .build();
        built.map(Self).map_err(|error| ValueError {
            text: text.to_owned(),
            kind: "a regular expression",
            reason: in_one_line(&error),
        })
    }
}

impl Notation for Pattern {
    const EXPECTED: &'static str = "a regular expression like \"^/old/(.*)$\"";
}

/// The crate draws the place of a mistake over several lines; the last one says what it is.
fn in_one_line(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => {
            "it takes too much memory; write smaller repetitions".to_owned()
        }
        error => {
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn expressions_match_bytes() {
        let pattern: Pattern = "^/old/(.*)$".parse().unwrap();
        testing::check("^/old/(.*)$", pattern.clone(), "^/old/(.*)$");
        assert!(pattern.regex().is_match(b"/old/a"));
        assert!(!pattern.regex().is_match(b"/older"));
        assert!(pattern.regex().is_match(b"/old/a\r\n\xff"));
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<Pattern>(text, reason);
    }

    #[test]
    fn mistakes_are_told_in_one_line() {
        check_refused("(", "unclosed group");
        check_refused("a**(?<x", "unclosed capture group name");
        check_refused(
            "a(?=b)",
            "look-around, including look-ahead and look-behind, is not supported",
        );
        check_refused(
            "(a{1000}){1000}",
            "it takes too much memory; write smaller repetitions",
        );
    }
}
