//! How long clients may keep a file.

use crate::config::Expires;

/// Seconds for which the first rule that fits lets clients keep a file; `None` without such a rule.
pub(super) fn lifetime(
    rules: &[Expires],
    url: &[u8],
    file: &[u8],
    media_type: &str,
) -> Option<u64> {
    let rule = rules.iter().find(|rule| {
        let by_type = rule.media_type.as_ref();
        let by_path = rule.path.as_ref();
        let by_file = rule.file.as_ref();
        by_type.is_some_and(|rule| rule.matches(media_type.as_bytes()))
            || by_path.is_some_and(|rule| rule.regex().is_match(url))
            || by_file.is_some_and(|rule| rule.regex().is_match(file))
    })?;
    Some(rule.after.0.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Vec<Expires> {
        #[derive(serde::Deserialize)]
        struct Rules {
            rules: Vec<Expires>,
        }
        let text = r#"rules = [
            { path = "^/static/v[0-9]+/", after = "365d" },
            { file = "[.]min[.]js$", after = "7d" },
            { type = "text/*", after = "0" },
        ]"#;
        toml::from_str::<Rules>(text).unwrap().rules
    }

    #[track_caller]
    fn check(url: &str, file: &str, media_type: &str, expected: Option<u64>) {
        let found = lifetime(&rules(), url.as_bytes(), file.as_bytes(), media_type);
        assert_eq!(found, expected, "{url} {file}");
    }

    #[test]
    fn the_first_rule_that_fits() {
        const DAY: u64 = 86_400;
        check(
            "/static/v1/a.css",
            "/srv/v1/a.css",
            "text/css",
            Some(365 * DAY),
        );
        check(
            "/a.min.js",
            "/srv/a.min.js",
            "text/javascript",
            Some(7 * DAY),
        );
        check("/a.js", "/srv/a.js", "text/javascript", Some(0));
        check("/a.png", "/srv/a.png", "image/png", None);
    }
}
