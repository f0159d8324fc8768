//! gunicorn's form of access entries in our variables, which have uWSGI's names.

/// What gunicorn writes when it is told nothing else: the common line with referrer and user agent.
const COMBINED: &str = r#"%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s""#;

/// gunicorn's variables, and what stands for them.
const VARIABLES: &[(&str, &str)] = &[
    ("h", "%(addr)"),
    ("l", "-"),
    ("u", "%(user)"),
    ("t", "[%(ltime)]"),
    ("r", "%(method) %(uri) %(proto)"),
    ("m", "%(method)"),
    ("U", "%(var.PATH_INFO)"),
    ("q", "%(var.QUERY_STRING)"),
    ("H", "%(proto)"),
    ("s", "%(status)"),
    ("B", "%(rsize)"),
    ("b", "%(rsize)"),
    ("f", "%(referer)"),
    ("a", "%(uagent)"),
    ("T", "%(secs)"),
    ("M", "%(msecs)"),
    ("D", "%(micros)"),
    ("p", "%(pid)"),
];

/// The form, and the variables that have no counterpart, which are left out.
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
            text.push('%');
            rest = after;
        } else if let Some((name, after)) =
            rest.strip_prefix('(').and_then(|rest| rest.split_once(')'))
        {
            // Python's conversion: the letter, and a width or precision before it.
            let conversion =
                after.trim_start_matches(|c: char| c.is_ascii_digit() || ".-".contains(c));
            rest = conversion.get(1..).unwrap_or_default();
            match variable(name) {
                Some(ours) => text.push_str(&ours),
                None => unknown.push(format!("%({name})s")),
            }
        } else {
            text.push('%');
        }
    }
    text.push_str(rest);
    (text, unknown)
}

/// One variable, or a header field or variable of the request: `{user-agent}i`, `{REMOTE_ADDR}e`.
fn variable(name: &str) -> Option<String> {
    if let Some((inner, kind)) = name
        .strip_prefix('{')
        .and_then(|rest| rest.rsplit_once('}'))
    {
        let inner = inner.to_ascii_uppercase().replace('-', "_");
        return match kind {
            "i" => Some(format!("%(var.HTTP_{inner})")),
            "e" => Some(format!("%(var.{inner})")),
            _ => None,
        };
    }
    let found = VARIABLES.iter().find(|(known, _)| *known == name)?;
    Some(found.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, expected: &str, unknown: &[&str]) {
        let (text, missing) = translate(format);
        assert_eq!(
            (text.as_str(), missing),
            (
                expected,
                unknown.iter().map(|&name| name.to_owned()).collect()
            )
        );
    }

    #[test]
    fn variables_have_other_names() {
        check(COMBINED, "combined", &[]);
        check(
            "%(h)s \"%(r)s\" %(s)s",
            "%(addr) \"%(method) %(uri) %(proto)\" %(status)",
            &[],
        );
        check("%(t)s %(D)s 100%%", "[%(ltime)] %(micros) 100%", &[]);
        check(
            "%({x-real-ip}i)s %({wsgi.url_scheme}e)s",
            "%(var.HTTP_X_REAL_IP) %(var.WSGI.URL_SCHEME)",
            &[],
        );
    }

    #[test]
    fn what_has_no_counterpart_is_named() {
        check("%(L)s-%({server}o)s", "-", &["%(L)s", "%({server}o)s"]);
    }
}
