//! Spans of time in the notation of systemd.time(7).

use std::{fmt, str::FromStr, time::Duration};

use super::{Notation, ValueError, number};

/// A span of time in systemd's notation (systemd.time(7)): `"90s"`, `"1min 30s"`, `"500ms"`, `"0"`.
///
/// A number without a unit counts seconds, and may stand in the file without quotes. There is no `infinity`: every
/// span of ours ends something that would otherwise hold a connection, a worker or the service for ever. The longest
/// span is a hundred years, so that adding one to a clock cannot overflow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeSpan(pub Duration);

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// 36525 days.
const LONGEST: u128 = 36_525 * 86_400 * NANOS_PER_SECOND;

/// What we write, in nanoseconds, largest first.
const WRITTEN: [(&str, u128); 8] = [
    ("w", 7 * 86_400 * NANOS_PER_SECOND),
    ("d", 86_400 * NANOS_PER_SECOND),
    ("h", 3_600 * NANOS_PER_SECOND),
    ("min", 60 * NANOS_PER_SECOND),
    ("s", NANOS_PER_SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl fmt::Display for TimeSpan {
    /// One number with the largest unit that holds the span exactly.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        match WRITTEN.iter().find(|(_, unit)| nanos.is_multiple_of(*unit)) {
            Some((name, unit)) if nanos > 0 => write!(formatter, "{}{name}", nanos / unit),
            _ => formatter.write_str("0"),
        }
    }
}

impl FromStr for TimeSpan {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text.trim()).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a time span",
            reason,
        })
    }
}

impl Notation for TimeSpan {
    const EXPECTED: &'static str = "a time span like \"30s\"";

    fn from_number(seconds: u64) -> Option<Self> {
        from_nanos(u128::from(seconds) * NANOS_PER_SECOND).ok()
    }
}

fn parse(text: &str) -> Result<TimeSpan, String> {
    if text.is_empty() {
        return Err("it is empty; write for example \"30s\"".to_owned());
    }
    if text == "infinity" {
        return Err("no span here is endless; write a long one, for example \"24h\"".to_owned());
    }
    let mut rest = text;
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (digits, behind) = number::split_number(rest);
        if digits.is_empty() {
            return Err(format!(
                "a number is missing before `{rest}`; write for example \"30s\""
            ));
        }
        let (unit, behind) = number::split_leading(behind.trim_start(), char::is_alphabetic);
        total = number::scaled(digits, nanos_of(unit)?)?.saturating_add(total);
        rest = behind.trim_start();
    }
    from_nanos(total)
}

/// The units of systemd.time(7); months and years are averages, as there.
fn nanos_of(unit: &str) -> Result<u128, String> {
    let seconds = match unit {
        "nsec" | "ns" => return Ok(1),
        "usec" | "us" | "µs" | "μs" => return Ok(1_000),
        "msec" | "ms" => return Ok(1_000_000),
        "" | "seconds" | "second" | "sec" | "s" => 1,
        "minutes" | "minute" | "min" | "m" => 60,
        "hours" | "hour" | "hr" | "h" => 3_600,
        "days" | "day" | "d" => 86_400,
        "weeks" | "week" | "w" => 7 * 86_400,
        "months" | "month" | "M" => 2_629_800,
        "years" | "year" | "y" => 31_557_600,
        _ => {
            return Err(format!(
                "`{unit}` is not a unit; units are us, ms, s, min, h, d, w, as in \"1min 30s\""
            ));
        }
    };
    Ok(seconds * NANOS_PER_SECOND)
}

fn from_nanos(nanos: u128) -> Result<TimeSpan, String> {
    if nanos > LONGEST {
        return Err("it is longer than 100 years".to_owned());
    }
    let seconds = u64::try_from(nanos / NANOS_PER_SECOND).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanos % NANOS_PER_SECOND).unwrap_or(0);
    Ok(TimeSpan(Duration::new(seconds, rest)))
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check(text: &str, nanos: u64, display: &str) {
        testing::check(text, TimeSpan(Duration::from_nanos(nanos)), display);
    }

    #[test]
    fn spans_are_read_and_written_in_systemds_notation() {
        check("0", 0, "0");
        check("30", 30_000_000_000, "30s");
        check("90s", 90_000_000_000, "90s");
        check("1min 30s", 90_000_000_000, "90s");
        check("1min30s", 90_000_000_000, "90s");
        check(" 2 h ", 7_200_000_000_000, "2h");
        check("1.5h", 5_400_000_000_000, "90min");
        check("500ms", 500_000_000, "500ms");
        check("0.5", 500_000_000, "500ms");
        check("250µs", 250_000, "250us");
        check("7 days", 604_800_000_000_000, "1w");
        check("1ns", 1, "1ns");
    }

    #[test]
    fn averages_are_those_of_systemd() {
        check("1M", 2_629_800_000_000_000, "43830min");
        check("1y", 31_557_600_000_000_000, "8766h");
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<TimeSpan>(text, reason);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        check_refused("", "it is empty; write for example \"30s\"");
        check_refused(
            "infinity",
            "no span here is endless; write a long one, for example \"24h\"",
        );
        check_refused(
            "-3s",
            "a number is missing before `-3s`; write for example \"30s\"",
        );
        check_refused(
            "s",
            "a number is missing before `s`; write for example \"30s\"",
        );
        check_refused(
            "30x",
            "`x` is not a unit; units are us, ms, s, min, h, d, w, as in \"1min 30s\"",
        );
        check_refused("101y", "it is longer than 100 years");
        check_refused(
            &"9999999999999999999y".repeat(1000),
            "it is longer than 100 years",
        );
        check_refused(
            "99999999999999999999w",
            "`99999999999999999999` has too many digits",
        );
    }

    #[test]
    fn a_bare_number_counts_seconds() {
        let span: TimeSpan = serde_json::from_str("30").unwrap();
        assert_eq!(span, TimeSpan(Duration::from_secs(30)));
    }
}
