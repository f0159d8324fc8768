//! Texts of routes with `$1` to `$9` in them, which stand for the groups of the route's `path`.

use regex::bytes::Captures;

/// A text of a route, taken apart once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Group(usize),
    Text(Vec<u8>),
}

impl Template {
    /// A `$` that no digit from 1 to 9 follows is one.
    pub(super) fn new(text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, behind @ ..] = rest {
            rest = match (first, behind) {
                (b'$', [digit @ b'1'..=b'9', behind @ ..]) => {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    pieces.push(Piece::Group(usize::from(digit - b'0')));
                    behind
                }
                _ => {
                    plain.push(*first);
                    behind
                }
            };
        }
        pieces.push(Piece::Text(plain));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Self(pieces)
    }

    /// The text for one request; `escape` writes what a group holds. Groups that took no part are empty.
    pub(super) fn fill(
        &self,
        groups: Option<&Captures<'_>>,
        escape: impl Fn(&[u8], &mut Vec<u8>),
    ) -> Vec<u8> {
        let mut filled = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Group(number) => {
                    let group = groups.and_then(|groups| groups.get(*number));
                    escape(group.map_or(b"", |group| group.as_bytes()), &mut filled);
                }
                Piece::Text(text) => filled.extend_from_slice(text),
            }
        }
        filled
    }
}

/// As it is.
pub(super) fn plain(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(bytes);
}

/// As a part of a path of a URL (RFC 3986 section 3.3): a decoded line end, question mark or percent sign must not mean
/// there what it does not mean here.
pub(super) fn in_url(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(&byte) {
            out.push(byte);
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend([b'%', DIGITS[high], DIGITS[low]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::*;

    #[track_caller]
    fn check(text: &str, escape: fn(&[u8], &mut Vec<u8>), expected: &str) {
        let pattern = Regex::new("(?s)^/([a-z]+)/(.*)/(x)?").unwrap();
        let groups = pattern.captures(b"/one/t wo?\r\n/");
        let filled = Template::new(text).fill(groups.as_ref(), escape);
        assert_eq!(String::from_utf8_lossy(&filled), expected);
    }

    #[test]
    fn groups_are_put_in() {
        check("/new/$1/$2", plain, "/new/one/t wo?\r\n");
        check("$1$1", plain, "oneone");
        check("$3|$9", plain, "|");
        check("", plain, "");
    }

    #[test]
    fn in_a_url_they_are_escaped() {
        check("https://a/$2?q=1", in_url, "https://a/t%20wo%3F%0D%0A?q=1");
    }

    #[test]
    fn other_dollars_are_dollars() {
        check("$0 $ $$ $a $", plain, "$0 $ $$ $a $");
        check("$$1", plain, "$one");
        check("$12", plain, "one2");
    }
}
