//! Places that log entries go to.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{Notation, ValueError};

/// A place for the log, one word or a word and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogTarget {
    /// `journal`: journald's native protocol.
    Journal,
    /// `stderr`: one line per event on standard error.
    Stderr,
    /// `file:PATH`: one line per event at the end of a file. Absolute in settings that were loaded.
    File(PathBuf),
    /// `unix:PATH`: one datagram per event to a Unix socket, as a line. Absolute in settings that were loaded.
    Unix(PathBuf),
    /// `udp:HOST:PORT`: one datagram per event, as a line.
    Udp(HostPort),
    /// `syslog`: the machine's own syslog (`/dev/log`), in the form of syslog(3).
    Syslog,
    /// `syslog:HOST:PORT`: a syslog server over UDP (RFC 5424, RFC 5426).
    SyslogUdp(HostPort),
    /// `syslog:/PATH`: a syslog daemon behind a Unix socket (RFC 5424).
    SyslogUnix(PathBuf),
}

/// A peer that datagrams go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A name, or an address; an IPv6 address without its brackets.
    pub host: String,
    /// UDP port, not 0.
    pub port: u16,
}

/// What can stand alone, or before a colon.
pub(super) const KINDS: [&str; 6] = ["journal", "stderr", "file", "unix", "udp", "syslog"];

impl fmt::Display for HostPort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(formatter, "[{}]:{}", self.host, self.port),
            false => write!(formatter, "{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for LogTarget {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal => formatter.write_str("journal"),
            Self::Stderr => formatter.write_str("stderr"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            Self::Udp(peer) => write!(formatter, "udp:{peer}"),
            Self::Syslog => formatter.write_str("syslog"),
            Self::SyslogUdp(peer) => write!(formatter, "syslog:{peer}"),
            Self::SyslogUnix(path) => write!(formatter, "syslog:{}", path.display()),
        }
    }
}

impl FromStr for LogTarget {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        parse(text).map_err(|reason| ValueError {
            text: text.to_owned(),
            kind: "a place for the log",
            reason,
        })
    }
}

impl Notation for LogTarget {
    const EXPECTED: &'static str =
        "a place for the log like \"journal\" or \"file:/var/log/site.log\"";
    const WORDS: &'static [&'static str] = &KINDS;
}

fn parse(text: &str) -> Result<LogTarget, String> {
    if text.contains(char::is_control) {
        return Err("it contains a control character".to_owned());
    }
    match text
        .split_once(':')
        .map_or((text, None), |(kind, place)| (kind, Some(place)))
    {
        ("journal", None) => Ok(LogTarget::Journal),
        ("stderr", None) => Ok(LogTarget::Stderr),
        ("syslog", None) => Ok(LogTarget::Syslog),
        ("file", Some(path)) if !path.is_empty() => Ok(LogTarget::File(path.into())),
        ("unix", Some(path)) if !path.is_empty() => Ok(LogTarget::Unix(path.into())),
        ("udp", Some(peer)) => host_port(peer).map(LogTarget::Udp),
        ("syslog", Some(path)) if path.starts_with('/') => Ok(LogTarget::SyslogUnix(path.into())),
        ("syslog", Some(peer)) => host_port(peer).map(LogTarget::SyslogUdp),
        _ => Err(
            "write \"journal\", \"stderr\", \"syslog\", \"file:/path\", \"unix:/path\", \
                  \"udp:host:port\", \"syslog:host:port\" or \"syslog:/path\""
                .to_owned(),
        ),
    }
}

fn host_port(text: &str) -> Result<HostPort, String> {
    let good = |(host, port): (&str, &str)| {
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = inner.unwrap_or(host);
        let is_name = !host.is_empty() && !host.contains([' ', '/', '[', ']']);
        let port = port.parse().ok().filter(|port| *port != 0)?;
        (is_name && (inner.is_some() || !host.contains(':'))).then(|| HostPort {
            host: host.to_owned(),
            port,
        })
    };
    text.rsplit_once(':').and_then(good).ok_or_else(|| {
        "write a host and a port, for example \"udp:192.0.2.1:514\" or \"udp:[2001:db8::1]:514\"".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::{super::testing, *};

    #[track_caller]
    fn check(text: &str, target: LogTarget) {
        testing::check(text, target, text);
    }

    fn peer(host: &str, port: u16) -> HostPort {
        HostPort {
            host: host.to_owned(),
            port,
        }
    }

    #[test]
    fn places_are_words_or_words_with_a_place() {
        check("journal", LogTarget::Journal);
        check("stderr", LogTarget::Stderr);
        check("syslog", LogTarget::Syslog);
        check(
            "file:/var/log/a:b.log",
            LogTarget::File("/var/log/a:b.log".into()),
        );
        check("unix:/run/log", LogTarget::Unix("/run/log".into()));
        check(
            "udp:log.example:514",
            LogTarget::Udp(peer("log.example", 514)),
        );
        check("syslog:[::1]:514", LogTarget::SyslogUdp(peer("::1", 514)));
        check("syslog:/dev/log", LogTarget::SyslogUnix("/dev/log".into()));
    }

    #[track_caller]
    fn check_refused(text: &str, reason: &str) {
        testing::check_refused::<LogTarget>(text, reason);
    }

    #[test]
    fn other_texts_are_refused_with_a_way_out() {
        for text in ["", "/var/log/a", "file:", "journal:x", "tcp:a:1"] {
            check_refused(
                text,
                "write \"journal\", \"stderr\", \"syslog\", \"file:/path\", \"unix:/path\", \
                 \"udp:host:port\", \"syslog:host:port\" or \"syslog:/path\"",
            );
        }
        for text in [
            "udp:514",
            "udp::514",
            "udp:a:0",
            "syslog:a",
            "udp:::1:514",
            "udp:a:70000",
        ] {
            check_refused(
                text,
                "write a host and a port, for example \"udp:192.0.2.1:514\" or \"udp:[2001:db8::1]:514\"",
            );
        }
        check_refused("file:/a\nb", "it contains a control character");
    }
}
