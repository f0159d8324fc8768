//! Addresses of listeners, in the notations of uWSGI, nginx and systemd that mean the same.

use std::{fmt, net::Ipv6Addr, path::PathBuf, str::FromStr};

use super::{Notation, ValueError};

/// Where a listener is bound: `host:port`, `:port`, `*:port`, `[v6]:port`, `/path` or `unix:/path`, `@abstract`.
///
/// No name is looked up here: reading the settings has no effects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A name in Linux's abstract socket namespace (unix(7)), without the `@`.
    Abstract(String),
    /// Host and port; the host `None` is every address of the machine, port 0 is any free one.
    Tcp {
        /// A name, or an IPv4 or IPv6 address without brackets.
        host: Option<String>,
        /// TCP port.
        port: u16,
    },
    /// An absolute path in the file system.
    Unix(PathBuf),
}

/// `sun_path` has 108 bytes, of which a path needs one for its final NUL and an abstract name one for its first.
const LONGEST_UNIX_NAME: usize = 107;

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abstract(name) => write!(formatter, "@{name}"),
            Self::Tcp { host: None, port } => write!(formatter, ":{port}"),
            Self::Tcp {
                host: Some(host),
                port,
            } if host.contains(':') => {
                write!(formatter, "[{host}]:{port}")
            }
            Self::Tcp {
                host: Some(host),
                port,
            } => write!(formatter, "{host}:{port}"),
            Self::Unix(path) => write!(formatter, "{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "an address",
            reason,
        })
    }
}

impl Notation for Address {
    const EXPECTED: &'static str = "an address like \"127.0.0.1:8000\" or \"/run/site.sock\"";
}

fn parse(text: &str) -> Result<Address, String> {
    if text.is_empty() {
        return Err("it is empty; write \"127.0.0.1:8000\" or \"/run/site.sock\"".to_owned());
    }
    if text.contains(['\0', '\n', '\r']) {
        return Err("it contains a control character".to_owned());
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        return Err(format!("write `{rest}` and say protocol = \"{scheme}\""));
    }
    let unix = text.strip_prefix("unix:");
    match unix.unwrap_or(text) {
        name if name.starts_with('@') => parse_abstract(&name[1..]),
        path if path.starts_with('/') => parse_path(path),
        path if unix.is_some() || path.contains('/') || path.ends_with(".sock") => {
            Err("the path of a Unix socket is absolute; begin it with `/`".to_owned())
        }
        host_port => parse_tcp(host_port),
    }
}

fn parse_abstract(name: &str) -> Result<Address, String> {
    if name.is_empty() {
        return Err("the name behind `@` is missing".to_owned());
    }
    fits_sun_path(name)?;
    Ok(Address::Abstract(name.to_owned()))
}

fn parse_path(path: &str) -> Result<Address, String> {
    if path.ends_with('/') {
        return Err("it names a directory; write the name of the socket behind it".to_owned());
    }
    fits_sun_path(path)?;
    Ok(Address::Unix(PathBuf::from(path)))
}

fn fits_sun_path(name: &str) -> Result<(), String> {
    match name.len() {
        0..=LONGEST_UNIX_NAME => Ok(()),
        length => Err(format!(
            "it has {length} bytes, the kernel takes at most {LONGEST_UNIX_NAME}"
        )),
    }
}

fn parse_tcp(text: &str) -> Result<Address, String> {
    let Some((host, port)) = text.rsplit_once(':') else {
        return Err(if text.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("write \"127.0.0.1:{text}\", or \":{text}\" for every address of the machine")
        } else {
            format!("the port is missing; write for example \"{text}:8000\"")
        });
    };
    // `::1:8000` is an IPv6 address as well, but whoever wrote it meant a port.
    let is_v6 = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    let bracketed = text.starts_with('[') && text.ends_with(']');
    if bracketed || (is_v6(text) && !is_v6(host)) {
        let address = text.trim_matches(['[', ']']);
        return Err(format!(
            "the port is missing; write for example \"[{address}]:8000\""
        ));
    }
    let host = match host {
        "" | "*" => None,
        host => Some(parse_host(host, port)?),
    };
    let port = parse_port(port)?;
    Ok(Address::Tcp { host, port })
}

