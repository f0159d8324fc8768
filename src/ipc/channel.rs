//! One end of a connection that keeps messages apart (unix(7), SOCK_SEQPACKET).

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::{
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
        SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
        sendmsg, socketpair,
    },
};
use serde::{Serialize, de::DeserializeOwned};

use super::large::{self, MAX_LARGE};

/// Longest datagram in bytes, see [`large`] for what is longer; the kernel's default buffer takes 208 KiB.
const MAX_MESSAGE: usize = 128 << 10;
/// Most descriptors with one message (SCM_MAX_FD of unix(7)).
const MAX_DESCRIPTORS: usize = 253;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why a message did not get through.
#[derive(Debug, thiserror::Error)]
pub enum IpcError {
    /// The peer is gone, so the message was not sent.
    #[error("the other process has closed the channel")]
    Closed,
    /// The bytes are not the message that is expected here.
    #[error("a message cannot be understood")]
    Malformed(#[source] serde_json::Error),
    /// The kernel refused to receive.
    #[error("cannot receive a message")]
    Receive(#[source] io::Error),
    /// The kernel refused to send.
    #[error("cannot send a message")]
    Send(#[source] io::Error),
    /// Too much for one message.
    #[error(
        "a message of {bytes} bytes with {descriptors} descriptors is too large (the limits are {MAX_LARGE} and {MAX_DESCRIPTORS})"
    )]
    TooLarge {
        /// Its length.
        bytes: usize,
        /// How many descriptors it has.
        descriptors: usize,
    },
    /// A part of the message, or descriptors with it, did not fit (too many open files, for example).
    #[error("a message arrived incomplete; is the limit of open files (LimitNOFILE=) reached?")]
    Truncated,
    /// The peer was built from another version.
    #[error(
        "the program has version {VERSION} here and {theirs} there: restart the service if hostler was upgraded, or install both parts from the same release"
    )]
    Version {
        /// What the peer calls itself.
        theirs: String,
    },
}

impl IpcError {
    /// Whether a non-blocking channel only asks to come back when it is ready.
    pub fn is_would_block(&self) -> bool {
        matches!(self, Self::Receive(error) | Self::Send(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// One end. Whoever drops it says good-bye: the peer receives `None`.
#[derive(Debug)]
pub struct Channel {
    fd: OwnedFd,
    /// What every message begins with; a message that begins with something else is refused.
    greeting: &'static str,
}

impl Channel {
    /// Two connected ends, blocking, close-on-exec.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self::from_fd(one), Self::from_fd(other)))
    }

    /// An end that came from another process.
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self {
            fd,
            greeting: VERSION,
        }
    }

    /// Messages begin with this instead of the version, as where versions have to understand each other.
    pub fn greeting(self, greeting: &'static str) -> Self {
        Self { greeting, ..self }
    }

    /// The bare descriptor, to be handed to another process.
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }

    /// From now on `send` and `recv` fail where they would wait, see [`IpcError::is_would_block`].
    pub fn set_nonblocking(&self) -> io::Result<()> {
        Ok(rustix::io::ioctl_fionbio(&self.fd, true)?)
    }

    /// Sends one message; the peer gets duplicates of `fds`.
    pub fn send(&self, message: &impl Serialize, fds: &[BorrowedFd<'_>]) -> Result<(), IpcError> {
        let mut bytes = format!("{}\n", self.greeting).into_bytes();
        serde_json::to_writer(&mut bytes, message).map_err(IpcError::Malformed)?;
        let is_large = bytes.len() > MAX_MESSAGE;
        let descriptors = fds.len() + usize::from(is_large);
        if bytes.len() > MAX_LARGE || descriptors > MAX_DESCRIPTORS {
            return Err(IpcError::TooLarge {
                bytes: bytes.len(),
                descriptors,
            });
        }
        match is_large {
            false => self.send_datagram(&bytes, fds),
            true => {
                let (version, message) = bytes.split_at(self.greeting.len() + 1);
                let file = large::write(message)?;
                self.send_datagram(version, &[fds, &[file.as_fd()]].concat())
            }
        }
    }

    fn send_datagram(&self, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), IpcError> {
        let mut space = vec![MaybeUninit::uninit(); ancillary_space(fds.len())];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(fds));
        }
        let bytes = [IoSlice::new(bytes)];
        match retry_on_intr(|| sendmsg(&self.fd, &bytes, &mut ancillary, SendFlags::NOSIGNAL)) {
            Ok(_) => Ok(()),
            Err(Errno::PIPE | Errno::CONNRESET) => Err(IpcError::Closed),
            Err(errno) => Err(IpcError::Send(errno.into())),
        }
    }

