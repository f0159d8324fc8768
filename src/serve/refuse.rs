//! What is said to clients that get no answer of the application's: a request that is none, or that does not come in time.

use tracing::debug;

use super::{
    application::Application,
    clock::DateText,
    connection::{Connection, Phase},
    drive::Step,
    engine::Engine,
    exchange::log_refusal,
};
use crate::protocol::{Refusal, http::response};

impl<A: Application> Engine<A> {
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
            log_refusal(&connection.peer.address, status);
        }
        connection.keep_alive = false;
        connection.linger = true;
        let mut answer = response::canned(status, true, false, DateText::default().now());
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
            Phase::Discard | Phase::Handshake | Phase::Head | Phase::Linger => Step::Close,
        }
    }
}
