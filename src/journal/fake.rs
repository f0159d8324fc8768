//! A journald for tests, in a directory of its own.

use std::{
    fs::{self, File},
    io::{IoSliceMut, Read, Seek},
    mem::MaybeUninit,
    os::unix::net::UnixDatagram,
    path::PathBuf,
};

use rustix::{
    net::{
        RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg, sockopt::set_socket_passcred,
    },
    process::Pid,
};
use tempfile::TempDir;

use super::journald::Journald;

/// Reads only when it is told to.
pub(super) struct Fake {
    directory: TempDir,
    socket: Option<UnixDatagram>,
}

impl Fake {
    pub(super) fn new() -> Self {
        let mut fake = Self {
            directory: tempfile::tempdir().unwrap(),
            socket: None,
        };
        fake.come_again();
        fake
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.path().join("socket")
    }

    pub(super) fn connect(&self) -> Journald {
        Journald::connect(self.path().to_str().unwrap()).unwrap()
    }

    pub(super) fn go(&mut self) {
        self.socket = None;
        fs::remove_file(self.path()).unwrap();
    }

    pub(super) fn come_again(&mut self) {
        self.socket = Some(UnixDatagram::bind(self.path()).unwrap());
    }

    /// From now on `other` is who is found at our path.
    pub(super) fn move_to(&self, other: &Self) {
        fs::remove_file(self.path()).unwrap();
        fs::hard_link(other.path(), self.path()).unwrap();
    }

    /// The next entry: the datagram, or the file that comes with it.
    pub(super) fn next(&self) -> String {
        let mut bytes = vec![0; 1 << 20];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let buffer = &mut [IoSliceMut::new(&mut bytes)];
        let socket = self.socket.as_ref().unwrap();
        let flags = RecvFlags::CMSG_CLOEXEC;
        let length = recvmsg(socket, buffer, &mut ancillary, flags).unwrap();
        bytes.truncate(length.bytes);
        for message in ancillary.drain() {
            let RecvAncillaryMessage::ScmRights(fds) = message else {
                continue;
            };
            let mut file = File::from(fds.into_iter().next().unwrap());
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Who has sent the next entry.
    pub(super) fn sender_of_next(&self) -> Pid {
        sender_of_next(self.socket.as_ref().unwrap())
    }
}

/// Asks for senders, and gives that of the next datagram, which is there already.
pub(super) fn sender_of_next(socket: &UnixDatagram) -> Pid {
    set_socket_passcred(socket, true).unwrap();
    let mut bytes = [0; 64];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let buffer = &mut [IoSliceMut::new(&mut bytes)];
    recvmsg(socket, buffer, &mut ancillary, RecvFlags::DONTWAIT).unwrap();
    let sender = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmCredentials(sender) => Some(sender.pid),
        _ => None,
    });
    sender.unwrap()
}
