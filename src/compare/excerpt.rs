//! Bytes as one readable line: where two bodies differ first, with what stands around it.

/// Bytes shown before the difference, of the same line.
const BEFORE: usize = 30;
/// Bytes shown from the difference on.
const AFTER: usize = 40;

/// The first byte that differs, be it beyond the end of one of them; `None`: they are equal.
pub(super) fn first_difference(old: &[u8], new: &[u8]) -> Option<usize> {
    let pairs = old.iter().zip(new).position(|(old, new)| old != new);
    pairs.or_else(|| (old.len() != new.len()).then(|| old.len().min(new.len())))
}

/// The line of an offset, from 1.
pub(super) fn line(bytes: &[u8], offset: usize) -> usize {
    memchr::memchr_iter(b'\n', &bytes[..offset]).count() + 1
}

/// What stands around an offset, with marks where something is left out.
pub(super) fn around(bytes: &[u8], offset: usize) -> String {
    let line = memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |before| before + 1);
    let mut start = line.max(offset.saturating_sub(BEFORE));
    let mut end = bytes.len().min(offset + AFTER);
    // A character of several bytes is shown whole; none has more than three beside its first.
    start -= (0..=3.min(start - line))
        .find(|back| !is_inside(bytes, start - back))
        .unwrap_or(0);
    end += (0..=3).find(|on| !is_inside(bytes, end + on)).unwrap_or(0);
    let before = if start > line { "…" } else { "" };
    let after = if end < bytes.len() { "…" } else { "" };
    format!("{before}{}{after}", shown(&bytes[start..end]))
}

/// Text as it is, anything else escaped as in Rust and C.
pub(super) fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' | '\'' | '"' => text.push(character),
                _ if character.is_control() => text.extend(character.escape_default()),
                _ => text.push(character),
            }
        }
        let invalid = chunk.invalid().iter();
        text.extend(invalid.map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

fn is_inside(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| byte & 0xc0 == 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &[u8], new: &[u8], expected: (usize, usize, &str, &str)) {
        let offset = first_difference(old, new).unwrap();
        let excerpts = (around(old, offset), around(new, offset));
        let found = (offset, line(old, offset), &*excerpts.0, &*excerpts.1);
        assert_eq!(found, expected);
    }

    #[test]
    fn the_difference_is_shown_with_its_line() {
        check(b"a\nbc\nd", b"a\nbX\nd", (3, 2, "bc\\nd", "bX\\nd"));
        check(b"a", b"ab", (1, 1, "a", "ab"));
        check(b"", b"b", (0, 1, "", "b"));
    }

    #[test]
    fn long_bodies_are_cut() {
        let old = [&b"a".repeat(100)[..], b"X", &b"b".repeat(100)].concat();
        let new = [&b"a".repeat(100)[..], b"Y", &b"b".repeat(100)].concat();
        let expected = |middle| format!("…{}{middle}{}…", "a".repeat(30), "b".repeat(39));
        check(&old, &new, (100, 1, &expected("X"), &expected("Y")));
    }

    #[test]
    fn what_is_no_text_is_escaped() {
        check(
            b"\0\xff\xfe",
            b"\0\xff\xfd",
            (2, 1, "\\u{0}\\xff\\xfe", "\\u{0}\\xff\\xfd"),
        );
        let wide = "é".repeat(40);
        check(
            wide.as_bytes(),
            &wide.as_bytes()[..78],
            (
                78,
                1,
                &format!("…{}", "é".repeat(16)),
                &format!("…{}", "é".repeat(15)),
            ),
        );
    }

    #[test]
    fn equal_bodies_have_no_difference() {
        assert_eq!(first_difference(b"a", b"a"), None);
    }
}
