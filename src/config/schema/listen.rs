//! `[[listen]]`: one listening socket each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::value::{Address, FileMode};

/// One `[[listen]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listen {
    /// What is spoken on the socket: `http` or `uwsgi`.
    #[serde(default)]
    pub protocol: Protocol,
    /// Where the socket is bound: `host:port`, `:port` for every address of the machine, `[v6]:port`, `/path` or
    /// `unix:/path` for a Unix socket, `@name` for one in the abstract namespace. Port 0 is any free port.
    pub address: Address,
    /// Mode of a Unix socket's file, for example `"0660"`. Without it the umask decides.
    pub mode: Option<FileMode>,
    /// Owner of a Unix socket's file, a name or a number. Without it whoever runs hostler.
    pub owner: Option<String>,
    /// Group of a Unix socket's file, a name or a number. Without it the group that runs hostler.
    pub group: Option<String>,
    /// Length of the queue of connections not yet accepted (listen(2)). Without it, and at most, the kernel's
    /// `net.core.somaxconn`.
    pub backlog: Option<u32>,
    /// Listen on an address that this machine does not have yet (IP_FREEBIND, ip(7)).
    #[serde(default)]
    pub freebind: bool,
    /// Let other services listen on the same address; the kernel spreads the connections (SO_REUSEPORT, socket(7)).
    #[serde(default)]
    pub reuse_port: bool,
    /// Name of an inherited socket (`FileDescriptorName=`, systemd.socket(5)) that this section is about. Without it
    /// the address decides.
    pub name: Option<String>,
}

impl Listen {
    /// HTTP at an address, and every other key left out.
    pub fn at(address: Address) -> Self {
        Self {
            protocol: Protocol::default(),
            address,
            mode: None,
            owner: None,
            group: None,
            backlog: None,
            freebind: false,
            reuse_port: false,
            name: None,
        }
    }
}

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// FastCGI (responder), nginx's `fastcgi_pass`.
    Fastcgi,
    /// HTTP/1.1 in plain text (RFC 9112).
    #[default]
    Http,
    /// SCGI, nginx's `scgi_pass`.
    Scgi,
    /// uWSGI's binary protocol, nginx's `uwsgi_pass`.
    Uwsgi,
}

impl fmt::Display for Protocol {
    /// As it is written in the file.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Fastcgi => "fastcgi",
            Self::Http => "http",
            Self::Scgi => "scgi",
            Self::Uwsgi => "uwsgi",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_is_shown_as_it_is_written() {
        for protocol in [
            Protocol::Fastcgi,
            Protocol::Http,
            Protocol::Scgi,
            Protocol::Uwsgi,
        ] {
            let written = serde_json::to_value(protocol).unwrap();
            assert_eq!(written, protocol.to_string());
        }
    }
}
