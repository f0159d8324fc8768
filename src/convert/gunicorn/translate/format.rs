//! gunicorn's form of access entries: its variables are ours as well, but for what it does with those that it does not know.

use crate::config::AccessFormat;

/// What gunicorn writes when it is told nothing else: the common line with referrer and user agent.
const COMBINED: &str = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s""#;
/// What it writes for a variable that does not exist.
const NOTHING: &str = "-";

/// The form, and the variables that do not exist.
pub(super) fn translate(format: &str) -> (String, Vec<String>) {
    if format == COMBINED {
        return ("combined".to_owned(), Vec::new());
    }
    let mut text = String::new();
    let mut unknown = Vec::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            text.push_str("%%");
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|rest| rest.split_once(')'))
        {
            // Python's conversion: flags, width and precision, and the letter.
            let letter =
                after.trim_start_matches(|c: char| c.is_ascii_digit() || "-+ #.".contains(c));
            let columns = &after[..after.len() - letter.len()];
            rest = letter.get(1..).unwrap_or_default();
            match variable(name, columns, &letter[..letter.len() - rest.len()]) {
                Some(ours) => text.push_str(&ours),
                None => {
                    text.push_str(NOTHING);
                    unknown.push(format!("%({name})s"));
                }
            }
        } else {
            text.push('%');
        }
    }
    text.push_str(rest);
    (text, unknown)
}

/// A variable with its conversion, or with the usual one if that is none of ours.
fn variable(name: &str, columns: &str, letter: &str) -> Option<String> {
    // Names of several letters are uWSGI's, and nothing to gunicorn.
    if name.len() > 1 && !name.starts_with('{') {
        return None;
    }
    let forms = [format!("%({name}){columns}{letter}"), format!("%({name})s")];
    let is_ours = |form: &String| form.parse::<AccessFormat>().is_ok();
    forms.into_iter().find(is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, expected: &str, unknown: &[&str]) {
        let (text, missing) = translate(format);
        assert_eq!(text, expected);
        assert_eq!(missing, unknown);
    }

    #[test]
    fn variables_are_the_same() {
        check(COMBINED, "combined", &[]);
        for same in [
            "%(h)s \"%(r)s\" %(s)s",
            "%(t)s %(D)s 100%%",
            "%({x-real-ip}i)s %({wsgi.url_scheme}e)s %({server}o)s",
            "%(h)-15s %(D)06d %(L)s",
        ] {
            check(same, same, &[]);
        }
        check("%(s)d %(a)r", "%(s)s %(a)s", &[]);
    }

    #[test]
    fn what_gunicorn_does_not_know_is_a_dash_there_too() {
        check("%(z)s %(uri)s", "- -", &["%(z)s", "%(uri)s"]);
    }
}
