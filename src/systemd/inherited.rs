//! Sockets that the service manager has bound for us (sd_listen_fds(3)).

use std::{env, io, os::fd::OwnedFd};

use listenfd::ListenFd;

/// Why the inherited descriptors cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InheritedError {
    /// It is something else, or already somebody's.
    #[error(
        "inherited descriptor number {number} ({name}) is not a listening stream socket; the socket unit must use ListenStream= and Accept=no"
    )]
    NotListening {
        /// Counted from 0.
        number: usize,
        /// Its name, from `FileDescriptorName=`.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A listening socket from outside.
#[derive(Debug)]
pub(crate) struct Inherited {
    /// The socket, close-on-exec.
    pub(crate) fd: OwnedFd,
    /// `FileDescriptorName=` of the socket unit, which is the unit's name by default.
    pub(crate) name: String,
}

/// Takes all of them, and removes the variables that tell of them. Nothing is left the second time.
pub(crate) fn inherited() -> Result<Vec<Inherited>, InheritedError> {
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':');
    let mut sockets = ListenFd::from_env();
    (0..sockets.len())
        .map(|number| {
            let name = names
                .next()
                .filter(|name| !name.is_empty())
                .unwrap_or("unknown")
                .to_owned();
            match take(&mut sockets, number) {
                Ok(fd) => Ok(Inherited { fd, name }),
                Err(source) => Err(InheritedError::NotListening {
                    number,
                    name,
                    source,
                }),
            }
        })
        .collect()
}

fn take(sockets: &mut ListenFd, number: usize) -> io::Result<OwnedFd> {
    let fd: Option<OwnedFd> = match sockets.take_tcp_listener(number) {
        Ok(socket) => socket.map(Into::into),
        Err(_) => sockets.take_unix_listener(number)?.map(Into::into),
    };
    let fd = fd.ok_or(io::ErrorKind::NotFound)?;
    if !rustix::net::sockopt::socket_acceptconn(&fd)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it does not listen",
        ));
    }
    Ok(fd)
}
