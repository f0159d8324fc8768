//! From a head that is complete to an answer: the body is read as far as it is read beforehand, the application called.

use std::{
    mem::take,
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
};

use rustix::net::{SendFlags, send};
use tracing::error;

use super::{
    application::Application,
    body::{Ahead, Body, BodyError},
    clock::coarse_ms,
    connection::{Connection, Phase},
    drive::{Step, receive},
    engine::Engine,
    exchange::{Exchange, Times, send_continue},
    local::Local,
    records::send_replies,
    redirect,
    timers::NEVER,
    watch::TOO_LATE,
};
use crate::{
    protocol::{Framing, Kind, Refusal, Request, uwsgi},
    scoreboard::{Answered, now_us},
    sys::received_ago,
};

const NOT_WSGI: Refusal = Refusal {
    status: 501,
    reason: "the uwsgi packet asks for a handler (modifier1) that is not WSGI",
};
const NO_ROOM: Refusal = Refusal {
    status: 500,
    reason: "no room for the request body",
};

impl<A: Application> Engine<A> {
    /// A head is complete.
    pub(super) fn begin_request(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Step {
        connection.head_begun = false;
        connection.continued = false;
        let head = &connection.head;
        match head.kind {
            Kind::Fastcgi { .. } | Kind::Http | Kind::Scgi => {}
            Kind::Uwsgi { modifier1, .. } => match modifier1 {
                uwsgi::WSGI | uwsgi::WSGI_MANAGE_PATH_INFO => {}
                uwsgi::CGI if !self.rules.router.programs().is_empty() => {}
                uwsgi::PING => {
                    // It is answered as far as the socket takes four bytes, which a new one does.
                    let _ = send(&connection.socket, &uwsgi::PONG, SendFlags::NOSIGNAL);
                    return Step::Close;
                }
                _ => return self.refuse(connection, NOT_WSGI),
            },
        }
        let framing = head.framing;
        connection.body = Body::new(framing, head.len, self.rules.body_limit);
        if let Framing::Stdin { .. } = framing
            && let Err(step) = self.begin_stdin(connection)
        {
            return step;
        }
        if let Some(target) = self.redirect(connection) {
            return self.exchange(connection, local, |exchange| {
                redirect::answer(exchange, target)
            });
        }
        if self.rules.answers_alone
            && let Some(step) = self.answer_alone(connection, local)
        {
            return step;
        }
        let has_body = has_body(connection);
        // The thread that stands by lets others read bodies, because a request of which only the head is read can go to
        // another worker. The hub has nobody else.
        if A::is_standby(thread) && !(has_body && self.foreign.is_some()) {
            connection.is_left = true;
            return leave(connection, local);
        }
        if !has_body {
            return self.call(connection, local, thread);
        }
        connection.phase = Phase::Body;
        connection.deadline = 0;
        Step::Again
    }

    pub(super) fn read_body(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        thread: &mut A::Thread,
    ) -> Step {
        let Connection { body, input, .. } = connection;
        let ahead = body.read_ahead(input, self.rules.read_ahead, self.rules.spool_above);
        if send_replies(connection).is_err() {
            return Step::Close;
        }
        match ahead {
            Ok(Ahead::Complete | Ahead::Streams) => return self.call(connection, local, thread),
            Ok(Ahead::NeedsMore) => {}
            Err(BodyError::Refused(refusal)) => return self.refuse(connection, refusal),
            Err(BodyError::Spool(error)) => {
                error!(%error, "a request body cannot be kept in a temporary file; the client gets 500");
                return self.refuse(connection, NO_ROOM);
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

    /// Lets the application answer, or a program.
    fn call(&self, connection: &mut Connection, local: &mut Local, thread: &mut A::Thread) -> Step {
        if connection.program.is_some() {
            return Step::Run;
        }
        if A::is_standby(thread) {
            return leave(connection, local);
        }
        let Some(mounts) = &self.rules.mounts else {
            return self.exchange(connection, local, |exchange| {
                exchange.ask(|exchange| self.app.call(thread, exchange));
            });
        };
        connection.place = mounts.place(
            &Request {
                head: &connection.head,
                buffer: &connection.input,
            },
            connection.changed_path(),
            &mut local.scratch.path,
        );
        match connection.place {
            Some(_) => self.exchange(connection, local, |exchange| {
                exchange.ask(|exchange| self.app.call(thread, exchange));
            }),
            None => self.exchange(connection, local, |exchange| mounts.say_nobody(exchange)),
        }
    }

    /// Lets `answer` answer, and records it.
    pub(super) fn exchange(
        &self,
        connection: &mut Connection,
        local: &mut Local,
        answer: impl FnOnce(&mut Exchange<'_>),
    ) -> Step {
        let record = self.record(local);
        let buffer = &connection.input;
        let (method, target) = (
            connection.head.method.of(buffer),
            connection.head.target.of(buffer),
        );
        let now = now_us();
        let times = match take(&mut connection.learnt_us) {
            0 if local.woke_us == 0 => Times::new(now, now),
            0 if is_asked_of_kernel(connection, local) => {
                Times::new(local.woke_us, now).since_arrival()
            }
            0 => Times::new(local.woke_us, now),
            learnt => Times::new(learnt, now),
        };
        // A program has a time of its own, and whoever ends it does not end the worker.
        let deadline = match connection.program {
            None => self.rules.deadline(now),
            Some(_) => 0,
        };
        let peer = connection.peer.address.as_bytes();
        record.begin(now, deadline, method, target, peer);
        let watch = self.watches.of(local.index);
        let session = connection.tls.as_ref().map(|tls| tls.session());
        let (socket, kind) = (connection.socket.as_fd(), connection.head.kind);
        watch.begin(socket, method == b"HEAD", kind, session);
        if let Some(standby) = &self.standby {
            standby.note_request();
        }
        let server = self.server(connection);
        let origin = self.origin(local);
        // On the heap, because it is found from elsewhere while its greenlet waits, whose stack is not in its place then.
        let mut exchange = Box::new(Exchange::new(
            connection,
            &mut local.scratch,
            &self.rules,
            server,
            &self.draining,
            (record, watch, self.flusher.lender(local.index)),
            times,
        ));
        // The panic's message and place have been written by the panic hook.
        if catch_unwind(AssertUnwindSafe(|| answer(&mut exchange))).is_err() {
            error!("a request met a fault of the server's own; its connection is closed");
        }
        exchange.regain();
        if exchange.answer.is_postponed {
            watch.end();
            record.pass_on();
            connection.phase = Phase::Head;
            return Step::Again;
        }
        exchange.fail(500);
        let is_late = watch.end();
        let end = now_us();
        if self.rules.access.is_on && !exchange.is_silent() {
            let status = if is_late { TOO_LATE } else { exchange.status() };
            exchange.log(end - now, status, origin);
        }
        if self.rules.is_slow(end - now) {
            let status = if is_late { TOO_LATE } else { exchange.status() };
            exchange.log_slow(end - now, status);
        }
        let (answer, asked) = (exchange.answer, exchange.times.asked());
        record.received(take(&mut connection.arrived));
        let (status, sent) = match is_late {
            true => (TOO_LATE, 0),
            false => (answer.status, answer.sent),
        };
        record.end(
            end,
            &Answered {
                status,
                sent,
                asked,
            },
        );
        if is_late {
            return self.after_last_words(connection);
        }
        if answer.gone {
            record.unsent();
            Step::Close
        } else if connection.is_flushed() {
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
        connection.fall_silent();
        connection.keep_alive = false;
        connection.linger = true;
        self.after_response(connection)
    }
}

/// Whether a body is still to be read.
fn has_body(connection: &Connection) -> bool {
    match connection.head.framing {
        Framing::None | Framing::Length(0) => false,
        Framing::Stdin { .. } => !connection.body.is_read(),
        Framing::Chunked | Framing::Length(_) => true,
    }
}

/// Whether the request may have waited for a look of this thread, and the kernel knows for how long; of a socket without
/// addresses it does not.
fn is_asked_of_kernel(connection: &Connection, local: &Local) -> bool {
    local.was_away && !connection.peer.address.is_empty()
}

/// The request waits for the application, for as long as that takes.
fn leave(connection: &mut Connection, local: &Local) -> Step {
    let ago = is_asked_of_kernel(connection, local)
        .then(|| received_ago(&connection.socket))
        .flatten();
    let came_us = ago.map(|ago| now_us().saturating_sub(ago.as_micros() as u64));
    connection.learnt_us = local.woke_us.min(came_us.unwrap_or(u64::MAX));
    connection.deadline = NEVER;
    Step::Leave
}
