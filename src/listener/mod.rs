//! Turns `[[listen]]` and inherited sockets into listening sockets.
//!
//! All sockets are made here, in the supervisor, before any process of the application exists; zygotes and workers get
//! duplicates. A socket is shared by the generations that listen on its address and closes with the last of them, so
//! a reload loses no connection that waits in its queue.

mod error;
mod heirloom;
mod inherit;
mod tcp;
mod unix;

use std::{
    fmt, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    rc::Rc,
    time::Duration,
};

use rustix::net::{
    SocketAddrUnix, getsockname, listen,
    sockopt::{set_socket_keepalive, set_socket_recv_buffer_size, set_socket_send_buffer_size},
};

use crate::{
    config::{Address, ByteSize, Listen, Protocol},
    sys::set_defer_accept,
    systemd::Inherited,
};

pub(crate) use error::ListenError;
pub(crate) use heirloom::Heirloom;

/// Length of the queue when the settings name none: the kernel caps it at net.core.somaxconn, whose default it is.
const BACKLOG: u32 = 4096;

/// One listening socket.
#[derive(Debug)]
struct Socket {
    fd: OwnedFd,
    /// The file that we made for it; it goes when the socket does.
    file: Option<unix::SocketFile>,
    /// It is the service manager's.
    is_inherited: bool,
}

/// A listening socket and what the settings say of it.
#[derive(Debug, Clone)]
pub(crate) struct Listener {
    /// What is spoken on it.
    pub(crate) protocol: Protocol,
    /// As bound, with the true port.
    pub(crate) bound: String,
    /// Which `[[listen]]` it is of, counted from 0.
    pub(crate) section: usize,
    address: Address,
    socket: Rc<Socket>,
}

/// The listening sockets of one generation, in the order of the settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listeners {
    listeners: Vec<Listener>,
}

impl Listeners {
    /// Takes what is inherited and binds what is not. `defer` is how long a TCP connection may be silent before a
    /// worker sees it.
    pub(crate) fn bind(
        settings: &[Listen],
        defer: Duration,
        inherited: Vec<Inherited>,
    ) -> Result<Self, ListenError> {
        let mut inherited = inherit::Pool::new(inherited)?;
        let mut listeners = Vec::new();
        for (section, listen) in settings.iter().enumerate() {
            let before = listeners.len();
            let taken = inherited.take(listen)?;
            if taken.is_empty() {
                bind(listen, defer, &mut listeners)?;
            }
            for fd in taken {
                inherit::prepare(&fd).map_err(|source| failed(&listen.address, source))?;
                listeners.push(Listener::new(listen, fd, None, true)?);
            }
            number(&mut listeners[before..], section);
        }
        inherited.finish(settings)?;
        Ok(Self { listeners })
    }

    /// The sockets of a generation with other settings: those of the same address are shared, and stay as they are until
    /// [`Listeners::apply`]; the others are bound.
    pub(crate) fn rebind(&self, settings: &[Listen], defer: Duration) -> Result<Self, ListenError> {
        let mut listeners = Vec::new();
        for (section, wanted) in settings.iter().enumerate() {
            let before = listeners.len();
            let kept = self
                .listeners
                .iter()
                .filter(|known| known.address == wanted.address);
            let kept: Vec<Listener> = kept.cloned().collect();
            if kept.is_empty() {
                bind(wanted, defer, &mut listeners)?;
            }
            for mut listener in kept {
                listener.protocol = wanted.protocol;
                if let Some(file) = &listener.socket.file {
                    file.check_access(wanted)?;
                }
                listeners.push(listener);
            }
            number(&mut listeners[before..], section);
        }
        Ok(Self { listeners })
    }

    /// Gives shared sockets mode, owner, group, backlog and options as the settings of this generation say, now that it
    /// serves; gives what went wrong. Inherited sockets are the business of whoever made them.
    pub(crate) fn apply(&self, settings: &[Listen], defer: Duration) -> Vec<ListenError> {
        let wanted = |listener: &Listener| {
            let address = &listener.address;
            let mut settings = settings.iter();
            settings.find(|listen| listen.address == *address)
        };
        let ours = self.listeners.iter();
        let ours = ours.filter(|listener| !listener.socket.is_inherited);
        let adjusted =
            ours.filter_map(|listener| Some(listener.socket.adjust(wanted(listener)?, defer)));
        adjusted.filter_map(Result::err).collect()
    }

