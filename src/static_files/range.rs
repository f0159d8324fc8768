//! `Range` (RFC 9110 section 14): which bytes of a file a client wants.

/// Ranges of one request. RFC 9110 section 14.2: a server may ignore "many small ranges", which are an attack more
/// often than a wish.
const MOST: usize = 32;

/// A part of a file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    /// The first byte.
    pub(crate) offset: u64,
    /// How many; never 0.
    pub(crate) length: u64,
}

/// What a `Range` header asks of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: the header is none that we understand, or one that may be ignored.
    All,
    /// These, in the order in which they were asked for.
    Some(Vec<Range>),
    /// Nothing that it has: 416.
    Unsatisfiable,
}

/// Reads the value of a `Range` header for a file of `size` bytes.
pub(crate) fn parse(value: &[u8], size: u64) -> Wanted {
    let Some(set) = after_unit(value) else {
        return Wanted::All;
    };
    let mut ranges = Vec::new();
    let mut asked = 0;
    for one in set.split(',') {
        let one = one.trim_matches([' ', '\t']);
        // RFC 9110 section 5.6.1: empty elements of a list count for nothing.
        if one.is_empty() {
            continue;
        }
        asked += 1;
        match range(one, size) {
            None => return Wanted::All,
            Some(_) if asked > MOST => return Wanted::All,
            Some(found) => ranges.extend(found),
        }
    }
    let total = ranges
        .iter()
        .try_fold(0_u64, |total, range| total.checked_add(range.length));
    match ranges.as_slice() {
        [] if asked == 0 => Wanted::All,
        [] => Wanted::Unsatisfiable,
        // Overlapping ranges would make the answer larger than the file.
        [_, _, ..] if total.is_none_or(|total| total > size) => Wanted::All,
        _ => Wanted::Some(ranges),
    }
}

fn after_unit(value: &[u8]) -> Option<&str> {
    let (unit, set) = str::from_utf8(value).ok()?.split_once('=')?;
    unit.trim().eq_ignore_ascii_case("bytes").then_some(set)
}

/// `None`: it is no range. `Some(None)`: the file has nothing of it.
#[expect(clippy::option_option, reason = "both absences mean something else")]
fn range(text: &str, size: u64) -> Option<Option<Range>> {
    let (first, last) = text.split_once('-')?;
    if first.is_empty() {
        let length = number(last)?.min(size);
        return Some((length > 0).then_some(Range {
            offset: size - length,
            length,
        }));
    }
    let first = number(first)?;
    let last = match last {
        "" => u64::MAX,
        last => number(last)?,
    };
    if last < first {
        return None;
    }
    Some((first < size).then(|| Range {
        offset: first,
        length: last.min(size - 1) - first + 1,
    }))
}

/// 1*DIGIT; what does not fit is beyond every file.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a file of 100 bytes.
    #[track_caller]
    fn check(value: &str, expected: &[(u64, u64)]) {
        let ranges = expected
            .iter()
            .map(|&(offset, length)| Range { offset, length });
        assert_eq!(
            parse(value.as_bytes(), 100),
            Wanted::Some(ranges.collect()),
            "{value}"
        );
    }

    #[track_caller]
    fn check_all(value: &str) {
        assert_eq!(parse(value.as_bytes(), 100), Wanted::All, "{value}");
    }

    #[test]
    fn one_range() {
        check("bytes=0-0", &[(0, 1)]);
        check("bytes=10-19", &[(10, 10)]);
        check("bytes=90-", &[(90, 10)]);
        check("bytes=90-1000", &[(90, 10)]);
        check("bytes=0-99999999999999999999999", &[(0, 100)]);
        check("bytes=-5", &[(95, 5)]);
        check("bytes=-500", &[(0, 100)]);
        check("Bytes= 1-2", &[(1, 2)]);
    }

    #[test]
    fn several_ranges() {
        check("bytes=0-1,-2", &[(0, 2), (98, 2)]);
        check("bytes=50-59, 0-9", &[(50, 10), (0, 10)]);
        check("bytes=0-1,,500-", &[(0, 2)]);
    }

    #[test]
    fn what_the_file_does_not_have() {
        for value in ["bytes=100-", "bytes=100-200,300-", "bytes=-0"] {
            assert_eq!(
                parse(value.as_bytes(), 100),
                Wanted::Unsatisfiable,
                "{value}"
            );
        }
        assert_eq!(parse(b"bytes=0-", 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn what_is_no_range_is_ignored() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "lines=0-1",
            "bytes=5-1",
            "bytes=a-b",
        ] {
            check_all(value);
        }
        for value in [
            "bytes=+1-2",
            "bytes=1",
            "bytes=--1",
            "bytes=0-1;2-3",
            "bytes=0-1,x",
        ] {
            check_all(value);
        }
    }

    #[test]
    fn too_many_and_too_much_are_ignored() {
        check_all("bytes=0-60,40-99");
        check_all(&format!("bytes={}", vec!["1-1"; MOST + 1].join(",")));
        check(
            &format!("bytes={}", vec!["1-1"; MOST].join(",")),
            &[(1, 1); MOST],
        );
    }
}
