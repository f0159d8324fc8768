//! What follows an answer: the rest of it is sent, the rest of its request dropped, and the connection goes on to the
//! next request or comes to an end that its client can understand.

use std::os::fd::AsFd;

use rustix::net::{Shutdown, shutdown};
use tracing::debug;

use super::{
    application::Application,
    clock::{DateText, coarse_ms},
    connection::{Connection, Phase},
    drive::{Step, receive},
    engine::Engine,
    output::Flushed,
};
use crate::{
    journal::{self, Access},
    protocol::{Refusal, http::response},
};

/// How long a client may take to read our last words after an error.
const LINGER_MS: u64 = 2_000;

impl<A: Application> Engine<A> {
    pub(super) fn flush(&self, connection: &mut Connection) -> Step {
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

    pub(super) fn discard(&self, connection: &mut Connection) -> Step {
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

    /// Answers what is not a request we take, and closes.
    pub(super) fn refuse(&self, connection: &mut Connection, refusal: Refusal) -> Step {
        let Refusal { status, reason } = refusal;
        debug!(
            peer = connection.peer.address,
            status, reason, "a request was refused"
        );
        if status == 0 {
            return Step::Close;
        }
        if self.rules.access {
            journal::access(&Access {
                peer: &connection.peer.address,
                status,
                ..Access::default()
            });
        }
        connection.keep_alive = false;
        connection.linger = true;
        let mut answer = response::canned(status, true, false, DateText::default().now());
        let socket = connection.socket.as_fd();
        if connection.output.send(socket, &mut answer).is_err() {
            return Step::Close;
        }
        if connection.output.is_empty() {
            return self.after_response(connection);
        }
        connection.phase = Phase::Flush;
        connection.deadline = 0;
        Step::Again
    }

    /// The time of the connection's phase is over.
    pub(super) fn expire(&self, connection: &mut Connection) -> Step {
        let timeout = Refusal {
            status: 408,
            reason: "the request did not arrive in time",
        };
        match connection.phase {
            Phase::Body => self.refuse(connection, timeout),
            Phase::Head if !connection.is_idle() => self.refuse(connection, timeout),
            Phase::Flush => {
                connection.reset();
                Step::Close
            }
            Phase::Discard | Phase::Head | Phase::Linger => Step::Close,
        }
    }
}

/// RFC 9112 section 9.6: the answer is out, now read until the client closes too.
pub(super) fn linger(connection: &mut Connection) -> Step {
    connection.input.clear();
    if connection.drained {
        Step::Wait
    } else {
        receive(connection)
    }
}