    /// Whether the service manager has made all of them, and keeps them when we go.
    pub(crate) fn are_inherited(&self) -> bool {
        let mut sockets = self.listeners.iter();
        !self.listeners.is_empty() && sockets.all(|listener| listener.socket.is_inherited)
    }

    /// Each of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.iter()
    }
}

impl Listener {
    fn new(
        listen: &Listen,
        fd: OwnedFd,
        file: Option<unix::SocketFile>,
        is_inherited: bool,
    ) -> Result<Self, ListenError> {
        let bound = bound_address(&fd).map_err(|source| failed(&listen.address, source))?;
        Ok(Self {
            protocol: listen.protocol,
            bound: bound.to_string(),
            section: 0,
            address: listen.address.clone(),
            socket: Rc::new(Socket {
                fd,
                file,
                is_inherited,
            }),
        })
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.fd.as_fd()
    }
}

impl Socket {
    /// What can change without another bind.
    fn adjust(&self, wanted: &Listen, defer: Duration) -> Result<(), ListenError> {
        if let Some(file) = &self.file {
            file.set_access(wanted)?;
        }
        start(&self.fd, wanted, defer).map_err(|source| failed(&wanted.address, source))
    }
}

/// Says of which `[[listen]]` these are.
fn number(listeners: &mut [Listener], section: usize) {
    for listener in listeners {
        listener.section = section;
    }
}

/// Where a socket is bound.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bound {
    Abstract(Vec<u8>),
    Tcp(std::net::SocketAddr),
    Unix(std::path::PathBuf),
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Abstract(name) => write!(formatter, "@{}", String::from_utf8_lossy(name)),
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => path.display().fmt(formatter),
        }
    }
}

fn bind(
    listen: &Listen,
    defer: Duration,
    listeners: &mut Vec<Listener>,
) -> Result<(), ListenError> {
    match &listen.address {
        Address::Tcp { host, port } => {
            for fd in tcp::bind(listen, host.as_deref(), *port, defer)? {
                listeners.push(Listener::new(listen, fd, None, false)?);
            }
        }
        Address::Unix(path) => {
            let (fd, file) = unix::bind_path(listen, path, defer)?;
            listeners.push(Listener::new(listen, fd, Some(file), false)?);
        }
        Address::Abstract(name) => {
            listeners.push(Listener::new(
                listen,
                unix::bind_abstract(listen, name, defer)?,
                None,
                false,
            )?);
        }
    }
    Ok(())
}

/// Begins to listen, or changes the length of the queue and the options. Accepted connections inherit them. A buffer
/// that was set stays so: the kernel has no way back to deciding itself.
fn start(fd: impl AsFd, settings: &Listen, defer: Duration) -> io::Result<()> {
    let bytes = |size: ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
    if settings.send_buffer != ByteSize(0) {
        set_socket_send_buffer_size(&fd, bytes(settings.send_buffer))?;
    }
    if settings.receive_buffer != ByteSize(0) {
        set_socket_recv_buffer_size(&fd, bytes(settings.receive_buffer))?;
    }
    if matches!(settings.address, Address::Tcp { .. }) {
        set_socket_keepalive(&fd, settings.tcp_keepalive)?;
        let at_once = Duration::ZERO;
        set_defer_accept(
            &fd,
            if settings.defer_accept {
                defer
            } else {
                at_once
            },
        )?;
    }
    let backlog = settings.backlog.unwrap_or(BACKLOG);
    Ok(listen(fd, i32::try_from(backlog).unwrap_or(i32::MAX))?)
}

fn bound_address(fd: impl AsFd) -> io::Result<Bound> {
    use std::os::unix::ffi::OsStrExt;

    let address = getsockname(fd)?;
    if let Ok(address) = std::net::SocketAddr::try_from(address.clone()) {
        return Ok(Bound::Tcp(address));
    }
    let address = SocketAddrUnix::try_from(address)?;
    match (address.abstract_name(), address.path_bytes()) {
        (Some(name), _) => Ok(Bound::Abstract(name.to_owned())),
        (None, Some(path)) => Ok(Bound::Unix(std::ffi::OsStr::from_bytes(path).into())),
        (None, None) => Err(io::Error::other("the socket has no address")),
    }
}

fn failed(address: &Address, source: io::Error) -> ListenError {
    ListenError::Socket {
        address: address.to_string(),
        source,
    }
}

#[cfg(test)]
mod tests;
