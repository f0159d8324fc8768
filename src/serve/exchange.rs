//! One request and its response, as the application sees them.
//!
//! The application hands over a [`ResponseHead`] and bytes; framing (RFC 9112 section 6), persistence, HEAD and the
//! promises of Content-Length are kept here. Nothing here blocks but [`Exchange::wait`] and [`Exchange::read_body`].

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{RecvFlags, SendFlags, recv, send},
};
use tracing::error;

use super::{
    body::{BodyError, Ready},
    clock::DateText,
    connection::{Connection, Received},
    output::Held,
    request_id::{self, Names},
    rules::Rules,
    watch::Watch,
};
use crate::{
    environ::{self, Peer, Variable},
    journal::{self, Access},
    protocol::{
        Framing, Kind, Request, Version,
        http::response::{self, BodyFraming, Facts},
    },
    scoreboard::{ThreadSlot, now_us},
};

/// From this size on, bytes of the application are sent from where they are instead of being copied behind the head.
pub(super) const COPY_BELOW: usize = 16 << 10;

/// What a thread reuses from request to request.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) staged: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) date: DateText,
    /// The name of the request, empty as long as nobody has asked for it.
    pub(super) request_id: String,
    pub(super) names: Names,
}

/// What the application wants to be said before the body: filled by its side, committed by [`Exchange::commit`].
#[derive(Debug, Default)]
pub struct ResponseHead {
    /// Code and reason, `200 OK`.
    pub status: Vec<u8>,
    /// Header lines as they go out, each with its CRLF; see [`response::header`].
    pub lines: Vec<u8>,
    /// What the lines say about framing.
    pub facts: Facts,
}

/// Where the request body is.
pub enum BodySupply<'x> {
    /// There is none, or it is empty.
    Empty,
    /// All of it, in memory.
    Memory(&'x [u8]),
    /// All of it, in a nameless temporary file (a descriptor of its own with its own position), with its length.
    Spooled(OwnedFd, u64),
    /// It comes while it is read, by [`Exchange::read_body`].
    Stream,
}

/// How the client is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More is kept for it than the settings allow: [`Exchange::wait`] before the next piece.
    Full,
    /// It has gone, or its connection failed: whatever else is written is dropped.
    Gone,
    /// It takes more.
    Open,
}

/// See the module.
pub struct Exchange<'e> {
    pub(super) connection: &'e mut Connection,
    pub(super) scratch: &'e mut Scratch,
    pub(super) rules: &'e Rules,
    pub(super) server: (&'e str, &'e str),
    pub(super) draining: &'e AtomicBool,
    record: &'e ThreadSlot,
    watch: &'e Watch,
    pub(super) answer: Answer,
}

/// How far the response is.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Body bytes handed over by the application, as far as they go out.
    pub(super) sent: u64,
    pub(super) finished: bool,
    pub(super) gone: bool,
    committed: bool,
    framing: Option<BodyFraming>,
    /// Of a declared length, what is still owed.
    owed: u64,
    surplus: bool,
}

impl<'e> Exchange<'e> {
    pub(super) fn new(
        connection: &'e mut Connection,
        scratch: &'e mut Scratch,
        rules: &'e Rules,
        server: (&'e str, &'e str),
        draining: &'e AtomicBool,
        (record, watch): (&'e ThreadSlot, &'e Watch),
    ) -> Self {
        scratch.staged.clear();
        scratch.request_id.clear();
        connection.keep_alive = false;
        Self {
            connection,
            scratch,
            rules,
            server,
            draining,
            record,
            watch,
            answer: Answer::default(),
        }
    }

