//! One connection: its socket, what came in and is not used yet, what has to go out, and what it is doing.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    io::Errno,
    net::{RecvFlags, recv, sockopt},
};

use super::{
    body::Body,
    encryption::{Arrived, Tls},
    mounts::{ONLY, Place},
    output::{Flushed, Held, Output},
    peer::PeerText,
    program::Detour,
    route::Changes,
    wire::Wire,
};
use crate::{cgi::Program, config::Protocol, protocol::Head};

/// Room for a first read; most heads with small bodies fit.
const FIRST_READ: usize = 16 << 10;
/// Room kept free for further reads.
const NEXT_READ: usize = 4 << 10;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Reading a body that is buffered before the application is called.
    Body,
    /// Reading and dropping what the application left of a body.
    Discard,
    /// Sending what the socket did not take at once.
    Flush,
    /// Agreeing on the encryption, before the first head.
    Handshake,
    /// Reading a head; with nothing read yet: idle.
    Head,
    /// Reading what a proxy says of its client, before everything else.
    Proxied,
    /// Everything was said; reading until the client closes, so that its unread bytes do not destroy our answer.
    Linger,
}

/// What a read brought.
pub(super) enum Received {
    Closed,
    Data,
    WouldBlock,
}

/// What a closed connection leaves to the next one, so that it needs no memory of its own.
#[derive(Default)]
pub(super) struct Parts {
    peer: PeerText,
    pub(super) input: Vec<u8>,
    head: Head,
    output: Output,
}

/// See the module. Boxed where it waits, because it moves between tables and threads.
pub(super) struct Connection {
    pub(super) socket: OwnedFd,
    /// The encryption between the socket and everything else here.
    pub(super) tls: Option<Box<Tls>>,
    pub(super) listener: usize,
    pub(super) protocol: Protocol,
    pub(super) peer: PeerText,
    pub(super) phase: Phase,
    /// What begins when a proxy has said whose connection it is.
    pub(super) behind_proxy: Phase,
    /// Received and not used: a head, then a body or the next requests.
    pub(super) input: Vec<u8>,
    /// How far `input` was searched for the end of the head.
    pub(super) scanned: usize,
    pub(super) head: Head,
    pub(super) body: Body,
    pub(super) output: Output,
    /// Where the application is that answers the request; `None`: there is none.
    pub(super) place: Option<Place>,
    /// Whether the connection may carry another request once this response is out.
    pub(super) keep_alive: bool,
    /// Whether unread input would make close(2) destroy the answer.
    pub(super) linger: bool,
    /// The last read emptied the socket's buffer: wait for an event before reading again.
    pub(super) drained: bool,
    /// The client sends no more: whatever a read says, the next one tells of the end.
    pub(super) ended: bool,
    /// Bytes received since the scoreboard was told.
    pub(super) arrived: u64,
    /// When a thread learnt of its request that could not take it to the application, by the clock of the scoreboard; 0:
    /// whoever has it learnt of it when it woke up.
    pub(super) learnt_us: u64,
    /// Whether it ends because what came was no request.
    pub(super) is_refused: bool,
    /// Requests answered on it.
    pub(super) requests: u64,
    /// Whether the time for the head that is being read runs already.
    pub(super) head_begun: bool,
    /// Whether its head is read, and waits for a thread that has the application, or for one that routes it again.
    pub(super) is_left: bool,
    /// What the routes have changed about the request.
    pub(super) changes: Option<Box<Changes>>,
    /// The program that answers the request.
    pub(super) program: Option<Box<Program>>,
    /// Where a program has sent the request.
    pub(super) detour: Option<Box<Detour>>,
    /// Whether the client was told to go on with its body (`100 Continue`).
    pub(super) continued: bool,
    /// Milliseconds of the coarse clock at which the phase is given up; set when it begins or makes progress.
    pub(super) deadline: u64,
    /// Number in the table, once it had to wait.
    pub(super) slot: Option<u32>,
    /// Whether epoll watches for room to write.
    pub(super) watches_output: bool,
}

impl Connection {
    /// A connection that was just accepted.
    pub(super) fn new(socket: OwnedFd, listener: usize, protocol: Protocol, parts: Parts) -> Self {
        Self {
            socket,
            tls: None,
            listener,
            protocol,
            peer: parts.peer,
            phase: Phase::Head,
            behind_proxy: Phase::Head,
            input: parts.input,
            scanned: 0,
            head: parts.head,
            body: Body::default(),
            output: parts.output,
            place: Some(ONLY),
            keep_alive: false,
            linger: false,
            drained: false,
            ended: false,
            arrived: 0,
            learnt_us: 0,
            is_refused: false,
            requests: 0,
            head_begun: false,
            is_left: false,
            changes: None,
            program: None,
            detour: None,
            continued: false,
            deadline: 0,
            slot: None,
            watches_output: false,
        }
    }

    /// Closes the socket; what else the connection owned is left for the next one.
    pub(super) fn close(self) -> Parts {
        let Self {
            peer,
            mut input,
            head,
            mut output,
            ..
        } = self;
        input.clear();
        output.clear();
        Parts {
            peer,
            input,
            head,
            output,
        }
    }

