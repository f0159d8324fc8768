//! Values as uWSGI reads them, and as their authors meant them.

use super::super::options::Kind;

/// A value, and what is to be said about how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) notes: Vec<String>,
}

/// A number that cannot be taken as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// uWSGI read this from the digits at the beginning, and what is behind them is not clear.
    Doubtful(u64),
    /// There are no digits, so that uWSGI read 0, as if the line was not there.
    NoNumber,
    /// No number here is so large.
    TooLarge,
}

/// Whether the value contains marks of a template (Jinja, ERB, Go, shell, Python's format), or placeholders of uWSGI
/// that were left open, so that only the template's own program knows it.
pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "<%", "${", "$(", "%("]
        .iter()
        .any(|mark| text.contains(mark))
        || braced_word(text)
}

/// `{name}`, as str.format writes it.
fn braced_word(text: &str) -> bool {
    let inner = text.split('{').skip(1);
    inner
        .filter_map(|rest| rest.split_once('}'))
        .any(|(name, _)| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            name.chars().any(|c| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_part)
        })
}

/// On or off: uWSGI takes everything for on but four words.
pub(super) fn flag(text: &str) -> Read<bool> {
    let (plain, _) = uncommented(text);
    let word = unquoted(plain);
    let is_off = |word: &str| {
        let word = word.to_ascii_lowercase();
        ["false", "off", "no", "0"].contains(&word.as_str())
    };
    let value = !is_off(word);
    let mut notes = Vec::new();
    if value == is_off(text.trim()) {
        notes.push(format!(
            "uWSGI took `{text}` for on, since it knows no comments behind a value; it is off now, as was meant"
        ));
    }
    Read { value, notes }
}

/// A text as it was meant: without quotes around it and without a comment behind it, both of which uWSGI keeps.
pub(super) fn text(text: &str) -> Read<String> {
    let mut notes = Vec::new();
    let (plain, comment) = uncommented(text);
    if let Some(comment) = comment {
        notes.push(format!(
            "uWSGI took `{comment}` for a part of the value; it is left out"
        ));
    }
    let value = unquoted(plain);
    if value != plain {
        notes.push("uWSGI kept the quotes as a part of the value; they are left out".to_owned());
    }
    let value = value.to_owned();
    Read { value, notes }
}

/// A path without the slashes that `%d/name` doubles, and without a dot in front.
pub(super) fn path(text: &str) -> String {
    if text.contains("://") || is_template(text) {
        return text.to_owned();
    }
    let mut path = String::new();
    for c in text.chars() {
        if c != '/' || !path.ends_with('/') {
            path.push(c);
        }
    }
    match path.strip_prefix("./") {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => path,
    }
}

/// A number in the unit that the kind asks for: bytes, seconds or things.
pub(super) fn number(text: &str, kind: Kind) -> Result<Read<u64>, Unread> {
    let (plain, comment) = uncommented(text);
    let plain = unquoted(plain);
    let digits = plain.len() - plain.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (digits, rest) = plain.split_at(digits);
    let Ok(count) = digits.parse::<u64>() else {
        return Err(match digits.is_empty() {
            true => Unread::NoNumber,
            false => Unread::TooLarge,
        });
    };
    let scale = unit(kind);
    let mut notes = Vec::new();
    let (rest, comment) = match rest.trim() {
        rest if rest.starts_with(['#', '/']) => ("", Some(rest)),
        rest => (rest, comment),
    };
    let value = match rest {
        "" => count.checked_mul(scale),
        suffix => {
            let value =
                scaled(count, suffix, kind).ok_or(Unread::Doubtful(count.saturating_mul(scale)))?;
            if value != count.checked_mul(scale) {
                notes.push(format!(
                    "uWSGI read `{plain}` as {digits}; what was meant is taken"
                ));
            }
            value
        }
    };
    if comment.is_some() {
        notes.push(format!(
            "uWSGI read the number {digits} and skipped the rest of `{text}`"
        ));
    }
    let value = value.ok_or(Unread::TooLarge)?;
    Ok(Read { value, notes })
}

/// What one of the option's own unit is.
fn unit(kind: Kind) -> u64 {
    match kind {
        Kind::Kibibytes => 1 << 10,
        Kind::Mebibytes => 1 << 20,
        _ => 1,
    }
}

