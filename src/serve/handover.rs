//! Connections that go from one worker to whichever has time: those that a standby thread has accepted, or that wait in
//! a worker whose threads are all kept, and that turned out to want the application.
//!
//! All workers of a generation share one pair of sockets, as they share the listeners: what is put in at one end is taken
//! out at the other by a worker that has a thread to spare. A message is a connection's socket (SCM_RIGHTS) with what is
//! known of it and what was read from it. Nobody waits here: what does not fit stays where it is.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::Ordering,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, epoll, poll},
    io::Errno,
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
        SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
    },
};

use super::{
    application::Application,
    connection::{Connection, Phase},
    engine::{Engine, Topic, token},
    local::Local,
    peer::PeerText,
};
use crate::config::Protocol;

/// Messages that are longer stay where they are; a head is rarely longer than a few kilobytes.
const LONGEST: usize = 32 << 10;

/// The two ends, each worker having both.
#[derive(Debug)]
pub struct Handover {
    entry: OwnedFd,
    exit: OwnedFd,
}

/// A connection between two requests, the second of which has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handed {
    /// Number of the listener that it came from, the same for all workers.
    pub(super) listener: u32,
    pub(super) peer: PeerText,
    /// What was read from it.
    pub(super) input: Vec<u8>,
}

impl Handover {
    /// A pair for the workers that are forked from here on.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn new() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (entry, exit) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
        Ok(Self { entry, exit })
    }

    /// The same pair for one more process.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self {
            entry: self.entry.try_clone()?,
            exit: self.exit.try_clone()?,
        })
    }

    pub(super) fn ends(&self) -> [BorrowedFd<'_>; 2] {
        [self.entry.as_fd(), self.exit.as_fd()]
    }

    /// Where messages are waited for.
    pub(super) fn exit(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }

    pub(super) fn is_empty(&self) -> bool {
        let mut fds = [PollFd::new(&self.exit, PollFlags::IN)];
        !poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Whether the connection is on its way; if not it stays the caller's. The caller's own descriptor does.
    pub(super) fn put(&self, socket: BorrowedFd<'_>, handed: &Handed) -> bool {
        let message = handed.encode();
        if message.len() > LONGEST {
            return false;
        }
        let sockets = [socket];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&sockets))
            && sendmsg(
                &self.entry,
                &[IoSlice::new(&message)],
                &mut ancillary,
                SendFlags::NOSIGNAL,
            )
            .is_ok()
    }

    /// The next one, if there is one.
    pub(super) fn take(&self) -> Option<(OwnedFd, Handed)> {
        let mut message = vec![0; LONGEST];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let mut pieces = [IoSliceMut::new(&mut message)];
        let received = recvmsg(
            &self.exit,
            &mut pieces,
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        )
        .ok()?;
        let socket = ancillary.drain().find_map(|part| match part {
            RecvAncillaryMessage::ScmRights(mut sockets) => sockets.next(),
            _ => None,
        });
        message.truncate(received.bytes);
        Some((socket?, Handed::decode(&message)?))
    }
}

impl<A: Application> Engine<A> {
    /// Whether connections of a listener can go to another worker: no state of theirs is anywhere but in what was read.
    pub(super) fn can_be_handed(&self, protocol: Protocol) -> bool {
        self.handover.is_some()
            && match protocol {
                Protocol::Http | Protocol::Scgi | Protocol::Uwsgi => true,
                Protocol::Fastcgi | Protocol::Https => false,
            }
    }

    /// Hands over a connection whose request wants the application; gives whether it is another worker's from now on.
    pub(super) fn hand_over(&self, connection: &Connection) -> bool {
        let Some(handover) = &self.handover else {
            return false;
        };
        // A worker that drains may be the last one, and what a program has made of a request is not in its bytes.
        connection.phase == Phase::Head
            && connection.detour.is_none()
            && !self.draining.load(Ordering::SeqCst)
            && self.can_be_handed(connection.protocol)
            && handover.put(
                connection.socket.as_fd(),
                &Handed {
                    listener: connection.listener as u32,
                    peer: connection.peer.clone(),
                    input: connection.input.clone(),
                },
            )
    }

