//! What can be wrong with a listener, each with what to do about it.

use std::{io, path::PathBuf};

use crate::systemd::InheritedError;

/// Why the service cannot listen as its settings say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// The kernel does not give the file away.
    #[error(
        "cannot set mode, owner or group of {path}; only root may give files away: let a socket unit make the socket (SocketUser=, SocketGroup=, SocketMode=), or leave out owner and group"
    )]
    Access {
        /// The socket's file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// There is something else.
    #[error("{path} exists and is not a socket; move it away, or listen elsewhere")]
    Blocked {
        /// The file.
        path: PathBuf,
    },
    /// A socket unit and the settings agree on a name and on nothing else.
    #[error(
        "the inherited socket called {name} is bound to {bound}, and its [[listen]] says {address}; if the settings have changed: systemctl daemon-reload, then restart the socket unit"
    )]
    Elsewhere {
        /// What both say.
        name: String,
        /// What the socket unit says.
        bound: String,
        /// What the settings say.
        address: String,
    },
    /// Somebody listens there.
    #[error(
        "cannot listen on {address}: it is in use by another server; stop that one (hostler doctor names it), or listen elsewhere"
    )]
    InUse {
        /// As in the settings.
        address: String,
    },
    /// The service manager gave us something unusable.
    #[error(transparent)]
    Inherited(#[from] InheritedError),
    /// There is no place for the socket's file.
    #[error(
        "cannot listen on {path}: the directory {directory} does not exist; create it, or let systemd do it (RuntimeDirectory=)"
    )]
    NoDirectory {
        /// The socket's file.
        path: PathBuf,
        /// What is missing.
        directory: PathBuf,
    },
    /// No such user or group.
    #[error("cannot set {what} of {path}: there is no {what} \"{name}\"")]
    NoSuchName {
        /// `owner` or `group`.
        what: &'static str,
        /// The socket's file.
        path: PathBuf,
        /// The name in the settings.
        name: String,
    },
    /// A port below 1024, or a directory of somebody else.
    #[error(
        "cannot listen on {address}: not permitted; ports below 1024 need a socket unit (hostler@.socket) or CAP_NET_BIND_SERVICE, files need a directory that this user may write to"
    )]
    Permission {
        /// As in the settings.
        address: String,
    },
    /// The name means nothing.
    #[error("cannot listen on {address}: the host name has no address")]
    Resolve {
        /// As in the settings.
        address: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot listen on {address}")]
    Socket {
        /// As in the settings.
        address: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A socket unit and the settings disagree.
    #[error(
        "inherited sockets that no [[listen]] names: {unknown}; the [[listen]] addresses are: {wanted}; if the settings have changed: systemctl daemon-reload, then restart the socket unit"
    )]
    Unknown {
        /// Addresses and names.
        unknown: String,
        /// Addresses.
        wanted: String,
    },
}
