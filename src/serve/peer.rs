//! What is known of the two ends of a connection, as text, made once per connection.

use std::{
    fmt::Write,
    net::{IpAddr, SocketAddr},
};

use rustix::net::SocketAddrAny;

use crate::{config::TrustedProxy, protocol::proxy::Client};

/// Text of the client's side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PeerText {
    /// Address without port; empty for Unix sockets.
    pub(super) address: String,
    /// Port in decimal; empty for Unix sockets.
    pub(super) port: String,
    /// Whether its word about the client it speaks for counts.
    pub(super) trusted: bool,
    /// Whether it came to a proxy by TLS, which says so in the PROXY protocol.
    pub(super) tls: bool,
}

impl PeerText {
    /// Fills in what accept(2) said.
    pub(super) fn set(&mut self, address: Option<SocketAddrAny>, trusted: &[TrustedProxy]) {
        self.address.clear();
        self.port.clear();
        self.tls = false;
        let tcp = address.and_then(|address| SocketAddr::try_from(address).ok());
        match tcp {
            Some(tcp) => self.set_tcp(tcp, trusted),
            None => self.trusted = trusts(trusted, None),
        }
    }

    /// Fills in what a proxy says of the client that it passes on. A client of its own machine's Unix socket is nobody
    /// that we know.
    pub(super) fn set_proxied(&mut self, client: &Client, trusted: &[TrustedProxy]) {
        self.address.clear();
        self.port.clear();
        self.tls = client.tls;
        match client.address {
            Some(tcp) => self.set_tcp(tcp, trusted),
            None => self.trusted = false,
        }
    }

    fn set_tcp(&mut self, tcp: SocketAddr, trusted: &[TrustedProxy]) {
        // A listener on [::] reports IPv4 clients as ::ffff:a.b.c.d; applications expect a.b.c.d, as uWSGI gives.
        let ip = tcp.ip().to_canonical();
        self.trusted = trusts(trusted, Some(ip));
        // Writing to a String cannot fail.
        let _ = write!(self.address, "{ip}");
        let _ = write!(self.port, "{}", tcp.port());
    }
}

/// Whether whoever is at this address is a proxy of ours; `None`: at the other end of a Unix socket.
pub(super) fn trusts(trusted: &[TrustedProxy], ip: Option<IpAddr>) -> bool {
    trusted.iter().any(|proxy| match ip {
        Some(ip) => proxy.matches(ip),
        None => *proxy == TrustedProxy::Unix,
    })
}
