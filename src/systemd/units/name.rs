//! The name of a site where it is a part of the name of a unit.

use std::{fmt, path::Path};

/// What stands behind the `@`: letters, digits, `-`, `_` and `.`, so that nothing has to be escaped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SiteName(String);

/// Units have names of at most 255 characters, and a timer's name is added to this one.
const LONGEST: usize = 150;

impl SiteName {
    /// The name of the site whose settings are in this file.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        let name = path.file_stem()?.to_str()?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_good = (1..=LONGEST).contains(&name.len())
            && name.chars().all(is_part)
            && !name.starts_with(['.', '-']);
        is_good.then(|| Self(name.to_owned()))
    }

    /// As it is.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Option<&str>) {
        let name = SiteName::of_file(Path::new(path));
        assert_eq!(name.as_ref().map(SiteName::as_str), expected);
    }

    #[test]
    fn a_site_is_called_as_its_file() {
        check("/etc/hostler/shop.toml", Some("shop"));
        check("my-shop.v2_a.toml", Some("my-shop.v2_a"));
        check("/etc/hostler/my shop.toml", None);
        check("a:b.toml", None);
        check("-a.toml", None);
        check(".toml", None);
        check(&format!("{}.toml", "a".repeat(151)), None);
    }
}
