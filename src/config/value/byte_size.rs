//! Sizes in the notation of systemd.syntax(7): base 1024, suffixes K to E.

use std::{fmt, str::FromStr};

use super::{Notation, ValueError, number};

/// A size in bytes in systemd's notation (base 1024): `"64K"`, `"1.5G"`, `"0"`.
///
/// A number without a suffix counts bytes, and may stand in the file without quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u64); 6] = [
    ("E", 1 << 60),
    ("P", 1 << 50),
    ("T", 1 << 40),
    ("G", 1 << 30),
    ("M", 1 << 20),
    ("K", 1 << 10),
];

impl fmt::Display for ByteSize {
    /// One number with the largest suffix that holds the size exactly.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, unit)| self.0.is_multiple_of(*unit)) {
            Some((name, unit)) if self.0 > 0 => write!(formatter, "{}{name}", self.0 / unit),
            _ => write!(formatter, "{}", self.0),
        }
    }
}

impl FromStr for ByteSize {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text.trim()).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a size",
            reason,
        })
    }
}

impl Notation for ByteSize {
    const EXPECTED: &'static str = "a size like \"64K\"";

    fn from_number(bytes: u64) -> Option<Self> {
        Some(Self(bytes))
    }
}

fn parse(text: &str) -> Result<ByteSize, String> {
    let (digits, suffix) = number::split_number(text);
    if digits.is_empty() {
        return Err("it does not begin with a number; write for example \"64K\"".to_owned());
    }
    let bytes = number::scaled(digits, bytes_of(suffix.trim_start())?)?;
    match u64::try_from(bytes) {
        Ok(bytes) => Ok(ByteSize(bytes)),
        Err(_) => Err("it is larger than 16E".to_owned()),
    }
}

fn bytes_of(suffix: &str) -> Result<u128, String> {
    if suffix.is_empty() || suffix == "B" {
        return Ok(1);
    }
    match UNITS.iter().find(|(name, _)| *name == suffix) {
        Some((_, unit)) => Ok(u128::from(*unit)),
        None => Err(format!(
            "`{suffix}` is not a suffix; suffixes are K, M, G, T (base 1024), as in \"64K\""
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check(text: &str, bytes: u64, display: &str) {
        testing::check(text, ByteSize(bytes), display);
    }

    #[test]
    fn sizes_are_read_and_written_in_systemds_notation() {
        check("0", 0, "0");
        check("4097", 4097, "4097");
        check("512B", 512, "512");
        check("64K", 65_536, "64K");
        check("65536", 65_536, "64K");
        check("1.5G", 3 << 29, "1536M");
        check(" 1 M ", 1 << 20, "1M");
        check("15E", 15 << 60, "15E");
        check("18446744073709551615", u64::MAX, "18446744073709551615");
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<ByteSize>(text, reason);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        check_refused(
            "",
            "it does not begin with a number; write for example \"64K\"",
        );
        check_refused(
            "-1",
            "it does not begin with a number; write for example \"64K\"",
        );
        for (text, suffix) in [("64k", "k"), ("64KiB", "KiB"), ("1G 5M", "G 5M")] {
            check_refused(
                text,
                &format!(
                    "`{suffix}` is not a suffix; suffixes are K, M, G, T (base 1024), as in \"64K\""
                ),
            );
        }
        check_refused("0.3K", "`0.3` has more decimals than its unit can hold");
        check_refused("16E", "it is larger than 16E");
    }

    #[test]
    fn a_bare_number_counts_bytes() {
        assert_eq!(
            serde_json::from_str::<ByteSize>("4096").unwrap(),
            ByteSize(4096)
        );
        let negative = serde_json::from_str::<ByteSize>("-1")
            .unwrap_err()
            .to_string();
        assert_eq!(
            negative,
            "invalid value: integer `-1`, expected a size like \"64K\" at line 1 column 2"
        );
    }
}
