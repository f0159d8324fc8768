//! A request body that comes while the application reads it.

use std::io;

use rustix::{event::PollFlags, io::Errno};

use super::{Exchange, patience::await_socket};
use crate::{
    protocol::{Framing, http::response},
    scoreboard::now_us,
    serve::{
        body::BodyError,
        connection::{Connection, Received},
        records::send_replies,
    },
    sys::Room,
};

/// From this size on the reader's memory is received into, past the connection's own buffer.
const DIRECT_FROM: usize = 16 << 10;

impl Exchange<'_> {
    /// The length of a streamed body in bytes, where its framing leaves no doubt of it: chunks and FastCGI's records end
    /// in a way of their own, whatever was announced.
    pub fn body_length(&self) -> Option<u64> {
        match self.connection.head.framing {
            Framing::Length(length) => Some(length),
            Framing::None => Some(0),
            Framing::Chunked | Framing::Stdin { .. } => None,
        }
    }

    /// Reads some of a streamed body into `room`, and gives how many bytes; 0 at its end. Waits for the client, at most
    /// `timeouts.socket` at a time.
    ///
    /// # Errors
    /// `TimedOut`: the client was silent too long; `UnexpectedEof`, `ConnectionReset`: it has gone; `InvalidData`: its
    /// framing is wrong or the body larger than `http.max-body`. The connection closes after the response.
    pub fn read_body(&mut self, room: &mut Room<'_>) -> io::Result<usize> {
        loop {
            if let Some(read) = self.try_read_body(room)? {
                return Ok(read);
            }
            let connection = &*self.connection;
            let since = now_us();
            let waited = await_socket(connection, self.watch, PollFlags::IN, self.rules.socket);
            self.times.note_client(since);
            waited.inspect_err(|error| self.give_up_body(error))?;
        }
    }

    /// The same without waiting: `None` for nothing yet.
    ///
    /// # Errors
    /// Those of [`Exchange::read_body`], but for the time.
    pub fn try_read_body(&mut self, room: &mut Room<'_>) -> io::Result<Option<usize>> {
        let read = self.body_at_hand(room);
        if let Err(error) = &read {
            self.connection.linger = true;
            self.answer.left |= matches!(
                error.kind(),
                io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof
            );
        }
        read
    }

    /// What [`Exchange::read_body`] does when waiting for the client has come to nothing.
    pub fn give_up_body(&mut self, error: &io::Error) {
        self.connection.linger = true;
        if error.kind() == io::ErrorKind::TimedOut && !self.watch.is_ended() {
            self.answer.fault = Some(408);
        }
    }

    /// What there is of a streamed body without waiting for the client: `None` for nothing yet, 0 for its end.
    pub(super) fn body_at_hand(&mut self, room: &mut Room<'_>) -> io::Result<Option<usize>> {
        while !room.is_full() && !self.connection.body.is_given() {
            let connection = &mut *self.connection;
            let direct = connection.body.direct(&connection.input);
            if direct.is_none() {
                let taken = connection.body.take(&mut connection.input, room);
                send_replies(connection)?;
                if let Err(BodyError::Refused(refusal)) = &taken {
                    self.answer.fault = Some(refusal.status);
                }
                let taken = taken?;
                if taken > 0 || connection.body.is_given() {
                    return Ok(Some(taken));
                }
            }
            self.invite_body()?;
            let connection = &mut *self.connection;
            let received = match direct {
                Some(left) if room.left() >= DIRECT_FROM && connection.tls.is_none() => {
                    receive_directly(connection, room, left)?
                }
                _ => match connection.receive()? {
                    Received::Closed => return Err(gone()),
                    Received::Data => continue,
                    Received::WouldBlock => 0,
                },
            };
            return Ok((received > 0).then_some(received));
        }
        Ok(Some(0))
    }

    /// Tells a client that waits for it to send the body. Behind a response that has begun it would be part of that.
    fn invite_body(&mut self) -> io::Result<()> {
        let connection = &mut *self.connection;
        if !connection.head.expect_continue || connection.continued || self.answer.is_committed() {
            return Ok(());
        }
        connection.continued = true;
        send_continue(connection)
    }
}

impl From<BodyError> for io::Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Refused(refusal) => Self::new(io::ErrorKind::InvalidData, refusal.reason),
            BodyError::Spool(error) => error,
        }
    }
}

fn receive_directly(
    connection: &mut Connection,
    room: &mut Room<'_>,
    left: u64,
) -> io::Result<usize> {
    let most = room.left().min(usize::try_from(left).unwrap_or(usize::MAX));
    match room.receive(&connection.socket, most) {
        Ok(0) => Err(gone()),
        Ok(length) => {
            connection.received(length, most);
            connection.body.received_directly(length);
            Ok(length)
        }
        Err(Errno::AGAIN | Errno::INTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// RFC 9110 section 10.1.1: the client waits for this before it sends the body.
///
/// # Errors
/// The connection has failed, or does not take 25 bytes at once, which a client that waits for them always does.
pub(in crate::serve) fn send_continue(connection: &mut Connection) -> io::Result<()> {
    connection.send_now(response::CONTINUE)
}

fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        "the client closed the connection before the end of its request body",
    )
}
