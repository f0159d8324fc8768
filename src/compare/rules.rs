//! What counts as the same: what is never compared, what the user leaves aside, and what two servers cannot help.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use regex::bytes::Regex;

/// What is left aside beside what is never compared.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    /// Names of header fields.
    pub(crate) headers: Vec<String>,
    /// Names of cookies whose values are not compared.
    pub(crate) cookies: Vec<String>,
    /// What is cut out of both bodies.
    pub(crate) body: Vec<Regex>,
}

/// Fields that say when an answer was made (RFC 9110 section 6.6.1), or how it was framed on its connection (RFC 9110
/// section 7.6.1): a proxy between the server and the client writes its own.
const NEVER: &[&str] = &["date", "connection", "keep-alive", "transfer-encoding"];

/// Fields whose value is a date, which may come from the clock.
const DATES: &[&str] = &["expires", "last-modified"];

/// How far the clock may have gone from one answer to the other.
const CLOCK: Duration = Duration::from_secs(10);

impl Rules {
    /// Whether fields of this name are compared. `Content-Length` counts only where there is no body to compare.
    pub(super) fn compares(&self, name: &str, has_body: bool) -> bool {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        let is_length = has_body && name.eq_ignore_ascii_case("content-length");
        let is_ignored = self.headers.iter().any(|known| is(&known.as_str()));
        !is_length && !is_ignored && !NEVER.iter().any(is)
    }

    /// Whether two values of the field of this name say the same; `names` are the names of each server.
    pub(super) fn same(&self, name: &str, values: [&[u8]; 2], names: [[&str; 2]; 2]) -> bool {
        let [old, new] = values;
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        if old == new {
            true
        } else if is("location") || is("content-location") {
            without_authority(old, &names[0]) == without_authority(new, &names[1])
        } else if is("set-cookie") {
            let (old, new) = (self.cookie(old), self.cookie(new));
            old.rest == new.rest && near(old.expires, new.expires)
        } else {
            DATES.iter().any(|known| is(known)) && {
                let (old, new) = (date(old), date(new));
                old.is_some() && new.is_some() && near(old, new)
            }
        }
    }

    /// The body without what is left aside.
    pub(super) fn body<'a>(&self, body: &'a [u8]) -> Cow<'a, [u8]> {
        let mut body = Cow::Borrowed(body);
        for pattern in &self.body {
            if let Cow::Owned(shorter) = pattern.replace_all(&body, &b""[..]) {
                body = Cow::Owned(shorter);
            }
        }
        body
    }

    fn cookie(&self, value: &[u8]) -> Cookie {
        let text = String::from_utf8_lossy(value);
        let mut parts = text.split(';').map(str::trim);
        let pair = parts.next().unwrap_or_default();
        let name = pair.split('=').next().unwrap_or_default();
        let is_ignored = self.cookies.iter().any(|known| known == name);
        let mut cookie = Cookie {
            rest: vec![if is_ignored { name } else { pair }.to_owned()],
            expires: None,
        };
        for part in parts {
            let expires = part.split_once('=');
            let expires = expires.filter(|(key, _)| key.eq_ignore_ascii_case("expires"));
            match expires.and_then(|(_, value)| date(value.as_bytes())) {
                Some(time) => cookie.expires = Some(time),
                None => cookie.rest.push(part.to_owned()),
            }
        }
        cookie
    }
}

/// A cookie as it is compared.
struct Cookie {
    rest: Vec<String>,
    expires: Option<SystemTime>,
}

/// Servers on different ports name themselves; the rest of the reference is what counts.
fn without_authority<'a>(value: &'a [u8], names: &[&str; 2]) -> (Cow<'a, [u8]>, bool) {
    let whole = (Cow::Borrowed(value), false);
    let Some(at) =
        memchr::memmem::find(value, b"//").filter(|at| *at == 0 || value[at - 1] == b':')
    else {
        return whole;
    };
    let (scheme, rest) = value.split_at(at);
    let rest = &rest[2..];
    let end = rest
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match names
        .iter()
        .any(|name| name.as_bytes().eq_ignore_ascii_case(authority))
    {
        true => (Cow::Owned([scheme, path].concat()), true),
        false => whole,
    }
}

fn date(value: &[u8]) -> Option<SystemTime> {
    httpdate::parse_http_date(std::str::from_utf8(value).ok()?).ok()
}

fn near(old: Option<SystemTime>, new: Option<SystemTime>) -> bool {
    match (old, new) {
        (None, None) => true,
        (Some(old), Some(new)) => {
            let apart = old.duration_since(new).or_else(|_| new.duration_since(old));
            apart.is_ok_and(|apart| apart <= CLOCK)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [[&str; 2]; 2] = [["old:8000", "shop.example"], ["new:9000", "shop.example"]];

    #[track_caller]
    fn check(name: &str, old: &str, new: &str, expected: bool) {
        let rules = Rules {
            cookies: vec!["token".to_owned()],
            ..Rules::default()
        };
        let same = rules.same(name, [old.as_bytes(), new.as_bytes()], NAMES);
        assert_eq!(same, expected, "{name}: {old} and {new}");
    }

    #[test]
    fn each_server_may_name_itself() {
        check("Location", "http://old:8000/a", "http://new:9000/a", true);
        check(
            "Location",
            "http://old:8000/a",
            "http://SHOP.example/a",
            true,
        );
        check("Location", "//old:8000", "//new:9000", true);
        check("Location", "http://old:8000/a", "http://new:9000/b", false);
        check("Location", "http://old:8000/a", "https://new:9000/a", false);
        check("Location", "http://old:8000/a", "http://old:8000/a", true);
        check("Location", "http://other/a", "http://new:9000/a", false);
        check("Location", "http://old:8000/a", "/a", false);
        check(
            "X-Location",
            "http://old:8000/a",
            "http://new:9000/a",
            false,
        );
    }

    #[test]
    fn the_clock_may_go_on() {
        let at = |second: u8| format!("Fri, 20 Nov 2026 14:00:{second:02} GMT");
        check("Expires", &at(0), &at(10), true);
        check("Expires", &at(11), &at(0), false);
        check("Expires", "0", "-1", false);
        check("X-Expires", &at(0), &at(1), false);
        let cookie = |second| format!("a=1; expires={}; Path=/", at(second));
        check("Set-Cookie", &cookie(0), &cookie(1), true);
        check("Set-Cookie", &cookie(0), &cookie(30), false);
        check("Set-Cookie", &cookie(0), "a=1; Path=/", false);
    }

    #[test]
    fn values_of_some_cookies_are_left_aside() {
        check("Set-Cookie", "token=1; Path=/", "token=2; Path=/", true);
        check("Set-Cookie", "token=1; Path=/", "token=2; Path=/a", false);
        check("Set-Cookie", "other=1", "other=2", false);
    }

    #[test]
    fn parts_of_a_body_are_cut_out() {
        let rules = Rules {
            body: ["t=\\d+", "(?-u)\\xff"]
                .map(|text| Regex::new(text).unwrap())
                .into(),
            ..Rules::default()
        };
        assert_eq!(*rules.body(b"a t=12 b t=3\xff"), *b"a  b ");
        assert_eq!(*rules.body(b"plain"), *b"plain");
    }

    #[test]
    fn framing_is_no_content() {
        let rules = Rules {
            headers: vec!["Server".to_owned()],
            ..Rules::default()
        };
        for name in ["Date", "connection", "Content-Length", "server"] {
            assert!(!rules.compares(name, true), "{name}");
        }
        assert!(rules.compares("Content-Length", false) && rules.compares("Content-Type", true));
    }
}
