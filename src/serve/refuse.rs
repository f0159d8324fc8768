//! What is said to clients that get no answer of the application's: a request that is none, or that does not come in time.

use tracing::debug;

use super::{
    access::Outcome,
    application::Application,
    clock::DateText,
    connection::{Connection, Phase},
    drive::Step,
    engine::Engine,
    exchange::log_refusal,
};
use crate::{
    config::Protocol,
    protocol::{Kind, Refusal, fastcgi, http::response},
};

impl<A: Application> Engine<A> {
    /// Answers what is not a request we take, and closes.
    pub(super) fn refuse(&self, connection: &mut Connection, refusal: Refusal) -> Step {
        let Refusal { status, reason } = refusal;
        debug!(
            peer = connection.peer.address,
            status, reason, "a request was refused"
        );
        connection.is_refused = true;
        let kind = match kind(connection) {
            Some(kind) if status != 0 => kind,
            _ => return self.leave(connection),
        };
        if self.rules.access.takes(Outcome::refusal(status)) {
            log_refusal(&connection.peer.address, status);
        }
        connection.keep_alive = false;
        connection.linger = true;
        let answer = self
            .rules
            .canned(kind, status, false, DateText::default().now());
        let mut answer = response::enclose(kind, answer);
        if connection.send(&mut answer).is_err() {
            return Step::Close;
        }
        if connection.is_flushed() {
            return self.after_response(connection);
        }
        connection.phase = Phase::Flush;
        connection.deadline = 0;
        Step::Again
    }

    /// Closes what has been told all that it can be told.
    fn leave(&self, connection: &mut Connection) -> Step {
        connection.keep_alive = false;
        connection.linger = true;
        self.after_response(connection)
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
            Phase::Discard | Phase::Handshake | Phase::Head | Phase::Linger | Phase::Proxied => {
                Step::Close
            }
        }
    }
}

/// What a refusal has to look like, if the peer can be told anything. People who open the address of a front server's
/// listener in a browser are answered in HTTP.
fn kind(connection: &Connection) -> Option<Kind> {
    match connection.protocol {
        Protocol::Fastcgi => match fastcgi::active(&connection.input, connection.scanned) {
            Some(id) => Some(Kind::Fastcgi { id }),
            None => fastcgi::is_http(&connection.input).then_some(Kind::Http),
        },
        Protocol::Scgi if fastcgi::is_http(&connection.input) => Some(Kind::Http),
        Protocol::Scgi => Some(Kind::Scgi),
        Protocol::Http | Protocol::Https | Protocol::Uwsgi => Some(Kind::Http),
    }
}
