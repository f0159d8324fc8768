//! What is known of the two ends of a connection, as text, made once per connection.

use std::{fmt::Write, net::IpAddr};

use rustix::net::SocketAddrAny;

use crate::config::TrustedProxy;

/// Text of the client's side.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PeerText {
    /// Address without port; empty for Unix sockets.
    pub(super) address: String,
    /// Port in decimal; empty for Unix sockets.
    pub(super) port: String,
    /// Whether its word about the client it speaks for counts.
    pub(super) trusted: bool,
}

impl PeerText {
    /// Fills in what accept(2) said.
    pub(super) fn set(&mut self, address: Option<SocketAddrAny>, trusted: &[TrustedProxy]) {
        self.address.clear();
        self.port.clear();
        let tcp = address.and_then(|address| std::net::SocketAddr::try_from(address).ok());
        match tcp {
            Some(tcp) => {
                // A listener on [::] reports IPv4 clients as ::ffff:a.b.c.d; applications expect a.b.c.d, as uWSGI gives.
                let ip = tcp.ip().to_canonical();
                self.trusted = trusts(trusted, Some(ip));
                // Writing to a String cannot fail.
                let _ = write!(self.address, "{ip}");
                let _ = write!(self.port, "{}", tcp.port());
            }
            None => self.trusted = trusts(trusted, None),
        }
    }
}

fn trusts(trusted: &[TrustedProxy], ip: Option<IpAddr>) -> bool {
    trusted.iter().any(|proxy| match ip {
        Some(ip) => proxy.matches(ip),
        None => *proxy == TrustedProxy::Unix,
    })
}
