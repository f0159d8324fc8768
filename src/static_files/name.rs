//! From the path of a URL to the name of a file below a root. What is no such name is never looked for, so that the
//! kernel's own check (`open`) is the second line and not the only one.

/// Longer ones name no file (PATH_MAX, limits.h).
const LONGEST: usize = 4096;
/// RFC 8615: the one name with a dot that exists to be published.
const WELL_KNOWN: &[u8] = b".well-known";

/// A name below a root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'p> {
    /// Without slashes around it; empty for the root itself.
    pub(super) path: &'p [u8],
    /// It ended with a slash, which only a directory's may.
    pub(super) is_directory: bool,
}

/// The name that `path` has below a root, its escapes being decoded; `None` when no file may be asked for by it: it has
/// a NUL, climbs, or names something hidden although nothing `hidden` is served.
pub(super) fn below_root(path: &[u8], hidden: bool) -> Option<Name<'_>> {
    if path.len() > LONGEST || path.contains(&0) {
        return None;
    }
    let start = path.iter().position(|&byte| byte != b'/');
    let name = start.map_or(&b""[..], |start| &path[start..]);
    let end = name.iter().rposition(|&byte| byte != b'/');
    let trimmed = end.map_or(&b""[..], |end| &name[..=end]);
    let mut parts = trimmed.split(|&byte| byte == b'/').enumerate();
    let is_fine = parts.all(|(place, part)| match part {
        b".." => false,
        WELL_KNOWN if place == 0 => true,
        [b'.', ..] => hidden && part != b".",
        _ => true,
    });
    is_fine.then_some(Name {
        path: trimmed,
        is_directory: trimmed.len() < name.len() || trimmed.is_empty(),
    })
}

/// What is left of `path` behind `prefix`, which ends where a name ends: `/static` is no prefix of `/statics`.
pub(crate) fn behind<'p>(path: &'p [u8], prefix: &[u8]) -> Option<&'p [u8]> {
    let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
    let rest = path.strip_prefix(prefix)?;
    (rest.is_empty() || rest[0] == b'/').then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str, is_directory: bool) {
        let expected = Name {
            path: expected.as_bytes(),
            is_directory,
        };
        assert_eq!(below_root(path.as_bytes(), false), Some(expected), "{path}");
    }

    #[track_caller]
    fn check_refused(path: &str, hidden: bool) {
        assert_eq!(below_root(path.as_bytes(), hidden), None, "{path:?}");
    }

    #[test]
    fn names() {
        check("/a.css", "a.css", false);
        check("a/b.css", "a/b.css", false);
        check("/a/", "a", true);
        check("//etc/passwd", "etc/passwd", false);
        check("/", "", true);
        check("", "", true);
        check("///", "", true);
        check("/a..b/c.", "a..b/c.", false);
        check("/a\\..\\x", "a\\..\\x", false);
    }

    #[test]
    fn what_climbs_or_ends_early_is_no_name() {
        for path in ["/..", "/../x", "/a/../b", "/a/..", "../x", "/a\0.css"] {
            check_refused(path, true);
        }
        check_refused(&"/x".repeat(2500), true);
    }

    #[test]
    fn hidden_names_have_to_be_allowed() {
        for path in ["/.git/config", "/a/.htaccess", "/..."] {
            check_refused(path, false);
            assert!(below_root(path.as_bytes(), true).is_some(), "{path}");
        }
        check(
            "/.well-known/acme-challenge/x",
            ".well-known/acme-challenge/x",
            false,
        );
        check_refused("/a/.well-known/x", false);
    }

    #[test]
    fn prefixes_end_where_names_end() {
        let behind = |path: &'static str, prefix: &str| behind(path.as_bytes(), prefix.as_bytes());
        assert_eq!(behind("/static/a", "/static"), Some(&b"/a"[..]));
        assert_eq!(behind("/static/a", "/static/"), Some(&b"/a"[..]));
        assert_eq!(behind("/static", "/static"), Some(&b""[..]));
        assert_eq!(behind("/statics", "/static"), None);
        assert_eq!(behind("/a", "/"), Some(&b"/a"[..]));
    }
}
