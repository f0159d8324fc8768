//! `[[listen]]`: one listening socket each.

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{Address, ByteSize, FileMode, RedirectTarget};

/// One `[[listen]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Listen {
    /// What is spoken on the socket: `http`, `https`, `uwsgi`, `fastcgi` or `scgi`.
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
    /// Show a connection to a worker only when its first bytes are there (TCP_DEFER_ACCEPT, tcp(7)).
    #[serde(default = "yes")]
    pub defer_accept: bool,
    /// Have the kernel find out whether silent clients are still there (SO_KEEPALIVE, socket(7)).
    #[serde(default)]
    pub tcp_keepalive: bool,
    /// The kernel's buffer for what is sent to each client (SO_SNDBUF, socket(7)); 0: the kernel decides.
    #[serde(default)]
    pub send_buffer: ByteSize,
    /// The kernel's buffer for what each client sends (SO_RCVBUF, socket(7)); 0: the kernel decides.
    #[serde(default)]
    pub receive_buffer: ByteSize,
    /// Believe the client's address in front of each connection, in the PROXY protocol (versions 1 and 2), when a
    /// trusted proxy sends it.
    #[serde(default)]
    pub proxy_protocol: bool,
    /// Answer every request with a redirection to HTTPS: `https`, `https:8443` or `https://host:port`.
    pub redirect_to: Option<RedirectTarget>,
    /// The certificate and those that lead up to its authority, in PEM.
    pub certificate: Option<PathBuf>,
    /// The key of the certificate, in PEM, without a passphrase.
    pub key: Option<PathBuf>,
    /// Authorities whose certificates clients may show, in PEM.
    pub client_ca: Option<PathBuf>,
    /// Whether clients have to show a certificate: `required` (also without this key) or `optional`.
    pub client_certificate: Option<ClientCertificate>,
    /// Names of the cipher suites that are offered, the best first. Empty: those that the TLS library thinks good.
    #[serde(default)]
    pub ciphers: Vec<String>,
    /// Further certificates, by the host that the client asks for.
    #[serde(default)]
    pub sni: Vec<Sni>,
}

/// One certificate of `sni`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sni {
    /// The host, `"a.example.com"`, or every host with one name more, `"*.example.com"`.
    pub host: String,
    /// The certificate and those that lead up to its authority, in PEM.
    pub certificate: PathBuf,
    /// The key of the certificate, in PEM, without a passphrase.
    pub key: PathBuf,
}

/// Whether clients have to show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    /// They may; it has to be good if they do.
    Optional,
    /// They have to.
    Required,
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
            defer_accept: true,
            tcp_keepalive: false,
            send_buffer: ByteSize(0),
            receive_buffer: ByteSize(0),
            proxy_protocol: false,
            redirect_to: None,
            certificate: None,
            key: None,
            client_ca: None,
            client_certificate: None,
            ciphers: Vec::new(),
            sni: Vec::new(),
        }
    }
}

/// What a listener speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// HTTP/1.1 in plain text (RFC 9112).
    #[default]
    Http,
    /// HTTP/1.1 over TLS (RFC 9110 section 4.2.2).
    Https,
    /// uWSGI's binary protocol, nginx's `uwsgi_pass`.
    Uwsgi,
    /// FastCGI 1.0, nginx's `fastcgi_pass`.
    Fastcgi,
    /// SCGI, nginx's `scgi_pass`.
    Scgi,
}

impl fmt::Display for Protocol {
    /// As it is written in the file.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Uwsgi => "uwsgi",
            Self::Fastcgi => "fastcgi",
            Self::Scgi => "scgi",
        })
    }
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_is_shown_as_it_is_written() {
        use Protocol::{Fastcgi, Http, Https, Scgi, Uwsgi};
        for protocol in [Http, Https, Uwsgi, Fastcgi, Scgi] {
            let written = serde_json::to_value(protocol).unwrap();
            assert_eq!(written, protocol.to_string());
        }
    }
}
