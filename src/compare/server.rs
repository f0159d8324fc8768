//! Who is asked: a protocol, and where it is spoken.

use std::{fmt, path::PathBuf, str::FromStr};

use super::CompareError;

/// A server, from its URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    /// As it was written.
    url: String,
    /// How it is spoken with.
    pub(super) wire: Wire,
    /// Where it listens.
    pub(super) place: Place,
    authority: String,
}

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire {
    /// HTTP/1.1 in plain text.
    Http,
    /// uWSGI's packets, as nginx's `uwsgi_pass` sends them; the answer is HTTP.
    Uwsgi,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// A name in Linux's abstract socket namespace, without the `@`.
    Abstract(String),
    /// Host (without brackets) and port.
    Tcp(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// The Host of a server that has no name.
const NAMELESS: &str = "localhost";

/// What every complaint ends with.
const FORMS: &str =
    "write http://HOST:PORT, unix:/PATH (HTTP on a Unix socket), uwsgi://HOST:PORT or uwsgi:/PATH";

impl Server {
    /// Host and port as a URL has them; `localhost` for a Unix socket.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.url)
    }
}

impl FromStr for Server {
    type Err = CompareError;

    fn from_str(url: &str) -> Result<Self, CompareError> {
        parse(url).map_err(|reason| CompareError::Server {
            url: url.to_owned(),
            reason,
        })
    }
}

fn parse(url: &str) -> Result<Server, String> {
    let (scheme, rest) = url
        .split_once(':')
        .ok_or_else(|| format!("it has no scheme; {FORMS}"))?;
    let (wire, only_unix, port) = match scheme.to_ascii_lowercase().as_str() {
        "http" => (Wire::Http, false, Some(80)),
        "unix" | "http+unix" => (Wire::Http, true, None),
        "uwsgi" => (Wire::Uwsgi, false, None),
        "uwsgi+unix" => (Wire::Uwsgi, true, None),
        "https" => {
            let reason = "TLS is not spoken here; compare what is behind it, with --https so that both know of it";
            return Err(format!("{reason}: {FORMS}"));
        }
        _ => return Err(format!("the scheme `{scheme}` is not known; {FORMS}")),
    };
    let place = rest.strip_prefix("//").unwrap_or(rest);
    let is_tcp = rest.starts_with("//") && !place.starts_with(['/', '@']) && !only_unix;
    let (place, authority) = match is_tcp {
        true => tcp(place, port)?,
        false => (unix(place)?, NAMELESS.to_owned()),
    };
    Ok(Server {
        url: url.to_owned(),
        wire,
        place,
        authority,
    })
}

/// `/path`, its escaped form `%2Fpath`, or `@name`.
fn unix(text: &str) -> Result<Place, String> {
    let escaped = text
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("%2f"));
    let path = match escaped {
        true => text
            .trim_end_matches('/')
            .replace("%2F", "/")
            .replace("%2f", "/"),
        false => text.to_owned(),
    };
    match path.strip_prefix('@') {
        Some(name) if !name.is_empty() => Ok(Place::Abstract(name.to_owned())),
        None if path.len() > 1 && path.starts_with('/') => Ok(Place::Unix(path.into())),
        _ => Err(format!(
            "the path of a Unix socket begins with a slash; {FORMS}"
        )),
    }
}

/// `host`, `host:port` or `[v6]:port`, with nothing behind it but a slash.
fn tcp(text: &str, default: Option<u16>) -> Result<(Place, String), String> {
    let authority = text.strip_suffix('/').unwrap_or(text);
    if authority.contains(['/', '?', '#', '@']) {
        return Err(
            "it names more than a server; paths belong into the list of requests".to_owned(),
        );
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let port = port.parse().ok().filter(|port| *port != 0);
            (
                host,
                port.ok_or_else(|| format!("its port is no number from 1 to 65535; {FORMS}"))?,
            )
        }
        _ => (
            authority,
            default.ok_or_else(|| format!("it has no port; {FORMS}"))?,
        ),
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_sound = match bare {
        Some(address) => address.contains(':'),
        None => !host.is_empty() && !host.contains([':', '[', ']', ' ']),
    };
    match is_sound {
        true => Ok((
            Place::Tcp(bare.unwrap_or(host).to_owned(), port),
            authority.to_owned(),
        )),
        false => Err(format!("`{host}` is no host; {FORMS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, wire: Wire, place: Place, authority: &str) {
        let server: Server = url.parse().unwrap();
        let found = (
            server.wire,
            &server.place,
            server.authority(),
            server.to_string(),
        );
        assert_eq!(found, (wire, &place, authority, url.to_owned()));
    }

    #[track_caller]
    fn check_refused(url: &str, text: &str) {
        let error = url.parse::<Server>().unwrap_err().to_string();
        assert!(error.contains(text), "{text:?} in {error}");
    }

    fn tcp(host: &str, port: u16) -> Place {
        Place::Tcp(host.to_owned(), port)
    }

    #[test]
    fn http_over_tcp() {
        check(
            "http://old.example:8000",
            Wire::Http,
            tcp("old.example", 8000),
            "old.example:8000",
        );
        check(
            "http://old.example/",
            Wire::Http,
            tcp("old.example", 80),
            "old.example",
        );
        check(
            "HTTP://[::1]:8000",
            Wire::Http,
            tcp("::1", 8000),
            "[::1]:8000",
        );
    }

    #[test]
    fn unix_sockets() {
        let place = || Place::Unix("/run/shop.sock".into());
        check("unix:/run/shop.sock", Wire::Http, place(), "localhost");
        check(
            "http+unix:///run/shop.sock",
            Wire::Http,
            place(),
            "localhost",
        );
        check(
            "http+unix://%2Frun%2fshop.sock/",
            Wire::Http,
            place(),
            "localhost",
        );
        check("uwsgi:/run/shop.sock", Wire::Uwsgi, place(), "localhost");
        check("uwsgi:///run/shop.sock", Wire::Uwsgi, place(), "localhost");
        check(
            "unix:@shop",
            Wire::Http,
            Place::Abstract("shop".to_owned()),
            "localhost",
        );
    }

    #[test]
    fn the_uwsgi_protocol_over_tcp() {
        check(
            "uwsgi://127.0.0.1:3031",
            Wire::Uwsgi,
            tcp("127.0.0.1", 3031),
            "127.0.0.1:3031",
        );
    }

    #[test]
    fn what_is_no_server_says_what_to_write() {
        check_refused("127.0.0.1", "it has no scheme");
        check_refused("localhost:8000", "`localhost` is not known");
        check_refused("https://example.com", "--https");
        check_refused("uwsgi://127.0.0.1", "it has no port");
        check_refused("http://a:80000", "no number from 1 to 65535");
        check_refused("http://a:80/shop", "paths belong into the list");
        check_refused("http://:80", "no host");
        check_refused("unix:run/shop.sock", "begins with a slash");
        check_refused("ftp://a", "the scheme `ftp`");
    }
}