    /// Reads once into `input`.
    pub(super) fn receive(&mut self) -> io::Result<Received> {
        if self.tls.is_some() {
            return self.receive_encrypted();
        }
        if self.input.capacity() == 0 {
            self.input.reserve(FIRST_READ);
        } else if self.input.capacity() - self.input.len() < NEXT_READ {
            self.input.reserve(NEXT_READ.max(self.input.len()));
        }
        let room = self.input.capacity() - self.input.len();
        loop {
            match recv(
                self.socket.as_fd(),
                spare_capacity(&mut self.input),
                RecvFlags::empty(),
            ) {
                Ok((0, _)) => return Ok(Received::Closed),
                Ok((length, _)) => {
                    self.received(length, room);
                    return Ok(Received::Data);
                }
                Err(Errno::AGAIN) => {
                    self.drained = true;
                    return Ok(Received::WouldBlock);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    #[inline(never)]
    fn receive_encrypted(&mut self) -> io::Result<Received> {
        let Some(tls) = &mut self.tls else {
            return Ok(Received::WouldBlock);
        };
        let before = self.input.len();
        match tls.receive(self.socket.as_fd(), &mut self.input)? {
            Arrived::Closed => Ok(Received::Closed),
            Arrived::Some { filled } => {
                self.arrived += (self.input.len() - before) as u64;
                // No event tells of the end that a close_notify is: only a further read finds it.
                self.drained = !filled && !self.ended && !tls.is_closed();
                Ok(Received::Data)
            }
            Arrived::WouldBlock => {
                self.drained = true;
                Ok(Received::WouldBlock)
            }
        }
    }

    /// Sends `staged`, or what is taken of it at once; the rest is queued. `staged` is empty after.
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn send(&mut self, staged: &mut Vec<u8>) -> io::Result<()> {
        let (output, mut wire) = self.output_and_wire();
        output.send(&mut wire, staged)
    }

    /// The same for `staged`, `held` behind it, and `tail` at the end.
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn send_held(
        &mut self,
        staged: &mut Vec<u8>,
        held: Box<dyn Held>,
        tail: &[u8],
    ) -> io::Result<()> {
        let (output, mut wire) = self.output_and_wire();
        output.send_held(&mut wire, staged, held, tail)
    }

    /// Sends what is queued, see [`Output::flush`].
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn flush(&mut self) -> io::Result<Flushed> {
        let (output, mut wire) = self.output_and_wire();
        output.flush(&mut wire)
    }

    /// Sends a few bytes at once, past the queue, which is empty.
    ///
    /// # Errors
    /// The connection has failed, or does not take them at once.
    pub(super) fn send_now(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (_, mut wire) = self.output_and_wire();
        match wire.send(bytes) {
            Ok(length) if length == bytes.len() && wire.settle()? => Ok(()),
            Ok(_) | Err(Errno::AGAIN) => Err(io::ErrorKind::WriteZero.into()),
            Err(error) => Err(error.into()),
        }
    }

    fn output_and_wire(&mut self) -> (&mut Output, Wire<'_>) {
        let wire = Wire::new(self.socket.as_fd(), self.tls.as_deref_mut());
        (&mut self.output, wire)
    }

    /// Whether the socket has taken everything.
    pub(super) fn is_flushed(&self) -> bool {
        self.output.is_empty() && self.tls.as_ref().is_none_or(|tls| !tls.is_pending())
    }

    /// Tells an encrypted client that nothing follows, when everything before it is out. Gives whether that is out too.
    ///
    /// # Errors
    /// The connection has failed.
    pub(super) fn say_goodbye(&mut self) -> io::Result<bool> {
        match &mut self.tls {
            Some(tls) if self.output.is_empty() => Ok(tls.say_goodbye(self.socket.as_fd())?),
            _ => Ok(true),
        }
    }

    /// Whoever owns the other end is to see it cut, not ended in order.
    pub(super) fn fall_silent(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.fall_silent();
        }
    }

    /// Notes what a read of `length` bytes says that could have been `room`.
    pub(super) fn received(&mut self, length: usize, room: usize) {
        self.arrived += length as u64;
        // epoll(7): less than asked for means that the buffer of a stream socket is empty. After the client's end no
        // event will come for it: only a further read finds it.
        self.drained = length < room && !self.ended;
    }

    /// Whether more than the running request has come.
    pub(super) fn is_pipelined(&self) -> bool {
        self.used() < self.input.len()
    }

    /// How much of `input` the running request is.
    fn used(&self) -> usize {
        self.body.position().max(self.head.len)
    }

    /// Whether it waits for a request of which nothing has come.
    pub(super) fn is_idle(&self) -> bool {
        self.phase == Phase::Head && self.input.is_empty()
    }

    /// Lets close(2) reset the connection instead of ending it: the client learns that something is missing, and the
    /// kernel keeps nothing for one that does not read. Unix sockets know no such thing.
    pub(super) fn reset(&mut self) {
        self.fall_silent();
        // It fails only for a socket that is not open, and this one is.
        let _ = sockopt::set_socket_linger(&self.socket, Some(Duration::ZERO));
    }

    /// PATH_INFO as routes have made it.
    pub(super) fn changed_path(&self) -> Option<&[u8]> {
        self.changes.as_ref()?.path.as_deref()
    }

    /// The running request, whose body has come to its end and is forgotten, goes elsewhere with its head.
    pub(super) fn begin_anew(&mut self, detour: Detour) {
        let used = self.used();
        self.input.drain(self.head.len..used);
        self.body = Body::default();
        self.head.become_get(&self.input);
        self.program = None;
        self.detour = Some(Box::new(detour));
        self.is_left = true;
    }

    /// Takes a finished request out of `input`; what follows it stays.
    pub(super) fn consume(&mut self) {
        let used = self.used();
        if used >= self.input.len() {
            self.input.clear();
        } else {
            self.input.drain(..used);
        }
        self.body = Body::default();
        self.changes = None;
        self.program = None;
        self.detour = None;
        self.scanned = 0;
        self.requests += 1;
    }
}
