//! One request and its response, as the application sees them.
//!
//! Here is the request, its name in `name`; `upload` reads a body that comes while the application runs. Of the response
//! `commit` takes the head, which `amend`, `compress` and `file` may change, and `answer` the body, whose pieces `gather` may
//! keep for moments; `records` puts it into what FastCGI wants. The application hands over a [`ResponseHead`] and bytes;
//! framing (RFC 9112 section 6), persistence, HEAD and the promises of Content-Length are kept there. Nothing blocks but
//! [`Exchange::wait`] and [`Exchange::read_body`]; who must not block uses what these are made of, and waits for
//! [`Exchange::client`] itself.

mod amend;
mod answer;
mod commit;
mod compress;
mod file;
mod gather;
mod name;
mod patience;
mod program;
mod records;
mod times;
mod upload;

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use super::{
    body::Ready, clock::DateText, connection::Connection, flusher::Lender,
    mounts::ApplicationNumber, request_id::Names, rules::Rules, watch::Watch,
};
use crate::{
    environ::{self, Peer, Standard, Variable},
    protocol::{Framing, Kind, Request},
    scoreboard::{ThreadSlot, now_us},
};

use gather::Pace;

pub(super) use answer::Answer;
pub use answer::{HELD_FROM, Progress};
pub use commit::ResponseHead;
pub(super) use name::log_refusal;
pub(super) use times::Times;
pub(super) use upload::send_continue;

/// What a thread reuses from request to request.
#[derive(Default)]
pub(super) struct Scratch {
    /// What goes out with the next send.
    pub(super) staged: Vec<u8>,
    /// The decoded path.
    pub(super) path: Vec<u8>,
    pub(super) date: DateText,
    /// The name of the request, empty as long as nobody has asked for it.
    pub(super) request_id: String,
    pub(super) names: Names,
    /// The head of the answer, as far as somebody wants it later.
    pub(super) head: Vec<u8>,
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

/// See the module.
pub struct Exchange<'e> {
    connection: &'e mut Connection,
    scratch: &'e mut Scratch,
    rules: &'e Rules,
    /// `SERVER_NAME` and `SERVER_PORT`.
    server: (&'e str, &'e str),
    draining: &'e AtomicBool,
    record: &'e ThreadSlot,
    watch: &'e Watch,
    /// Where it may lend what it keeps for the next send.
    lender: Option<Lender<'e>>,
    pace: Pace,
    /// What is added to SCRIPT_NAME and taken from PATH_INFO.
    mount: &'e [u8],
    pub(super) answer: Answer,
    pub(super) times: Times,
}

impl<'e> Exchange<'e> {
    pub(super) fn new(
        connection: &'e mut Connection,
        scratch: &'e mut Scratch,
        rules: &'e Rules,
        server: (&'e str, &'e str),
        draining: &'e AtomicBool,
        (record, watch, lender): (&'e ThreadSlot, &'e Watch, Option<Lender<'e>>),
        times: Times,
    ) -> Self {
        scratch.staged.clear();
        scratch.request_id.clear();
        scratch.head.clear();
        connection.keep_alive = false;
        let mount = rules.mount(connection.place);
        // What encrypts, and what frames records, is the thread's own.
        let is_plain =
            connection.tls.is_none() && !matches!(connection.head.kind, Kind::Fastcgi { .. });
        Self {
            connection,
            scratch,
            rules,
            server,
            draining,
            record,
            watch,
            lender: lender.filter(|_| is_plain),
            pace: Pace::default(),
            mount,
            answer: Answer::default(),
            times,
        }
    }

    /// The request.
    pub fn request(&self) -> Request<'_> {
        Request {
            head: &self.connection.head,
            buffer: &self.connection.input,
        }
    }

    /// Which application is to answer.
    pub fn application(&self) -> ApplicationNumber {
        self.connection.place.map_or(0, |place| place.application)
    }

    /// A variable that the front server has sent, as it was sent; empty for a request over HTTP, where all variables
    /// are the client's.
    pub fn gateway_variable(&self, name: &[u8]) -> &[u8] {
        let request = self.request();
        match request.head.kind {
            Kind::Http => b"",
            _ => environ::variable(&request, name),
        }
    }

