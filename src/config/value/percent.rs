//! Shares of a processor, as systemd's `CPUQuota=` takes them.

use std::{fmt, str::FromStr};

use super::{Notation, ValueError, number};

/// A share of one processor, `"50%"`; more than `"100%"` is more than one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(pub u32);

/// More processors than Linux knows.
const MOST: u32 = 1_000_000;

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}%", self.0)
    }
}

impl FromStr for Percent {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text.trim()).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a percentage",
            reason,
        })
    }
}

impl Notation for Percent {
    const EXPECTED: &'static str = "a percentage like \"150%\"";
}

fn parse(text: &str) -> Result<Percent, String> {
    let (digits, sign) = number::split_leading(text, |c| c.is_ascii_digit());
    if digits.is_empty() || sign.trim_start() != "%" {
        return Err("write a whole number and `%`, for example \"150%\"".to_owned());
    }
    match digits.parse() {
        Ok(percent @ 1..=MOST) => Ok(Percent(percent)),
        _ => Err(format!("it goes from 1% to {MOST}%")),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[test]
    fn percentages_are_whole() {
        testing::check("150%", Percent(150), "150%");
        testing::check(" 5 % ", Percent(5), "5%");
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<Percent>(text, reason);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        for text in ["", "%", "50", "1.5%", "50%%", "-1%"] {
            check_refused(text, "write a whole number and `%`, for example \"150%\"");
        }
        for text in ["0%", "1000001%", "99999999999999999999%"] {
            check_refused(text, "it goes from 1% to 1000000%");
        }
    }
}
