//! What the access log holds.

use std::{fmt, str::FromStr};

use super::{ByteSize, Notation, TimeSpan, ValueError};

/// Requests that are worth an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessFilter {
    /// `4xx`: by the first digit of the status, from 1 to 5.
    Class(u16),
    /// `404`: by the status.
    Status(u16),
    /// `slower-than 500ms`
    SlowerThan(TimeSpan),
    /// `larger-than 1M`: by the size of the response's body.
    LargerThan(ByteSize),
}

impl fmt::Display for AccessFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(digit) => write!(formatter, "{digit}xx"),
            Self::Status(status) => write!(formatter, "{status}"),
            Self::SlowerThan(time) => write!(formatter, "slower-than {time}"),
            Self::LargerThan(size) => write!(formatter, "larger-than {size}"),
        }
    }
}

impl FromStr for AccessFilter {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        filter(text).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a choice of requests",
            reason,
        })
    }
}

impl Notation for AccessFilter {
    const EXPECTED: &'static str = "a choice of requests like \"5xx\" or \"slower-than 500ms\"";
}

fn filter(text: &str) -> Result<AccessFilter, String> {
    let status = |digits: &str| digits.parse().ok().filter(|_| digits.len() == 3);
    if let Some((word, value)) = text.split_once(' ') {
        match word {
            "slower-than" => return value.parse().map(AccessFilter::SlowerThan).map_err(reason),
            "larger-than" => return value.parse().map(AccessFilter::LargerThan).map_err(reason),
            _ => {}
        }
    }
    match (text.strip_suffix("xx"), status(text)) {
        (Some(digit @ ("1" | "2" | "3" | "4" | "5")), _) => {
            Ok(AccessFilter::Class(u16::from(digit.as_bytes()[0] - b'0')))
        }
        (_, Some(status @ 100..=599)) => Ok(AccessFilter::Status(status)),
        _ => Err("write \"4xx\", \"404\", \"slower-than 500ms\" or \"larger-than 1M\"".to_owned()),
    }
}

fn reason(error: ValueError) -> String {
    error.reason
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::testing, *};

    #[track_caller]
    fn check(text: &str, filter: AccessFilter) {
        testing::check(text, filter, text);
    }

    #[test]
    fn requests_are_chosen_by_status_time_or_size() {
        check("5xx", AccessFilter::Class(5));
        check("404", AccessFilter::Status(404));
        let half = TimeSpan(Duration::from_millis(500));
        check("slower-than 500ms", AccessFilter::SlowerThan(half));
        check(
            "larger-than 1M",
            AccessFilter::LargerThan(ByteSize(1 << 20)),
        );
    }

    #[test]
    fn other_choices_are_refused_with_a_way_out() {
        for text in [
            "",
            "6xx",
            "4XX",
            "600",
            "04",
            "faster-than 1s",
            "slower-than",
        ] {
            testing::check_refused::<AccessFilter>(
                text,
                "write \"4xx\", \"404\", \"slower-than 500ms\" or \"larger-than 1M\"",
            );
        }
        testing::check_refused::<AccessFilter>(
            "larger-than 1k",
            "`k` is not a suffix; suffixes are K, M, G, T (base 1024), as in \"64K\"",
        );
    }
}