/// A name, an IPv4 address, or an IPv6 address in brackets, with a scope perhaps (`[fe80::1%eth0]`, RFC 4007).
fn parse_host(host: &str, port: &str) -> Result<String, String> {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let (address, _scope) = inner.split_once('%').unwrap_or((inner, ""));
        return match address.parse::<Ipv6Addr>() {
            Ok(_) => Ok(inner.to_owned()),
            Err(_) => Err(format!("`{inner}` is not an IPv6 address")),
        };
    }
    if host.contains(':') {
        return Err(format!(
            "an IPv6 address stands in brackets; write \"[{host}]:{port}\""
        ));
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    match host.chars().find(|c| !is_part(*c)) {
        Some(c) => Err(format!("`{c}` cannot be part of a host name")),
        None => Ok(host.to_owned()),
    }
}

fn parse_port(port: &str) -> Result<u16, String> {
    if port.is_empty() {
        return Err("the port behind `:` is missing".to_owned());
    }
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!("the port `{port}` is not a number"));
    }
    port.parse()
        .map_err(|_| format!("the port {port} is out of range; ports go from 0 to 65535"))
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check_tcp(text: &str, host: Option<&str>, port: u16, display: &str) {
        let host = host.map(str::to_owned);
        testing::check(text, Address::Tcp { host, port }, display);
    }

    #[test]
    fn hosts_and_ports_are_read() {
        check_tcp("127.0.0.1:3031", Some("127.0.0.1"), 3031, "127.0.0.1:3031");
        check_tcp("localhost:0", Some("localhost"), 0, "localhost:0");
        check_tcp(":8000", None, 8000, ":8000");
        check_tcp("*:65535", None, 65535, ":65535");
        check_tcp("[::1]:80", Some("::1"), 80, "[::1]:80");
        check_tcp("[::]:80", Some("::"), 80, "[::]:80");
        check_tcp(
            "[fe80::1%eth0]:80",
            Some("fe80::1%eth0"),
            80,
            "[fe80::1%eth0]:80",
        );
    }

    #[test]
    fn paths_and_abstract_names_are_read() {
        let path = || Address::Unix("/run/site.sock".into());
        testing::check("/run/site.sock", path(), "/run/site.sock");
        testing::check("unix:/run/site.sock", path(), "/run/site.sock");
        testing::check("@site", Address::Abstract("site".into()), "@site");
        testing::check("unix:@site", Address::Abstract("site".into()), "@site");
        let longest = format!("/{}", "x".repeat(106));
        testing::check(&longest, Address::Unix(longest.clone().into()), &longest);
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<Address>(text, reason);
    }

    #[test]
    fn what_is_no_host_and_port_is_refused_with_a_way_out() {
        check_refused(
            "",
            "it is empty; write \"127.0.0.1:8000\" or \"/run/site.sock\"",
        );
        check_refused(
            "8000",
            "write \"127.0.0.1:8000\", or \":8000\" for every address of the machine",
        );
        check_refused(
            "localhost",
            "the port is missing; write for example \"localhost:8000\"",
        );
        check_refused("localhost:", "the port behind `:` is missing");
        check_refused("localhost:http", "the port `http` is not a number");
        check_refused("localhost:+80", "the port `+80` is not a number");
        check_refused(
            ":65536",
            "the port 65536 is out of range; ports go from 0 to 65535",
        );
        check_refused(
            "::1",
            "the port is missing; write for example \"[::1]:8000\"",
        );
        check_refused(
            "[::1]",
            "the port is missing; write for example \"[::1]:8000\"",
        );
        check_refused(
            "::1:80",
            "an IPv6 address stands in brackets; write \"[::1]:80\"",
        );
        check_refused("[::g]:80", "`::g` is not an IPv6 address");
        check_refused(
            "fe80::x:80",
            "an IPv6 address stands in brackets; write \"[fe80::x]:80\"",
        );
        check_refused("my host:80", "` ` cannot be part of a host name");
        check_refused("http://:8000", "write `:8000` and say protocol = \"http\"");
    }

    #[test]
    fn what_is_no_socket_name_is_refused_with_a_way_out() {
        let absolute = "the path of a Unix socket is absolute; begin it with `/`";
        check_refused("run/site.sock", absolute);
        check_refused("site.sock", absolute);
        check_refused("unix:site", absolute);
        check_refused("unix:", absolute);
        check_refused("@", "the name behind `@` is missing");
        check_refused(
            "/run/",
            "it names a directory; write the name of the socket behind it",
        );
        check_refused("/run/a\0b", "it contains a control character");
        let long = format!("/{}", "x".repeat(107));
        check_refused(&long, "it has 108 bytes, the kernel takes at most 107");
    }
}
