//! TLS between a connection's buffers and its socket: what rustls needs is received for it, what it has to say is sent.
//!
//! Nothing stays hidden in here when a call returns: whatever was received is decrypted and given out at once. So the
//! events of the socket alone say when to go on, as without TLS. In the other direction rustls keeps records that the
//! socket did not take, up to its limit of 64 KiB; nothing more is encrypted as long as there are any.
//!
//! What rustls knows of a connection is behind a lock, because whoever ends the request of a stuck thread answers in its
//! place (`watch`). Nobody waits for anything while holding it.

use std::{
    io::{self, BufRead, IoSlice, Write},
    mem::MaybeUninit,
    os::fd::BorrowedFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::{
    io::Errno,
    net::{RecvFlags, SendFlags, recv},
};
use rustls::ServerConnection;

use super::wire::send_pieces;
use crate::tls::{Facts, Server};

/// Received at once: a record of the largest size with its head and tag.
const AT_ONCE: usize = (16 << 10) + 256;
/// The first byte of a handshake (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// What one [`Tls::receive`] found.
pub(super) enum Arrived {
    /// The client sends no more.
    Closed,
    /// Something, which may or may not have been enough for plain bytes.
    Some {
        /// Whether there may be more to receive.
        filled: bool,
    },
    /// The socket's buffer is empty.
    WouldBlock,
}

/// What rustls knows of one connection.
#[derive(Clone)]
pub(super) struct Session(Arc<Mutex<ServerConnection>>);

impl Session {
    fn new(session: ServerConnection) -> Self {
        Self(Arc::new(Mutex::new(session)))
    }

    /// A thread that has failed with it has left it as rustls leaves it between any two calls.
    fn own(&self) -> MutexGuard<'_, ServerConnection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The records that say this and that nothing follows, for whoever speaks in place of the thread that serves the
    /// connection. That one must say nothing more.
    pub(super) fn last_words(&self, mut words: &[u8]) -> Vec<u8> {
        let mut session = self.own();
        let mut records = Vec::new();
        while !words.is_empty() {
            // It takes what there is room for, and so all of it in the end. Otherwise the client sees no whole answer.
            let Ok(taken @ 1..) = session.writer().write(words) else {
                return records;
            };
            words = &words[taken..];
            take_records(&mut session, &mut records);
        }
        session.send_close_notify();
        take_records(&mut session, &mut records);
        records
    }
}

fn take_records(session: &mut ServerConnection, records: &mut Vec<u8>) {
    // Memory takes everything.
    while session.wants_write() && session.write_tls(records).is_ok() {}
}

/// The encryption of one connection.
pub(super) struct Tls {
    session: Session,
    asks_client: bool,
    facts: Facts,
    state: State,
    /// The client has said that it sends no more (close_notify).
    closed: bool,
    /// Nothing is to be sent any more: all was said, or the connection is to end as if it were cut.
    mute: bool,
    /// Bytes of records that the socket has taken.
    sent: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It has broken; what still comes is dropped.
    Failed,
    /// Nothing has come.
    Fresh,
    /// The handshake runs.
    Handshaking,
    /// The first bytes were those of an HTTP request.
    PlainHttp,
    Ready,
}

impl Tls {
    /// For a connection that was just accepted; `None` if rustls has no use for its settings, which [`Server`] has
    /// found out before.
    pub(super) fn new(server: &Server) -> Option<Box<Self>> {
        let session = ServerConnection::new(server.config.clone()).ok()?;
        Some(Box::new(Self {
            session: Session::new(session),
            asks_client: server.asks_client,
            facts: Facts::default(),
            state: State::Fresh,
            closed: false,
            mute: false,
            sent: 0,
        }))
    }

    /// For whoever has to speak in place of this connection's thread.
    pub(super) fn session(&self) -> Session {
        self.session.clone()
    }

    /// What the application is told about it.
    pub(super) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Whether the handshake is over, all of it sent included.
    pub(super) fn is_ready(&self) -> bool {
        self.state == State::Ready && !self.session.own().wants_write()
    }

    /// Whether nothing has come yet.
    pub(super) fn is_fresh(&self) -> bool {
        self.state == State::Fresh
    }

    /// Whether the client speaks HTTP, as if there were no encryption.
    pub(super) fn is_plain_http(&self) -> bool {
        self.state == State::PlainHttp
    }

    /// Whether records wait for room in the socket.
    pub(super) fn is_pending(&self) -> bool {
        !self.mute && self.session.own().wants_write()
    }

    /// Bytes of records that the socket has taken so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// Whether the client has announced its end, so that no event will.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Receives once, and adds what it means to `input`.
    ///
    /// # Errors
    /// The connection has failed; or what came is not what TLS allows, and an alert may be waiting to be sent.
    pub(super) fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        input: &mut Vec<u8>,
    ) -> io::Result<Arrived> {
        if self.closed {
            return Ok(Arrived::Closed);
        }
        let mut space = [MaybeUninit::uninit(); AT_ONCE];
        let received = loop {
            match recv(socket, &mut space[..], RecvFlags::empty()) {
                Ok(((received, _), _)) => break received,
                Err(Errno::AGAIN) => return Ok(Arrived::WouldBlock),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if received.is_empty() {
            return Ok(Arrived::Closed);
        }
        self.take_in(received, input)?;
        Ok(Arrived::Some {
            filled: received.len() == AT_ONCE,
        })
    }

    fn take_in(&mut self, mut received: &[u8], input: &mut Vec<u8>) -> io::Result<()> {
        match (self.state, received.first()) {
            (State::Failed | State::PlainHttp, _) => return Ok(()),
            (State::Fresh, Some(first)) if *first != HANDSHAKE && first.is_ascii_uppercase() => {
                self.state = State::PlainHttp;
                return Err(io::ErrorKind::InvalidData.into());
            }
            (State::Fresh, _) => self.state = State::Handshaking,
            _ => {}
        }
        let taken = self.decrypt(&mut received, input);
        if taken.is_err() {
            self.state = State::Failed;
        } else if self.state == State::Handshaking {
            let session = self.session.own();
            if !session.is_handshaking() {
                self.state = State::Ready;
                self.facts = Facts::of(&session, self.asks_client);
            }
        }
        taken
    }

    /// rustls takes some kilobytes at a time, and gives out what they hold before it takes more.
    fn decrypt(&mut self, received: &mut &[u8], input: &mut Vec<u8>) -> io::Result<()> {
        let mut session = self.session.own();
        while !received.is_empty() && !self.closed {
            session.read_tls(received)?;
            let state = session.process_new_packets();
            let state = state.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            let mut left = state.plaintext_bytes_to_read();
            input.reserve(left);
            let mut reader = session.reader();
            while left > 0 {
                let piece = reader.fill_buf()?;
                input.extend_from_slice(piece);
                let length = piece.len();
                left -= length;
                reader.consume(length);
            }
            // What follows a close_notify counts for nothing (RFC 8446 section 6.1).
            self.closed = state.peer_has_closed();
        }
        Ok(())
    }

    /// Encrypts what there is room for, and sends what the socket takes of that. What was encrypted counts as sent.
    ///
    /// # Errors
    /// `AGAIN`: earlier records have to go first; all else: the connection has failed.
    pub(super) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Result<usize, Errno> {
        if self.mute || self.state != State::Ready {
            return Err(Errno::PIPE);
        }
        if !self.push(socket)? {
            return Err(Errno::AGAIN);
        }
        let taken = self.session.own().writer().write_vectored(pieces);
        let taken = taken.map_err(|error| errno(&error))?;
        self.push(socket)?;
        Ok(taken)
    }

    /// Sends what the socket takes of the records that wait; gives whether none is left.
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn push(&mut self, socket: BorrowedFd<'_>) -> Result<bool, Errno> {
        while self.is_pending() {
            let written = self.session.own().write_tls(&mut Sender(socket));
            match written {
                Ok(length) => self.sent += length as u64,
                Err(error) => match errno(&error) {
                    Errno::AGAIN => return Ok(false),
                    Errno::INTR => {}
                    error => return Err(error),
                },
            }
        }
        Ok(true)
    }

    /// Says that nothing follows (RFC 8446 section 6.1: "Each party MUST send a close_notify alert before closing its
    /// write side of the connection"), so that nobody takes a connection that was cut for a whole answer. Gives whether
    /// the word is out, and all before it.
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn say_goodbye(&mut self, socket: BorrowedFd<'_>) -> Result<bool, Errno> {
        if self.state == State::Ready {
            self.session.own().send_close_notify();
        }
        self.push(socket)
    }

    /// Nothing more is sent, no close_notify either: the client is to notice that something is missing.
    pub(super) fn fall_silent(&mut self) {
        self.mute = true;
    }
}

/// A socket as rustls writes to it.
struct Sender<'s>(BorrowedFd<'s>);

impl Write for Sender<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(send_pieces(self.0, pieces, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is none of the kernel's is the client's breach of the protocol.
fn errno(error: &io::Error) -> Errno {
    Errno::from_io_error(error).unwrap_or(Errno::PROTO)
}
