//! What has to hold: subjects with patterns, and the tests of `route-if`.

use toml::{Table, Value};

use super::Rule;

/// `pattern` on the subject that the option's name says; `false` when there is no such condition.
pub(super) fn of_subject(name: &str, pattern: &str, rule: &mut Rule) -> bool {
    match name {
        "route" => text(rule, "path", pattern),
        // The target with its query; what is before the question mark is the path.
        "route-uri" => text(rule, "path", pattern.split("\\?").next().unwrap_or(pattern)),
        "route-host" => text(rule, "host", pattern),
        "route-qs" => text(rule, "query", pattern),
        "route-user-agent" => header(rule, "User-Agent", pattern),
        "route-referer" => header(rule, "Referer", pattern),
        "route-remote-addr" => match network(pattern) {
            Some(network) => words(rule, "remote-addr", &network),
            None => false,
        },
        _ => false,
    }
}

/// `test:arguments` of `route-if`.
pub(super) fn of_test(condition: &str, rule: &mut Rule) -> bool {
    let parts = condition.split_once(':');
    let parts = parts.and_then(|(test, arguments)| Some((test, arguments.split_once(';')?)));
    let Some((test, (subject, operand))) = parts else {
        return false;
    };
    let variable = subject
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(variable) = variable else {
        return false;
    };
    let quoted = quote(operand);
    let pattern = match test {
        "equal" | "isequal" | "eq" | "==" => format!("^{quoted}$"),
        "startswith" => format!("^{quoted}"),
        "endswith" => format!("{quoted}$"),
        "contains" | "contain" => quoted,
        "regexp" | "re" => operand.to_owned(),
        "ipv4in" | "ipv6in" if variable == "REMOTE_ADDR" => {
            return words(rule, "remote-addr", operand);
        }
        _ => return false,
    };
    let is_whole = pattern == format!("^{}$", quote(operand));
    match variable {
        "PATH_INFO" => text(rule, "path", &pattern),
        "HTTP_HOST" => text(rule, "host", &pattern),
        "QUERY_STRING" => text(rule, "query", &pattern),
        "REQUEST_METHOD" if is_whole => words(rule, "method", operand),
        "REMOTE_ADDR" if is_whole => words(rule, "remote-addr", operand),
        variable => match variable.strip_prefix("HTTP_") {
            Some(name) => header(rule, &header_name(name), &pattern),
            None => false,
        },
    }
}

/// A list of one.
fn words(rule: &mut Rule, key: &str, word: &str) -> bool {
    rule.insert(key.to_owned(), Value::from(vec![word]));
    true
}

fn text(rule: &mut Rule, key: &str, pattern: &str) -> bool {
    // Looking ahead and behind is a matter of PCRE alone.
    if ["(?=", "(?!", "(?<=", "(?<!"]
        .iter()
        .any(|mark| pattern.contains(mark))
    {
        return false;
    }
    rule.insert(key.to_owned(), Value::from(pattern));
    true
}

fn header(rule: &mut Rule, name: &str, pattern: &str) -> bool {
    let table: Table = [(name.to_owned(), Value::from(pattern))]
        .into_iter()
        .collect();
    rule.insert("header".to_owned(), table.into());
    true
}

/// `X_FORWARDED_PROTO` as `X-Forwarded-Proto`.
fn header_name(variable: &str) -> String {
    let capital = |part: &str| {
        let mut letters = part.chars();
        let first = letters
            .next()
            .map(|c| c.to_ascii_uppercase().to_string())
            .unwrap_or_default();
        first + &letters.as_str().to_ascii_lowercase()
    };
    variable
        .split('_')
        .map(capital)
        .collect::<Vec<_>>()
        .join("-")
}

/// A literal text as a pattern.
fn quote(text: &str) -> String {
    let mut quoted = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted
}

/// The network that a pattern on addresses means: a whole address, or its beginning up to a dot.
fn network(pattern: &str) -> Option<String> {
    let plain = pattern.strip_prefix('^')?.replace("\\.", ".");
    let (address, whole) = match plain.strip_suffix('$') {
        Some(address) => (address, true),
        None => (plain.as_str(), false),
    };
    let parts: Vec<&str> = address.split('.').filter(|part| !part.is_empty()).collect();
    let good = parts.iter().all(|part| part.parse::<u8>().is_ok());
    match (good, parts.len(), whole) {
        (true, 4, true) => Some(address.to_owned()),
        (true, count @ 1..=3, false) if address.ends_with('.') => {
            let zeros = vec!["0"; 4 - count];
            Some(format!(
                "{}/{}",
                [&parts[..], &zeros[..]].concat().join("."),
                count * 8
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_network(pattern: &str, expected: Option<&str>) {
        assert_eq!(network(pattern).as_deref(), expected);
    }

    #[test]
    fn patterns_on_addresses_are_networks() {
        check_network("^127\\.0\\.0\\.1$", Some("127.0.0.1"));
        check_network("^10\\.", Some("10.0.0.0/8"));
        check_network("^192.168.", Some("192.168.0.0/16"));
        check_network("^10", None);
        check_network("127.0.0.1", None);
    }

    #[track_caller]
    fn check_test(condition: &str, expected: Option<&str>) {
        let mut rule = Rule::new();
        let shown = of_test(condition, &mut rule).then(|| rule.to_string());
        assert_eq!(shown.as_deref().map(str::trim), expected);
    }

    #[test]
    fn tests_are_conditions() {
        check_test(
            "equal:${HTTP_HOST};a.example",
            Some("host = '^a\\.example$'"),
        );
        check_test("startswith:${PATH_INFO};/old", Some("path = \"^/old\""));
        check_test("eq:${REQUEST_METHOD};POST", Some("method = [\"POST\"]"));
        check_test(
            "equal:${HTTP_X_FORWARDED_PROTO};http",
            Some("[header]\nX-Forwarded-Proto = \"^http$\""),
        );
        check_test(
            "ipv4in:${REMOTE_ADDR};10.0.0.0/8",
            Some("remote-addr = [\"10.0.0.0/8\"]"),
        );
        check_test("exists:/var/www/maintenance", None);
        check_test("equal:${cookie[a]};b", None);
    }
}