    /// Goes on with a connection that was handed over.
    pub(super) fn take_handed(&self, local: &mut Local, thread: &mut A::Thread) {
        let Some((socket, handed)) = self.handover.as_ref().and_then(Handover::take) else {
            return;
        };
        let number = handed.listener as usize;
        let Some(listener) = self.listeners.get(number) else {
            return;
        };
        let mut connection = local.connection(socket, number, listener.protocol);
        connection.peer = handed.peer;
        connection.input.extend_from_slice(&handed.input);
        self.open.fetch_add(1, Ordering::SeqCst);
        self.record(local).accepted();
        let next = self.drive(&mut connection, local, thread);
        self.settle(connection, next, local, thread);
    }

    /// EPOLLEXCLUSIVE as for listeners: one worker is enough.
    pub(super) fn watch_handover(&self) -> Result<(), Errno> {
        let Some(handover) = &self.handover else {
            return Ok(());
        };
        let flags = epoll::EventFlags::IN | epoll::EventFlags::EXCLUSIVE;
        let token = token(Topic::Handed, 0);
        match epoll::add(&self.epoll, handover.exit(), token, flags) {
            Err(Errno::EXIST) => Ok(()),
            added => added,
        }
    }

    pub(super) fn unwatch_handover(&self) {
        if let Some(handover) = &self.handover {
            // It is registered, but for moments in which this very thread changes that.
            let _ = epoll::delete(&self.epoll, handover.exit());
        }
    }
}

impl Handed {
    /// Number of the listener, trust, address and port with their lengths, input.
    fn encode(&self) -> Vec<u8> {
        let mut message = self.listener.to_ne_bytes().to_vec();
        message.push(u8::from(self.peer.trusted) | u8::from(self.peer.tls) << 1);
        for text in [&self.peer.address, &self.peer.port] {
            // No address has more than 255 characters.
            message.push(text.len() as u8);
            message.extend_from_slice(text.as_bytes());
        }
        message.extend_from_slice(&self.input);
        message
    }

    fn decode(message: &[u8]) -> Option<Self> {
        let (listener, rest) = message.split_first_chunk()?;
        let (flags, rest) = rest.split_first()?;
        let (address, rest) = text(rest)?;
        let (port, input) = text(rest)?;
        Some(Self {
            listener: u32::from_ne_bytes(*listener),
            peer: PeerText {
                address,
                port,
                trusted: flags & 1 != 0,
                tls: flags & 2 != 0,
            },
            input: input.to_vec(),
        })
    }
}

fn text(message: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = message.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((String::from_utf8(text.to_vec()).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };

    use super::*;

    fn handed(input: &[u8]) -> Handed {
        Handed {
            listener: 3,
            peer: PeerText {
                address: "2001:db8::1".to_owned(),
                port: "1234".to_owned(),
                trusted: true,
                tls: true,
            },
            input: input.to_vec(),
        }
    }

    #[test]
    fn a_connection_arrives_with_all_that_is_known_of_it() {
        let handover = Handover::new().unwrap();
        let (mut client, server) = UnixStream::pair().unwrap();
        assert!(handover.is_empty() && handover.take().is_none());
        assert!(handover.put(server.as_fd(), &handed(b"GET /")));
        drop(server);
        assert!(!handover.try_clone().unwrap().is_empty());
        let (socket, arrived) = handover.take().unwrap();
        assert_eq!(arrived, handed(b"GET /"));
        UnixStream::from(socket).write_all(b"hello").unwrap();
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        assert!(handover.is_empty());
    }

    #[test]
    fn what_does_not_fit_stays() {
        let handover = Handover::new().unwrap();
        let (_client, server) = UnixStream::pair().unwrap();
        assert!(!handover.put(server.as_fd(), &handed(&[b'x'; LONGEST])));
        let input = [b'x'; LONGEST / 2];
        let put = (0..10_000).take_while(|_| handover.put(server.as_fd(), &handed(&input)));
        let put = put.count();
        assert!((1..10_000).contains(&put), "{put}");
        assert_eq!(std::iter::from_fn(|| handover.take()).count(), put);
    }
}