    /// Gives each CGI variable of the request to `visitor`, once, as the routes have it; those that routes add come last.
    pub fn variables(&mut self, mut visitor: impl FnMut(Variable<'_>, &[u8])) {
        let request = Request {
            head: &self.connection.head,
            buffer: &self.connection.input,
        };
        let peer = peer(self.connection, self.server);
        let mount = self.mount;
        let scratch = &mut self.scratch.path;
        match self.connection.changes.as_deref() {
            None => environ::visit(&request, &peer, mount, scratch, &mut visitor),
            Some(changes) => {
                let path = self.connection.changed_path();
                let path = path.map(|path| environ::below(path, mount));
                environ::visit(&request, &peer, mount, scratch, |variable, sent| {
                    let value = match variable {
                        Variable::Standard(Standard::PathInfo) => path,
                        Variable::Standard(Standard::QueryString) => changes.query.as_deref(),
                        _ => None,
                    };
                    visitor(variable, value.unwrap_or(sent));
                });
                for (name, value) in &changes.env {
                    visitor(Variable::Raw(name.as_bytes()), value);
                }
            }
        }
        if let Some(tls) = &self.connection.tls {
            let facts = tls.facts();
            facts.visit(|name, value| visitor(Variable::Raw(name.as_bytes()), value.as_bytes()));
        }
    }

    /// Whether a route keeps the request out of the access log.
    pub(super) fn is_silent(&self) -> bool {
        let changes = self.connection.changes.as_deref();
        changes.is_some_and(|changes| changes.is_silent)
    }

    /// `http` or `https`, as far as the client or a trusted proxy says so.
    pub fn scheme(&self) -> &'static str {
        environ::scheme(&self.request(), &peer(self.connection, self.server))
    }

    /// The client's address, for the log; empty for Unix sockets.
    pub fn remote_addr(&self) -> &str {
        &self.connection.peer.address
    }

    /// Where the request body is.
    ///
    /// # Errors
    /// A spooled body's file cannot be opened again.
    pub fn body(&self) -> io::Result<BodySupply<'_>> {
        let connection = &*self.connection;
        if matches!(connection.head.framing, Framing::None | Framing::Length(0)) {
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

    /// From now on the request may take so long, whatever `limits.harakiri` says; `None`: as long as it likes.
    pub fn set_deadline(&mut self, time: Option<Duration>) {
        self.record.set_deadline(time.map_or(0, |time| {
            let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
            now_us().saturating_add(time)
        }));
    }

    /// The client's socket, for whoever waits for it in a way of its own, and how long it may keep us waiting there (zero:
    /// for ever). It is this request's as long as the exchange is.
    pub fn client(&self) -> (BorrowedFd<'_>, Duration) {
        (self.connection.socket.as_fd(), self.rules.socket)
    }

    /// Counts an exception that the application did not handle.
    pub fn count_exception(&self) {
        self.record.raised();
    }

    /// Counts a body that the client has spoilt or not sent to its end.
    pub fn count_spoilt(&self) {
        self.record.unread();
    }

    /// Whether the request was ended because it took too long.
    pub fn is_ended(&self) -> bool {
        self.watch.is_ended()
    }

    /// Whether what is known so far forbids another request on this connection.
    fn must_close(&self) -> bool {
        let connection = &*self.connection;
        let body = &connection.body;
        let is_short = body.left().is_some_and(|left| left <= self.rules.discard);
        // The client may still send the body for which it waits, or leave it out: nobody knows what comes next.
        let is_awaited = connection.head.expect_continue && !connection.continued;
        self.rules.keep_alive_ms == 0
            || (!body.is_read() && (!is_short || is_awaited))
            || connection.linger
            || self.draining.load(Ordering::Relaxed)
    }
}

fn peer<'p>(connection: &'p Connection, server: (&'p str, &'p str)) -> Peer<'p> {
    Peer {
        server_name: server.0,
        server_port: server.1,
        remote_addr: &connection.peer.address,
        remote_port: &connection.peer.port,
        tls: connection.peer.tls || connection.tls.is_some(),
        trusted: connection.peer.trusted,
    }
}
