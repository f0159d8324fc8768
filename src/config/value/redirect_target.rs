//! Where a whole listener sends its clients.

use std::{fmt, str::FromStr};

use super::{Notation, ValueError};

/// The HTTPS address that takes over: the host that the client has asked for, or another one, each with a port or
/// without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectTarget {
    /// `None`: the host that the client has asked for. An IPv6 address has its brackets.
    pub host: Option<String>,
    /// `None`: 443, which URLs leave out.
    pub port: Option<u16>,
}

impl fmt::Display for RedirectTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("https")?;
        if let Some(host) = &self.host {
            write!(formatter, "://{host}")?;
        }
        match self.port {
            Some(port) => write!(formatter, ":{port}"),
            None => Ok(()),
        }
    }
}

impl FromStr for RedirectTarget {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text).ok_or_else(|| ValueError {
            text: text.to_owned(),
            kind: "a place to redirect to",
            reason: "write \"https\", \"https:8443\" or \"https://www.example.com\"".to_owned(),
        })
    }
}

impl Notation for RedirectTarget {
    const EXPECTED: &'static str = "a place to redirect to like \"https\"";
}

fn parse(text: &str) -> Option<RedirectTarget> {
    let rest = text.strip_prefix("https")?;
    if rest.is_empty() {
        return Some(RedirectTarget {
            host: None,
            port: None,
        });
    }
    let (host, port) = match rest.strip_prefix("://") {
        None => (None, rest.strip_prefix(':')?),
        Some(authority) => split_authority(authority)?,
    };
    let port = match (host, port) {
        (Some(_), "") => None,
        (_, digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port != 0)?)
        }
        _ => return None,
    };
    Some(RedirectTarget {
        host: host.map(str::to_owned),
        port,
    })
}

/// Host and port; the port is empty when there is none.
fn split_authority(authority: &str) -> Option<(Option<&str>, &str)> {
    let end = match authority.starts_with('[') {
        true => authority.find(']')? + 1,
        false => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '[' | ':' | ']');
    let port = match rest {
        "" => "",
        rest => rest.strip_prefix(':').filter(|port| !port.is_empty())?,
    };
    (!host.is_empty() && host.chars().all(is_part)).then_some((Some(host), port))
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check(text: &str, host: Option<&str>, port: Option<u16>) {
        let host = host.map(str::to_owned);
        testing::check(text, RedirectTarget { host, port }, text);
    }

    #[test]
    fn host_and_port_may_be_left_out() {
        check("https", None, None);
        check("https:8443", None, Some(8443));
        check("https://www.example.com", Some("www.example.com"), None);
        check("https://a:8443", Some("a"), Some(8443));
        check("https://[2001:db8::1]:1", Some("[2001:db8::1]"), Some(1));
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        for text in [
            "",
            "http",
            "https:",
            "https:0",
            "https://",
            "https://a/b",
            "https://a:",
            "https:x",
        ] {
            testing::check_refused::<RedirectTarget>(
                text,
                "write \"https\", \"https:8443\" or \"https://www.example.com\"",
            );
        }
    }
}
