//! What a converted site is called.

use std::{ffi::OsStr, path::Path};

/// Names of files that say nothing about the site.
const GENERIC: [&str; 14] = [
    "app",
    "application",
    "conf",
    "config",
    "default",
    "dev",
    "local",
    "prod",
    "production",
    "server",
    "site",
    "staging",
    "uwsgi",
    "wsgi",
];

/// As the file that is written, else as the old file, else as the directory that this is in.
pub(super) fn name(output: Option<&Path>, old: Option<&Path>, here: &Path) -> String {
    if let Some(name) = output.and_then(stem) {
        return name;
    }
    let old = old.map(|old| here.join(old));
    let by_file = old
        .as_deref()
        .and_then(stem)
        .map(|name| without_server(&name));
    let by_file = by_file.filter(|name| !GENERIC.contains(&name.as_str()));
    let directory = old.as_deref().and_then(Path::parent).unwrap_or(here);
    let above = directory
        .ancestors()
        .filter_map(Path::file_name)
        .filter_map(OsStr::to_str);
    let mut above = above.map(plain).filter(|name| {
        !name.is_empty()
            && !GENERIC.contains(&name.as_str())
            && !["etc", "srv", "deploy"].contains(&name.as_str())
    });
    by_file
        .or_else(|| above.next())
        .unwrap_or_else(|| "site".to_owned())
}

/// The name of a file without everything behind its first dot.
fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name.split('.').find(|part| !part.is_empty())?;
    Some(plain(stem)).filter(|name| !name.is_empty())
}

/// `shop_uwsgi` is the shop.
fn without_server(name: &str) -> String {
    let parts = name.split(['-', '_']);
    let parts: Vec<&str> = parts
        .filter(|part| !["uwsgi", "wsgi", "ini", "conf"].contains(part))
        .collect();
    match parts.is_empty() {
        true => "uwsgi".to_owned(),
        false => parts.join("-"),
    }
}

/// With the characters alone that a site's name has.
fn plain(name: &str) -> String {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let kept: String = name
        .chars()
        .map(|c| if good(c) { c } else { '-' })
        .collect();
    kept.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(output: Option<&str>, old: Option<&str>, expected: &str) {
        let found = name(
            output.map(Path::new),
            old.map(Path::new),
            Path::new("/srv/blog"),
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn a_site_has_the_name_that_tells_most() {
        check(Some("/etc/hostler/shop.toml"), Some("old.ini"), "shop");
        check(None, Some("/etc/uwsgi/vassals/shop.ini"), "shop");
        check(None, Some("shop_uwsgi.ini"), "shop");
        check(None, Some("/home/me/shop/uwsgi.ini"), "shop");
        check(None, Some("uwsgi.ini"), "blog");
        check(None, Some("/srv/shop/conf/uwsgi.prod.ini"), "shop");
        check(None, Some("my site.ini"), "my-site");
        check(None, None, "blog");
        assert_eq!(name(None, None, Path::new("/")), "site");
    }
}