/// A number with a unit behind it, which uWSGI never reads; the inner `None` is one that is too large.
fn scaled(count: u64, suffix: &str, kind: Kind) -> Option<Option<u64>> {
    let word = suffix.to_ascii_lowercase();
    let factor: u64 = match kind {
        Kind::Bytes | Kind::Kibibytes | Kind::Mebibytes => match word.as_str() {
            "b" | "byte" | "bytes" => 1,
            "k" | "kb" | "kib" => 1 << 10,
            "m" | "mb" | "mib" => 1 << 20,
            "g" | "gb" | "gib" => 1 << 30,
            "t" | "tb" | "tib" => 1 << 40,
            _ => return None,
        },
        Kind::Seconds => match word.as_str() {
            "s" | "sec" | "secs" | "second" | "seconds" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hour" | "hours" => 3_600,
            "d" | "day" | "days" => 86_400,
            _ => return None,
        },
        _ => match word.as_str() {
            "k" => 1_000,
            _ => return None,
        },
    };
    Some(count.checked_mul(factor))
}

/// The value, and a comment behind it if there is one: a `;`, or a `#` behind a blank.
pub(super) fn uncommented(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let mut before = ' ';
    for (place, c) in text.char_indices() {
        if place > 0 && (c == ';' || (c == '#' && before.is_whitespace())) {
            return (text[..place].trim_end(), Some(&text[place..]));
        }
        before = c;
    }
    (text, None)
}

/// Without a pair of quotes around it.
fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_number(text: &str, kind: Kind, expected: Result<(u64, usize), Unread>) {
        let read = number(text, kind);
        let read = read.map(|read| (read.value, read.notes.len()));
        assert_eq!(read, expected);
    }

    #[test]
    fn numbers_are_what_was_meant() {
        check_number("30", Kind::Seconds, Ok((30, 0)));
        check_number("300;comment", Kind::Seconds, Ok((300, 1)));
        check_number("4 # four", Kind::Count, Ok((4, 1)));
        check_number("4//four", Kind::Count, Ok((4, 1)));
        check_number("30s", Kind::Seconds, Ok((30, 0)));
        check_number("5m", Kind::Seconds, Ok((300, 1)));
        check_number("64k", Kind::Bytes, Ok((65_536, 1)));
        check_number("\"8192\"", Kind::Bytes, Ok((8_192, 0)));
        check_number("512", Kind::Mebibytes, Ok((512 << 20, 0)));
        check_number("512M", Kind::Mebibytes, Ok((512 << 20, 0)));
        check_number("1G", Kind::Mebibytes, Ok((1 << 30, 1)));
        check_number("64", Kind::Kibibytes, Ok((65_536, 0)));
        check_number("5k", Kind::Count, Ok((5_000, 1)));
        check_number("auto", Kind::Count, Err(Unread::NoNumber));
        check_number("4x", Kind::Count, Err(Unread::Doubtful(4)));
        check_number("99999999999999999999", Kind::Count, Err(Unread::TooLarge));
    }

    #[track_caller]
    fn check_flag(text: &str, value: bool, notes: usize) {
        let read = flag(text);
        assert_eq!((read.value, read.notes.len()), (value, notes), "{text}");
    }

    #[test]
    fn everything_is_on_but_four_words() {
        check_flag("true", true, 0);
        check_flag("", true, 0);
        check_flag("banana", true, 0);
        check_flag("False", false, 0);
        check_flag("0", false, 0);
        check_flag("no", false, 0);
        check_flag("false ; note", false, 1);
        check_flag("true ; note", true, 0);
        check_flag("'off'", false, 1);
    }

    #[track_caller]
    fn check_text(written: &str, value: &str, notes: usize) {
        let read = text(written);
        assert_eq!((read.value.as_str(), read.notes.len()), (value, notes));
    }

    #[test]
    fn texts_lose_quotes_and_comments() {
        check_text("/opt/ENV; set PYTHONHOME", "/opt/ENV", 1);
        check_text("app:application ; main", "app:application", 1);
        check_text("\"/srv/app\"", "/srv/app", 1);
        check_text("/srv/a#b", "/srv/a#b", 0);
        check_text(";", ";", 0);
    }

    #[test]
    fn paths_lose_what_says_nothing() {
        for (text, expected) in [
            ("/srv//a", "/srv/a"),
            ("./venv", "venv"),
            ("a/", "a/"),
            ("./", "./"),
        ] {
            assert_eq!(path(text), expected);
        }
    }

    #[test]
    fn marks_of_templates_are_seen() {
        for text in [
            "{{ n }}",
            "<%= n %>",
            "${N}",
            "/run/{name}.sock",
            "%(base)/x",
        ] {
            assert!(is_template(text), "{text}");
        }
        for text in ["%d", "{}", "{\"a\": 1}", "$1", "/run/x"] {
            assert!(!is_template(text), "{text}");
        }
    }
}