    /// The request.
    pub fn request(&self) -> Request<'_> {
        Request {
            head: &self.connection.head,
            buffer: &self.connection.input,
        }
    }

    /// Gives each CGI variable of the request to `visitor`, once.
    pub fn variables(&mut self, visitor: impl FnMut(Variable<'_>, &[u8])) {
        let request = Request {
            head: &self.connection.head,
            buffer: &self.connection.input,
        };
        let peer = &self.connection.peer;
        let peer = Peer {
            server_name: self.server.0,
            server_port: self.server.1,
            remote_addr: &peer.address,
            remote_port: &peer.port,
            tls: false,
            trusted: peer.trusted,
        };
        environ::visit(&request, &peer, &mut self.scratch.path, visitor);
    }

    /// `http` or `https`, as far as the client or a trusted proxy says so.
    pub fn scheme(&self) -> &'static str {
        let peer = &self.connection.peer;
        let peer = Peer {
            server_name: self.server.0,
            server_port: self.server.1,
            remote_addr: &peer.address,
            remote_port: &peer.port,
            tls: false,
            trusted: peer.trusted,
        };
        environ::scheme(&self.request(), &peer)
    }

    /// The client's address, for the log; empty for Unix sockets.
    pub fn remote_addr(&self) -> &str {
        &self.connection.peer.address
    }

    /// Whether each request has a name that the application shall know of: because it is logged, or answered with it.
    pub fn names_requests(&self) -> bool {
        self.rules.access || self.rules.answer_request_id
    }

    /// The name of the request: a trusted proxy's, or made at the first call.
    pub fn request_id(&mut self) -> &str {
        if self.scratch.request_id.is_empty() {
            let request = Request {
                head: &self.connection.head,
                buffer: &self.connection.input,
            };
            let trusted = self.connection.peer.trusted;
            let Scratch {
                request_id, names, ..
            } = &mut *self.scratch;
            let given = trusted.then(|| request_id::given(&self.rules.request_id, &request));
            match given.flatten() {
                Some(given) => request_id.push_str(given),
                None => names.next(request_id),
            }
        }
        &self.scratch.request_id
    }

    /// Logs the request, which took so long and was answered with this status.
    pub(super) fn log(&mut self, duration_us: u64, status: u16) {
        self.request_id();
        let request = self.request();
        let authority = self.connection.head.authority.of(&self.connection.input);
        let host = match authority {
            b"" => self.rules.host.of(&request),
            authority => authority,
        };
        journal::access(&Access {
            method: request.method(),
            target: request.target(),
            host,
            peer: &self.connection.peer.address,
            status,
            bytes: self.answer.sent,
            duration_us,
            request_id: &self.scratch.request_id,
            traceparent: request_id::traceparent(&self.rules.traceparent, &request),
        });
    }

    /// Where the request body is.
    ///
    /// # Errors
    /// A spooled body's file cannot be opened again.
    pub fn body(&self) -> io::Result<BodySupply<'_>> {
        let connection = &*self.connection;
        if connection.head.framing == Framing::None || connection.head.framing == Framing::Length(0)
        {
            return Ok(BodySupply::Empty);
        }
        if !connection.body.is_read() {
            return Ok(BodySupply::Stream);
        }
        Ok(match connection.body.ready(&connection.input) {
            Ready::Memory([]) => BodySupply::Empty,
            Ready::Memory(bytes) => BodySupply::Memory(bytes),
            Ready::Spooled(file, length) => BodySupply::Spooled(file.try_clone()?.into(), length),
        })
    }

    /// Reads a streamed body; 0 at its end. Waits for the client, at most `timeouts.socket` at a time.
    ///
    /// # Errors
    /// `TimedOut`: the client was silent too long; `UnexpectedEof`, `ConnectionReset`: it has gone; `InvalidData`: its
    /// framing is wrong or the body larger than `http.max-body`. The connection closes after the response.
    pub fn read_body(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.try_read_body(buffer);
        if read.is_err() {
            self.connection.linger = true;
        }
        read
    }

    fn try_read_body(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let connection = &mut *self.connection;
        while !buffer.is_empty() && !connection.body.is_given() {
            let taken = connection
                .body
                .take(&mut connection.input, buffer)
                .map_err(|error| match error {
                    BodyError::Refused(refusal) => {
                        io::Error::new(io::ErrorKind::InvalidData, refusal.reason)
                    }
                    BodyError::Spool(error) => error,
                })?;
            if taken > 0 || connection.body.is_given() {
                return Ok(taken);
            }
            if connection.head.expect_continue && !connection.continued && !self.answer.committed {
                connection.continued = true;
                send_continue(connection)?;
            }
            let received = match connection.body.direct(&connection.input) {
                Some(left) if buffer.len() >= COPY_BELOW => {
                    receive_directly(connection, buffer, left)?
                }
                _ => match connection.receive()? {
                    Received::Closed => return Err(gone()),
                    Received::Data => continue,
                    Received::WouldBlock => 0,
                },
            };
            if received > 0 {
                return Ok(received);
            }
            await_socket(connection, self.watch, PollFlags::IN, self.rules.socket)?;
        }
        Ok(0)
    }

    /// From now on the request may take so long, whatever `limits.harakiri` says; `None`: as long as it likes.
    pub fn set_deadline(&mut self, time: Option<Duration>) {
        self.record.set_deadline(time.map_or(0, |time| {
            let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            now_us().saturating_add(time)
        }));
    }

    /// Whether the request was ended because it took too long.
    pub fn is_ended(&self) -> bool {
        self.watch.is_ended()
    }

    /// The status of the response, 0 as long as there is none.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Whether the head is on its way, so that it cannot be replaced any more.
    pub fn is_committed(&self) -> bool {
        self.answer.committed
    }

    /// Whether bytes of a body are dropped anyway (HEAD, 204, 304), so that making them is not worth the while.
    pub fn is_bodiless(&self) -> bool {
        self.answer.framing == Some(BodyFraming::None)
    }

    /// Fixes status and headers. `length` is the length of the whole body where it is known; it becomes the
    /// Content-Length if the application gave none.
    pub fn commit(&mut self, head: &ResponseHead, length: Option<u64>) {
        let names_itself = self.rules.answer_request_id && !self.has_request_id(head);
        if names_itself {
            self.request_id();
        }
        let mut facts = head.facts;
        facts.body_length = length;
        facts.close |= self.must_close();
        let request = &self.connection.head;
        let is_head = request.method.of(&self.connection.input) == b"HEAD";
        let (framing, keep_alive) = response::plan(request, is_head, &facts);
        let Scratch {
            staged: out,
            request_id,
            date,
            ..
        } = &mut *self.scratch;
        // RFC 9112 section 2.3: a server answers with its own version. Over uwsgi the front server's word is repeated.
        let version = match request.kind {
            Kind::Http => Version::Http11,
            Kind::Uwsgi { .. } => request.version,
        };
        response::status_line(out, version, &head.status);
        out.extend_from_slice(&head.lines);
        if names_itself {
            let name = self.rules.request_id.name.as_bytes();
            response::header(out, name, request_id.as_bytes());
        }
        let date = date.now();
        response::finish_head(out, request, &facts, framing, keep_alive, date.as_bytes());
        self.connection.keep_alive = keep_alive;
        self.answer.status = facts.status;
        self.answer.owed = match framing {
            BodyFraming::Length(length) => length,
            _ => 0,
        };
        self.answer.framing = Some(framing);
        self.answer.committed = true;
    }

    /// Whether the application has named the request itself.
    fn has_request_id(&self, head: &ResponseHead) -> bool {
        let name = self.rules.request_id.name.as_bytes();
        let mut lines = head.lines.split(|&byte| byte == b'\n');
        lines.any(|line| {
            let (found, rest) = line.split_at(line.len().min(name.len()));
            found.eq_ignore_ascii_case(name) && rest.starts_with(b":")
        })
    }

    /// Whether what is known so far forbids another request on this connection.
    fn must_close(&self) -> bool {
        let connection = &*self.connection;
        let body_is_short = connection
            .body
            .left()
            .is_some_and(|left| left <= self.rules.discard);
        let unread = !connection.body.is_read() && !body_is_short;
        let waiting =
            connection.head.expect_continue && !connection.continued && !connection.body.is_read();
        self.rules.keep_alive_ms == 0
            || unread
            || waiting
            || connection.linger
            || self.draining.load(Ordering::Relaxed)
    }

    /// Stages bytes of the body; [`Exchange::flush`] or [`Exchange::finish`] send them.
    pub fn write(&mut self, data: &[u8]) {
        let data = &data[..self.admit(data.len())];
        if data.is_empty() {
            return;
        }
        let out = &mut self.scratch.staged;
        if self.answer.framing == Some(BodyFraming::Chunked) {
            response::chunk_header(out, data.len());
            out.extend_from_slice(data);
            out.extend_from_slice(response::CHUNK_END);
        } else {
            out.extend_from_slice(data);
        }
    }

    /// Like [`Exchange::write`] and [`Exchange::flush`] for bytes that are too many to be copied.
    pub fn write_held(&mut self, data: Box<dyn Held>) -> Progress {
        let length = data.bytes().len();
        let admitted = self.admit(length);
        if admitted < length || length < COPY_BELOW {
            // The application gives more than it promised, which happens never or once.
            self.stage_admitted(&data.bytes()[..admitted]);
            return self.flush();
        }
        let mut tail: &[u8] = b"";
        if self.answer.framing == Some(BodyFraming::Chunked) {
            response::chunk_header(&mut self.scratch.staged, length);
            tail = response::CHUNK_END;
        }
        self.send(Some(data), tail)
    }

    fn stage_admitted(&mut self, data: &[u8]) {
        let length = data.len() as u64;
        self.answer.sent -= length;
        self.answer.owed += if matches!(self.answer.framing, Some(BodyFraming::Length(_))) {
            length
        } else {
            0
        };
        self.write(data);
    }

    /// Sends `length` bytes of a file from `offset` on, without passing them through the application's thread.
    pub fn write_file(&mut self, file: OwnedFd, offset: u64, length: u64) -> Progress {
        let admitted = self.admit(usize::try_from(length).unwrap_or(usize::MAX)) as u64;
        if admitted == 0 {
            return self.flush();
        }
        let chunked = self.answer.framing == Some(BodyFraming::Chunked);
        if chunked {
            response::chunk_header(&mut self.scratch.staged, admitted as usize);
        }
        if self.send(None, b"") == Progress::Gone {
            return Progress::Gone;
        }
        self.connection.output.push_file(file, offset, admitted);
        if chunked {
            self.scratch.staged.extend_from_slice(response::CHUNK_END);
        }
        Progress::Open
    }

    /// How many of `length` bytes may go out; the rest is more than Content-Length promised, or answers a HEAD.
    fn admit(&mut self, length: usize) -> usize {
        let admitted = match self.answer.framing {
            None | Some(BodyFraming::None) => return 0,
            Some(BodyFraming::Length(_)) => {
                length.min(usize::try_from(self.answer.owed).unwrap_or(usize::MAX))
            }
            Some(BodyFraming::Chunked | BodyFraming::UntilClose) => length,
        };
        if let Some(BodyFraming::Length(_)) = self.answer.framing {
            self.answer.owed -= admitted as u64;
            self.answer.surplus |= admitted < length;
        }
        self.answer.sent += admitted as u64;
        admitted
    }

    /// Bytes that wait for the next [`Exchange::flush`].
    pub fn staged(&self) -> usize {
        self.scratch.staged.len()
    }

    /// Sends what is staged, without blocking.
    pub fn flush(&mut self) -> Progress {
        if self.scratch.staged.is_empty() && self.connection.output.is_empty() {
            return if self.answer.gone {
                Progress::Gone
            } else {
                Progress::Open
            };
        }
        self.send(None, b"")
    }

    fn send(&mut self, held: Option<Box<dyn Held>>, tail: &[u8]) -> Progress {
        self.answer.gone |= !self.watch.claim();
        if self.answer.gone {
            self.scratch.staged.clear();
            return Progress::Gone;
        }
        let connection = &mut *self.connection;
        let sent = connection.output.send(
            connection.socket.as_fd(),
            &mut self.scratch.staged,
            held,
            tail,
        );
        self.judge(sent)
    }

    fn judge(&mut self, sent: io::Result<()>) -> Progress {
        if sent.is_err() {
            self.answer.gone = true;
            self.connection.output.clear();
            Progress::Gone
        } else if self.connection.output.queued() > self.rules.buffering {
            Progress::Full
        } else {
            Progress::Open
        }
    }

    /// Waits until the client took enough for the queue to be within bounds. The only place where a response waits
    /// for its client, `timeouts.socket` at most without any progress; then the client counts as gone.
    pub fn wait(&mut self) -> Progress {
        while !self.answer.gone && self.connection.output.queued() > self.rules.buffering {
            let waited = await_socket(
                self.connection,
                self.watch,
                PollFlags::OUT,
                self.rules.socket,
            );
            let flushed =
                waited.and_then(|()| self.connection.output.flush(self.connection.socket.as_fd()));
            self.judge(flushed.map(drop));
        }
        if self.answer.gone {
            Progress::Gone
        } else {
            Progress::Open
        }
    }

    /// The application has said everything. What it did wrong is logged.
    pub fn finish(&mut self) {
        if self.answer.finished {
            return;
        }
        self.answer.finished = true;
        if self.answer.framing == Some(BodyFraming::Chunked) {
            self.scratch.staged.extend_from_slice(response::LAST_CHUNK);
        }
        if self.flush() == Progress::Gone {
            return;
        }
        if self.answer.owed > 0 {
            self.connection.keep_alive = false;
            self.blame(
                "the application returned less than its Content-Length; the connection is closed",
            );
        } else if self.answer.surplus {
            self.blame(
                "the application returned more than its Content-Length; the surplus was dropped",
            );
        }
    }

    fn blame(&self, fault: &'static str) {
        let request = self.request();
        error!(
            method = %request.method().escape_ascii(),
            target = %request.target().escape_ascii(),
            missing = self.answer.owed,
            "{fault}"
        );
    }

    /// The application failed: the client gets `status` if nothing was sent yet, else a connection that ends too early.
    pub fn fail(&mut self, status: u16) {
        if self.answer.finished {
            return;
        }
        self.answer.finished = true;
        self.connection.keep_alive = false;
        if self.answer.committed {
            // The client must notice that the response is not whole: no last chunk, no full length.
            self.flush();
            self.answer.gone |= self.connection.output.is_empty();
            return;
        }
        self.answer.status = status;
        self.scratch.staged.clear();
        let is_head = self.request().method() == b"HEAD";
        let mut answer = response::canned(status, true, is_head, self.scratch.date.now());
        if self.rules.answer_request_id {
            let id = self.request_id().to_owned();
            let name = self.rules.request_id.name.as_bytes();
            response::add_header(&mut answer, name, id.as_bytes());
        }
        self.scratch.staged.extend_from_slice(&answer);
        self.connection.linger |= !self.connection.body.is_read();
        self.flush();
    }
}

