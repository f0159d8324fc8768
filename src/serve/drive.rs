//! What a connection does next, phase by phase, until it has to wait or is over.

use std::{
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rustix::net::{SendFlags, Shutdown, send, shutdown};
use tracing::error;

use super::{
    application::Application,
    body::{Ahead, Body, BodyError},
    clock::coarse_ms,
    connection::{Connection, Phase, Received},
    engine::Engine,
    exchange::{Exchange, send_continue},
    local::Local,
    output::Flushed,
    watch::TOO_LATE,
};
use crate::{
    config::Protocol,
    protocol::{Framing, Kind, Parsed, Refusal, http, uwsgi},
    scoreboard::now_us,
};

/// How long a client may take to read our last words after an error.
const LINGER_MS: u64 = 2_000;
/// Steps that a connection goes on before others get their turn. Each reads or sends once, or answers one request, so
/// that a client that sends and takes without end has a thread for moments only.
const STEPS: usize = 32;

/// Where [`Engine::drive`] leaves a connection.
pub(super) enum Next {
    /// It is over.
    Close,
    /// Its peer has to do something.
    Wait,
    /// It could go on, but has had its turn.
    Yield,
}

/// What comes of a step.
pub(super) enum Step {
    Again,
    Close,
    Wait,
}

impl<A: Application> Engine<A> {
    /// Goes on with a connection as far as it can without waiting for its peer, or keeping others waiting.
    pub(super) fn drive(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Next {
        // A fault of our own costs the connection and not the thread. The panic hook has written what and where.
        catch_unwind(AssertUnwindSafe(|| self.go_on(connection, local, thread))).unwrap_or_else(
            |_| {
                error!("a connection met a fault of the server's own and is closed");
                Next::Close
            },
        )
    }

    fn go_on(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Next {
        for _ in 0..STEPS {
            let step = match connection.phase {
                Phase::Body => self.read_body(connection, local, thread),
                Phase::Discard => self.discard(connection),
                Phase::Flush => self.flush(connection),
                Phase::Head => self.read_head(connection, local, thread),
                Phase::Linger => linger(connection),
            };
            match step {
                Step::Again => {}
                Step::Close => return Next::Close,
                Step::Wait => {
                    local.reclaim_buffer(connection);
                    return Next::Wait;
                }
            }
        }
        self.yield_turn(connection);
        Next::Yield
    }

    /// The next turn comes at once, unless the client has stopped to take what it is sent.
    fn yield_turn(&self, connection: &mut Connection) {
        if connection.phase != Phase::Linger {
            connection.deadline = coarse_ms() + self.rules.send_ms;
        }
    }

    fn read_head(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Step {
        if !connection.input.is_empty() {
            match self.parse(connection) {
                Ok(Parsed::Complete) => return self.begin_request(connection, local, thread),
                Ok(Parsed::Incomplete) => {}
                Err(refusal) => return self.refuse(connection, refusal),
            }
        }
        if connection.drained {
            self.wait_for_head(connection);
            return Step::Wait;
        }
        receive(connection)
    }

    fn parse(&self, connection: &mut Connection) -> Result<Parsed, Refusal> {
        let Connection {
            input,
            scanned,
            head,
            ..
        } = connection;
        match connection.protocol {
            Protocol::Http => http::head::parse(input, scanned, &self.rules.http, head),
            Protocol::Uwsgi => {
                uwsgi::parse(input, self.rules.uwsgi_packet, self.rules.body_limit, head)
            }
        }
    }

    fn wait_for_head(&self, connection: &mut Connection) {
        let now = coarse_ms();
        if connection.is_idle() && connection.requests > 0 {
            connection.deadline = self.idle_deadline(now + self.rules.keep_alive_ms);
            return;
        }
        if !connection.head_begun {
            // The time for a head runs from the connection's, or its own, first byte, however many pieces it comes in.
            connection.head_begun = true;
            connection.deadline = now + self.rules.header_ms;
        }
        if connection.is_idle() {
            connection.deadline = self.idle_deadline(connection.deadline);
        }
    }

    fn begin_request(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Step {
        connection.head_begun = false;
        connection.continued = false;
        let head = &connection.head;
        if let Kind::Uwsgi { modifier1, .. } = head.kind {
            match modifier1 {
                0 | 30 => {}
                100 => {
                    // A ping is answered as far as the socket takes four bytes, which a new one does.
                    let _ = send(&connection.socket, &uwsgi::PONG, SendFlags::NOSIGNAL);
                    return Step::Close;
                }
                _ => {
                    let reason = "the uwsgi packet asks for a handler (modifier1) that is not WSGI";
                    return self.refuse(
                        connection,
                        Refusal {
                            status: 501,
                            reason,
                        },
                    );
                }
            }
        }
        connection.body = Body::new(head.framing, head.len, self.rules.body_limit);
        match head.framing {
            Framing::None | Framing::Length(0) => self.call(connection, local, thread),
            _ => {
                connection.phase = Phase::Body;
                connection.deadline = 0;
                Step::Again
            }
        }
    }

    fn read_body(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Step {
        let Connection { body, input, .. } = connection;
        match body.read_ahead(input, self.rules.read_ahead, self.rules.spool_above) {
            Ok(Ahead::Complete | Ahead::Streams) => return self.call(connection, local, thread),
            Ok(Ahead::NeedsMore) => {}
            Err(BodyError::Refused(refusal)) => return self.refuse(connection, refusal),
            Err(BodyError::Spool(error)) => {
                error!(%error, "a request body cannot be kept in a temporary file; the client gets 500");
                return self.refuse(
                    connection,
                    Refusal {
                        status: 500,
                        reason: "no room for the request body",
                    },
                );
            }
        }
        if connection.head.expect_continue && !connection.continued {
            connection.continued = true;
            if send_continue(connection).is_err() {
                return Step::Close;
            }
        }
        if connection.drained {
            connection.deadline = coarse_ms() + self.rules.body_ms;
            return Step::Wait;
        }
        receive(connection)
    }

    /// Lets the application answer, and records it.
    fn call(&self, connection: &mut Connection, local: &mut Local, thread: &mut A::Thread) -> Step {
        let record = self.record(local);
        let buffer = &connection.input;
        let (method, target) = (
            connection.head.method.of(buffer),
            connection.head.target.of(buffer),
        );
        let now = now_us();
        let (deadline, peer) = (self.rules.deadline(now), connection.peer.address.as_bytes());
        record.begin(now, deadline, method, target, peer);
        let watch = self.watches.of(local.index);
        watch.begin(connection.socket.as_fd(), method == b"HEAD");
        let server = self.server(connection);
        let mut exchange = Exchange::new(
            connection,
            &mut local.scratch,
            &self.rules,
            server,
            &self.draining,
            (record, watch),
        );
        // The panic's message and place have been written by the panic hook.
        if catch_unwind(AssertUnwindSafe(|| self.app.call(thread, &mut exchange))).is_err() {
            error!("a request met a fault of the server's own; its connection is closed");
        }
        exchange.fail(500);
        let is_late = watch.end();
        let end = now_us();
        if self.rules.access {
            let status = if is_late { TOO_LATE } else { exchange.status() };
            exchange.log(end - now, status);
        }
        let answer = exchange.answer;
        if is_late {
            record.end(end, TOO_LATE, 0);
            return self.after_last_words(connection);
        }
        record.end(end, answer.status, answer.sent);
        if answer.gone {
            Step::Close
        } else if connection.output.is_empty() {
            self.after_response(connection)
        } else {
            connection.phase = Phase::Flush;
            connection.deadline = 0;
            Step::Again
        }
    }

    /// The client was told by somebody else that its request took too long, and that nothing follows.
    fn after_last_words(&self, connection: &mut Connection) -> Step {
        connection.output.clear();
        connection.keep_alive = false;
        connection.linger = true;
        self.after_response(connection)
    }

    fn flush(&self, connection: &mut Connection) -> Step {
        match connection.output.flush(connection.socket.as_fd()) {
            Ok(Flushed::All) => self.after_response(connection),
            Ok(Flushed::Slice) => Step::Again,
            Ok(Flushed::Full { moved }) => {
                if moved || connection.deadline == 0 {
                    connection.deadline = coarse_ms() + self.rules.send_ms;
                }
                self.watch_output(connection);
                Step::Wait
            }
            Err(_) => Step::Close,
        }
    }

    pub(super) fn after_response(&self, connection: &mut Connection) -> Step {
        if connection.keep_alive {
            if !connection.body.is_read() {
                connection.phase = Phase::Discard;
                return Step::Again;
            }
            connection.consume();
            connection.phase = Phase::Head;
            return Step::Again;
        }
        // close(2) with unread input, or input after it, resets the connection and may destroy what was sent.
        let unread = connection.linger
            || !connection.body.is_read()
            || !connection.drained
            || connection.is_pipelined();
        if !unread || shutdown(&connection.socket, Shutdown::Write).is_err() {
            return Step::Close;
        }
        connection.phase = Phase::Linger;
        connection.deadline = coarse_ms() + LINGER_MS;
        Step::Again
    }

    fn discard(&self, connection: &mut Connection) -> Step {
        let Connection { body, input, .. } = connection;
        if body.discard(input).is_err() {
            return Step::Close;
        }
        if connection.body.is_read() {
            connection.consume();
            connection.phase = Phase::Head;
            return Step::Again;
        }
        if connection.drained {
            connection.deadline = coarse_ms() + self.rules.body_ms;
            return Step::Wait;
        }
        receive(connection)
    }
}

fn receive(connection: &mut Connection) -> Step {
    match connection.receive() {
        Ok(Received::Data | Received::WouldBlock) => Step::Again,
        Ok(Received::Closed) | Err(_) => Step::Close,
    }
}

/// RFC 9112 section 9.6: the answer is out, now read until the client closes too.
fn linger(connection: &mut Connection) -> Step {
    connection.input.clear();
    if connection.drained {
        Step::Wait
    } else {
        receive(connection)
    }
}
