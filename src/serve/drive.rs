//! What a connection does next, phase by phase, until it has to wait or is over. Here are its turns and the reading of
//! heads; `request` goes on from there to the application, `finish` to the next request or the end.

use std::{
    mem::take,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tracing::error;

use super::{
    application::Application,
    clock::coarse_ms,
    connection::{Connection, Phase, Received},
    engine::Engine,
    finish::linger,
    local::Local,
};
use crate::{
    config::Protocol,
    protocol::{Parsed, Refusal, http, scgi, uwsgi},
};

/// Steps that a connection goes on before others get their turn. Each reads or sends once, or answers one request, so
/// that a client that sends and takes without end has a thread for moments only.
const STEPS: usize = 32;

/// Where [`Engine::drive`] leaves a connection.
pub(super) enum Next {
    /// It is over.
    Close,
    /// It waits for a thread that has the application.
    Leave,
    /// A program answers it.
    Run,
    /// Its peer has to do something.
    Wait,
    /// It could go on, but has had its turn.
    Yield,
}

/// What comes of a step.
pub(super) enum Step {
    Again,
    Close,
    Leave,
    Run,
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
                Phase::Handshake => self.handshake(connection),
                Phase::Head => self.read_head(connection, local, thread),
                Phase::Linger => linger(connection),
                Phase::Proxied => self.read_proxy(connection),
            };
            match step {
                Step::Again => {}
                Step::Close => return Next::Close,
                Step::Leave => return Next::Leave,
                Step::Run => return Next::Run,
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
    pub(super) fn yield_turn(&self, connection: &mut Connection) {
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
        if take(&mut connection.is_left) {
            return self.begin_request(connection, local, thread);
        }
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
            Protocol::Fastcgi => self.parse_records(connection),
            Protocol::Http | Protocol::Https => {
                http::head::parse(input, scanned, &self.rules.http, head)
            }
            Protocol::Scgi => scgi::parse(input, self.rules.variables, self.rules.body_limit, head),
            Protocol::Uwsgi => {
                uwsgi::parse(input, self.rules.variables, self.rules.body_limit, head)
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
}

/// Reads once.
pub(super) fn receive(connection: &mut Connection) -> Step {
    match connection.receive() {
        Ok(Received::Data | Received::WouldBlock) => Step::Again,
        Ok(Received::Closed) | Err(_) => Step::Close,
    }
}