fn receive_directly(
    connection: &mut Connection,
    buffer: &mut [u8],
    left: u64,
) -> io::Result<usize> {
    let room = buffer
        .len()
        .min(usize::try_from(left).unwrap_or(usize::MAX));
    match recv(&connection.socket, &mut buffer[..room], RecvFlags::empty()) {
        Ok((0, _)) => Err(gone()),
        Ok((length, _)) => {
            connection.drained = length < room && !connection.ended;
            connection.body.received_directly(length);
            Ok(length)
        }
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// RFC 9110 section 10.1.1: the client waits for this before it sends the body.
pub(super) fn send_continue(connection: &mut Connection) -> io::Result<()> {
    match send(&connection.socket, response::CONTINUE, SendFlags::NOSIGNAL) {
        Ok(length) if length == response::CONTINUE.len() => Ok(()),
        Ok(_) | Err(Errno::AGAIN) => Err(io::ErrorKind::WriteZero.into()),
        Err(error) => Err(error.into()),
    }
}

fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the client closed the connection before the end of its request body",
    )
}

/// Waits for the socket; a signal does not count, unless it comes because the request was ended.
fn await_socket(
    connection: &Connection,
    watch: &Watch,
    what: PollFlags,
    timeout: Duration,
) -> io::Result<()> {
    let limit = Timespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    let limit = (!timeout.is_zero()).then_some(limit);
    loop {
        match poll(&mut [PollFd::new(&connection.socket, what)], limit.as_ref()) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client was silent for longer than timeouts.socket",
                ));
            }
            Ok(_) => return Ok(()),
            Err(Errno::INTR) if watch.is_ended() => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the request was ended because it took too long",
                ));
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
