//! Matches inherited sockets to `[[listen]]`: by name where it has one, else by the address that they are bound to.

use std::{
    io,
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    os::fd::OwnedFd,
};

use rustix::net::sockopt::set_tcp_nodelay;

use crate::{
    config::{Address, Listen},
    systemd::Inherited,
};

use super::{Bound, ListenError, bound_address};

/// What is inherited and not yet taken.
pub(super) struct Pool {
    sockets: Vec<(Bound, Inherited)>,
}

impl Pool {
    pub(super) fn new(inherited: Vec<Inherited>) -> Result<Self, ListenError> {
        let bound = |socket: Inherited| match bound_address(&socket.fd) {
            Ok(bound) => Ok((bound, socket)),
            Err(source) => Err(ListenError::Socket {
                address: socket.name,
                source,
            }),
        };
        Ok(Self {
            sockets: inherited.into_iter().map(bound).collect::<Result<_, _>>()?,
        })
    }

    /// All that are called so, or else all that are bound to the address: `:80` may be one socket for each version of
    /// IP. A socket of the right name at another address is an error: the settings are newer than the socket unit, or
    /// the name is a slip.
    pub(super) fn take(&mut self, listen: &Listen) -> Result<Vec<OwnedFd>, ListenError> {
        let address = &listen.address;
        let is_called = |socket: &Inherited| listen.name.as_ref() == Some(&socket.name);
        let named = self.sockets.iter().find(|(_, socket)| is_called(socket));
        let elsewhere = self
            .sockets
            .iter()
            .find(|(bound, socket)| is_called(socket) && !bound.is(address));
        if let Some((bound, socket)) = elsewhere {
            return Err(ListenError::Elsewhere {
                name: socket.name.clone(),
                bound: bound.to_string(),
                address: address.to_string(),
            });
        }
        let by_name = named.is_some();
        let is_meant = |(bound, socket): &mut (Bound, Inherited)| match by_name {
            true => is_called(socket),
            false => bound.is(address),
        };
        let taken = self.sockets.extract_if(.., is_meant);
        Ok(taken.map(|(_, socket)| socket.fd).collect())
    }

    /// What is left belongs to nobody: connections to it would wait for ever.
    pub(super) fn finish(self, settings: &[Listen]) -> Result<(), ListenError> {
        if self.sockets.is_empty() {
            return Ok(());
        }
        let unknown = self
            .sockets
            .iter()
            .map(|(bound, socket)| format!("{bound} ({})", socket.name));
        let wanted = settings.iter().map(|listen| listen.address.to_string());
        Err(ListenError::Unknown {
            unknown: unknown.collect::<Vec<_>>().join(", "),
            wanted: wanted.collect::<Vec<_>>().join(", "),
        })
    }
}

impl Bound {
    fn is(&self, address: &Address) -> bool {
        match (self, address) {
            (Self::Abstract(bound), Address::Abstract(name)) => bound == name.as_bytes(),
            (Self::Unix(bound), Address::Unix(path)) => bound == path,
            (Self::Tcp(bound), Address::Tcp { host: None, port }) => {
                bound.ip().is_unspecified() && bound.port() == *port
            }
            (
                Self::Tcp(bound),
                Address::Tcp {
                    host: Some(host),
                    port,
                },
            ) => bound.port() == *port && names(host, bound),
            _ => false,
        }
    }
}

/// Accepted connections inherit the option, and systemd sets it only with `NoDelay=yes`.
pub(super) fn prepare(fd: &OwnedFd) -> io::Result<()> {
    match bound_address(fd)? {
        Bound::Tcp(_) => Ok(set_tcp_nodelay(fd, true)?),
        Bound::Abstract(_) | Bound::Unix(_) => Ok(()),
    }
}

fn names(host: &str, bound: &SocketAddr) -> bool {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip == bound.ip(),
        Err(_) => (host, bound.port())
            .to_socket_addrs()
            .is_ok_and(|mut addresses| addresses.any(|address| address.ip() == bound.ip())),
    }
}