    /// Receives one message and its descriptors, close-on-exec; `None` when the peer has closed its end.
    pub fn recv<T: DeserializeOwned>(&self) -> Result<Option<(T, Vec<OwnedFd>)>, IpcError> {
        let mut bytes = vec![0; MAX_MESSAGE];
        let mut space = vec![MaybeUninit::uninit(); ancillary_space(MAX_DESCRIPTORS)];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let buffer = &mut [IoSliceMut::new(&mut bytes)];
            match recvmsg(&self.fd, buffer, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
                // A peer that leaves without reading everything resets the connection, and the kernel tells that first
                // and once, before what the peer had said and before the end.
                Err(Errno::CONNRESET | Errno::INTR) => {}
                Err(errno) => return Err(IpcError::Receive(errno.into())),
                Ok(received) if received.bytes == 0 => return Ok(None),
                Ok(received) => break received,
            }
        };
        let fds = ancillary.drain().filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        });
        let mut fds: Vec<OwnedFd> = fds.flatten().collect();
        if received
            .flags
            .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
        {
            return Err(IpcError::Truncated);
        }
        let message = split_greeting(&bytes[..received.bytes], self.greeting)?;
        let message = match (message, fds.pop()) {
            ([], Some(file)) => serde_json::from_slice(&large::read(file)?),
            (message, last) => {
                fds.extend(last);
                serde_json::from_slice(message)
            }
        };
        let message = message.map_err(IpcError::Malformed)?;
        Ok(Some((message, fds)))
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl std::os::fd::AsRawFd for Channel {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.fd.as_raw_fd()
    }
}

fn ancillary_space(descriptors: usize) -> usize {
    rustix::cmsg_space!(ScmRights(descriptors))
}

