//! What FastCGI has beside requests: front servers ask about the protocol itself, between requests and between the
//! pieces of a body, and are answered.

use std::io;

use super::{application::Application, connection::Connection, drive::Step, engine::Engine};
use crate::protocol::{Parsed, Refusal, fastcgi};

const NOT_TAKEN: Refusal = Refusal {
    status: 0,
    reason: "a front server that asks and does not read",
};

impl<A: Application> Engine<A> {
    /// Reads the records of a head, and answers those that are none.
    pub(super) fn parse_records(&self, connection: &mut Connection) -> Result<Parsed, Refusal> {
        let Connection {
            input,
            scanned,
            head,
            ..
        } = connection;
        let (variables, body) = (self.rules.variables, self.rules.body_limit);
        let mut replies = Vec::new();
        let parsed = fastcgi::parse(input, scanned, variables, body, head, &mut replies);
        if !replies.is_empty() {
            // Between requests nothing else is on its way, and so little is taken at once by whoever reads.
            if connection.send(&mut replies).is_err() || !connection.is_flushed() {
                connection.output.clear();
                return Err(NOT_TAKEN);
            }
        }
        parsed
    }

    /// A body begins. If there is none its end is here already as a rule, and then whoever answers without a look at the
    /// body finds it read, so that the connection lives on.
    pub(super) fn begin_stdin(&self, connection: &mut Connection) -> Result<(), Step> {
        let Connection { body, input, .. } = connection;
        let ended = body.take_in_end(input);
        if send_replies(connection).is_err() {
            return Err(Step::Close);
        }
        ended.map_err(|refusal| self.refuse(connection, refusal))
    }
}

/// Answers the records that came between those of a body. What the socket does not take goes out with the response.
///
/// # Errors
/// The connection has failed.
pub(super) fn send_replies(connection: &mut Connection) -> io::Result<()> {
    match connection.body.replies() {
        Some(mut replies) => connection.send(&mut replies),
        None => Ok(()),
    }
}
