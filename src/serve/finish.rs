//! What follows an answer: the rest of it is sent, the rest of its request dropped, and the connection goes on to the
//! next request or comes to an end that its client can understand.

use rustix::net::{Shutdown, shutdown};

use super::{
    application::Application,
    clock::coarse_ms,
    connection::{Connection, Phase},
    drive::{Step, receive},
    engine::Engine,
    output::Flushed,
};
/// How long a client may take to read our last words after an error.
const LINGER_MS: u64 = 2_000;

impl<A: Application> Engine<A> {
    pub(super) fn flush(&self, connection: &mut Connection) -> Step {
        match connection.flush() {
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
        match connection.say_goodbye() {
            Ok(true) => {}
            Ok(false) => {
                connection.phase = Phase::Flush;
                return Step::Again;
            }
            Err(_) => return Step::Close,
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
