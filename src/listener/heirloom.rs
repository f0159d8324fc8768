//! Listening sockets that go from one supervisor to the one after it, with what has to be known of each.
//!
//! For a while both have them, and each of them may end first. So the file of a Unix socket belongs to one of the two at
//! any time, who removes it at its end.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::config::{Address, Listen};

use super::{ListenError, Listener, Listeners, unix::SocketFile};

/// What travels beside the descriptor of a socket. Programs of different versions speak so: fields may be added, and none
/// may change what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Heirloom {
    /// As in the settings.
    address: String,
    /// It is the service manager's.
    inherited: bool,
    /// Path, device and inode of the file that was made for it.
    file: Option<(PathBuf, u64, u64)>,
}

impl Listeners {
    /// Every socket, and what to tell of it.
    pub(crate) fn heirlooms(&self) -> impl Iterator<Item = (Heirloom, BorrowedFd<'_>)> {
        self.iter().map(|listener| {
            let file = listener.socket.file.as_ref();
            let heirloom = Heirloom {
                address: listener.address.to_string(),
                inherited: listener.socket.is_inherited,
                file: file.map(SocketFile::identity),
            };
            (heirloom, listener.as_fd())
        })
    }

    /// The sockets that another supervisor has; their files stay its own until [`Listeners::own`].
    ///
    /// # Errors
    /// An address is none, or a descriptor no socket: the other supervisor means something that is unknown here.
    pub(crate) fn from_heirlooms(
        heirlooms: impl IntoIterator<Item = (Heirloom, OwnedFd)>,
    ) -> Result<Self, ListenError> {
        let listeners = heirlooms.into_iter().map(|(heirloom, fd)| {
            let address: Address = heirloom.address.parse().map_err(|_| ListenError::Socket {
                address: heirloom.address.clone(),
                source: io::ErrorKind::InvalidData.into(),
            })?;
            let file = heirloom.file.map(SocketFile::of_another);
            Listener::new(&Listen::at(address), fd, file, heirloom.inherited)
        });
        let listeners = listeners.collect::<Result<_, ListenError>>()?;
        Ok(Self { listeners })
    }

    /// From now on the files of these sockets are removed by us, and nobody else.
    pub(crate) fn own(&self) {
        self.files().for_each(|file| file.set_owned(true));
    }

    /// From now on somebody else removes the files of these sockets.
    pub(crate) fn disown(&self) {
        self.files().for_each(|file| file.set_owned(false));
    }

    fn files(&self) -> impl Iterator<Item = &SocketFile> {
        let sockets = self.listeners.iter();
        sockets.filter_map(|listener| listener.socket.file.as_ref())
    }
}
