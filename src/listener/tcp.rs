//! TCP listeners.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::fd::OwnedFd,
    time::Duration,
};

use rustix::{
    io::Errno,
    net::{
        AddressFamily, SocketFlags, SocketType, bind as bind_socket, socket_with,
        sockopt::{
            set_ip_freebind, set_ipv6_freebind, set_ipv6_v6only, set_socket_reuseaddr,
            set_socket_reuseport, set_tcp_nodelay,
        },
    },
};

use crate::config::Listen;

use super::{ListenError, failed, start};

/// One socket for each address of the host; every address of the machine is one socket for both versions of IP.
pub(super) fn bind(
    listen: &Listen,
    host: Option<&str>,
    port: u16,
    defer: Duration,
) -> Result<Vec<OwnedFd>, ListenError> {
    let Some(host) = host else {
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
        return match bind_one(listen, both, defer) {
            // The kernel has no IPv6 (ipv6.disable=1), or no address of it (net.ipv6.conf.all.disable_ipv6).
            Err(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => {
                let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
                bind_one(listen, v4, defer)
            }
            result => result,
        }
        .map(|fd| vec![fd])
        .map_err(|errno| explain(listen, errno));
    };
    let resolved = (host, port).to_socket_addrs().and_then(|found| {
        let found: BTreeSet<SocketAddr> = found.collect();
        if found.is_empty() {
            Err(io::ErrorKind::NotFound.into())
        } else {
            Ok(found)
        }
    });
    let addresses = resolved.map_err(|source| ListenError::Resolve {
        address: listen.address.to_string(),
        source,
    })?;
    let sockets = addresses
        .into_iter()
        .map(|address| bind_one(listen, address, defer));
    sockets
        .collect::<Result<_, _>>()
        .map_err(|errno| explain(listen, errno))
}

/// SO_REUSEADDR lets a restart bind while connections of the last run are in TIME-WAIT; two listeners at a time are
/// still refused. TCP_NODELAY is inherited by accepted connections, so that nobody has to set it on each.
fn bind_one(listen: &Listen, address: SocketAddr, defer: Duration) -> Result<OwnedFd, Errno> {
    let family = if address.is_ipv6() {
        AddressFamily::INET6
    } else {
        AddressFamily::INET
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = socket_with(family, SocketType::STREAM, flags, None)?;
    set_socket_reuseaddr(&fd, true)?;
    if listen.reuse_port {
        set_socket_reuseport(&fd, true)?;
    }
    if listen.freebind {
        match family {
            AddressFamily::INET6 => set_ipv6_freebind(&fd, true)?,
            _ => set_ip_freebind(&fd, true)?,
        }
    }
    set_tcp_nodelay(&fd, true)?;
    if address.is_ipv6() {
        set_ipv6_v6only(&fd, false)?;
    }
    bind_socket(&fd, &address)?;
    start(&fd, listen, defer)
        .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::INVAL))?;
    Ok(fd)
}

fn explain(listen: &Listen, errno: Errno) -> ListenError {
    let address = listen.address.to_string();
    match errno {
        Errno::ADDRINUSE => ListenError::InUse { address },
        Errno::ACCESS | Errno::PERM => ListenError::Permission { address },
        errno => failed(&listen.address, errno.into()),
    }
}