/// The message behind the greeting, which has to be ours. It is empty when it is in a file.
fn split_greeting<'b>(bytes: &'b [u8], greeting: &str) -> Result<&'b [u8], IpcError> {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let version = parts.next().unwrap_or_default();
    if version != greeting.as_bytes() {
        let theirs = String::from_utf8_lossy(version).into_owned();
        return Err(IpcError::Version { theirs });
    }
    Ok(parts.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Read, io::Write};

    use rustix::{
        io::{FdFlags, fcntl_getfd},
        net::{SendFlags, send},
        pipe::{PipeFlags, pipe_with},
    };

    use super::*;
    use crate::ipc::{FromZygote, ToZygote};

    fn error_for(bytes: &[u8]) -> IpcError {
        let (here, there) = Channel::pair().unwrap();
        send(&here, bytes, SendFlags::empty()).unwrap();
        there.recv::<ToZygote>().unwrap_err()
    }

    #[test]
    fn a_message_arrives_with_its_descriptors() {
        let (here, there) = Channel::pair().unwrap();
        let (read, write) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        here.send(&ToZygote::Fork { slot: 3 }, &[write.as_fd()])
            .unwrap();
        drop(write);
        let (message, mut fds) = there.recv::<ToZygote>().unwrap().unwrap();
        assert!(matches!(message, ToZygote::Fork { slot: 3 }));
        assert_eq!(fds.len(), 1);
        assert_eq!(fcntl_getfd(&fds[0]).unwrap(), FdFlags::CLOEXEC);
        File::from(fds.remove(0)).write_all(b"through").unwrap();
        let mut text = String::new();
        File::from(read).read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
    }

    #[test]
    fn as_many_descriptors_as_the_kernel_takes() {
        let (here, there) = Channel::pair().unwrap();
        here.send(&ToZygote::Stop, &[here.as_fd(); MAX_DESCRIPTORS])
            .unwrap();
        assert_eq!(
            there.recv::<ToZygote>().unwrap().unwrap().1.len(),
            MAX_DESCRIPTORS
        );
        let error = here
            .send(&ToZygote::Stop, &[here.as_fd(); MAX_DESCRIPTORS + 1])
            .unwrap_err();
        assert!(matches!(
            error,
            IpcError::TooLarge {
                descriptors: 254,
                ..
            }
        ));
    }

    /// A message with so many letters arrives, with its descriptor.
    #[track_caller]
    fn check_long(length: usize) {
        let (here, there) = Channel::pair().unwrap();
        let python = "x".repeat(length);
        let message = FromZygote::Ready {
            python: python.clone(),
        };
        here.send(&message, &[here.as_fd()]).unwrap();
        let (message, fds) = there.recv::<FromZygote>().unwrap().unwrap();
        assert!(matches!(message, FromZygote::Ready { python: got } if got == python));
        assert_eq!(fds.len(), 1);
    }

    #[test]
    fn messages_up_to_the_limit() {
        check_long(MAX_MESSAGE - 64);
        check_long(MAX_MESSAGE);
        check_long(MAX_LARGE - 64);
        let (here, _there) = Channel::pair().unwrap();
        let error = here.send(&"x".repeat(MAX_LARGE), &[]).unwrap_err();
        assert!(matches!(error, IpcError::TooLarge { .. }));
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let (here, there) = Channel::pair().unwrap();
        let file = tempfile::tempfile().unwrap();
        file.set_len(MAX_LARGE as u64 + 1).unwrap();
        let datagram = format!("{VERSION}\n");
        here.send_datagram(datagram.as_bytes(), &[file.as_fd()])
            .unwrap();
        let error = there.recv::<FromZygote>().unwrap_err();
        assert!(matches!(error, IpcError::TooLarge { .. }));
    }

    #[test]
    fn a_closed_peer_is_seen_by_both_directions() {
        let (here, there) = Channel::pair().unwrap();
        drop(there);
        assert!(here.recv::<ToZygote>().unwrap().is_none());
        assert!(matches!(
            here.send(&ToZygote::Stop, &[]),
            Err(IpcError::Closed)
        ));
    }

    #[test]
    fn a_peer_that_leaves_without_reading_is_heard_to_the_end() {
        let (here, there) = Channel::pair().unwrap();
        here.send(&ToZygote::Stop, &[]).unwrap();
        there.send(&ToZygote::Stop, &[]).unwrap();
        drop(there);
        assert!(here.recv::<ToZygote>().unwrap().is_some());
        assert!(here.recv::<ToZygote>().unwrap().is_none());
    }

    #[test]
    fn nothing_to_receive_is_no_failure() {
        let (here, _there) = Channel::pair().unwrap();
        here.set_nonblocking().unwrap();
        assert!(here.recv::<ToZygote>().unwrap_err().is_would_block());
    }

    #[test]
    fn other_versions_are_told_apart_from_nonsense() {
        let other = error_for(b"9.9.9\n{\"New\":{}}");
        assert!(matches!(other, IpcError::Version { theirs } if theirs == "9.9.9"));
        let nonsense = error_for(format!("{VERSION}\n{{\"New\":{{}}}}").as_bytes());
        assert!(matches!(nonsense, IpcError::Malformed(_)));
    }

    #[test]
    fn what_does_not_fit_is_truncated() {
        assert!(matches!(
            error_for(&vec![b'x'; MAX_MESSAGE + 1]),
            IpcError::Truncated
        ));
    }
}
