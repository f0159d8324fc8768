//! The response in records of FastCGI. What is staged becomes one record as a rule; what is too large to be staged gets
//! a header for each piece of 64 KiB and stays where it is.

use std::io;

use super::{Exchange, answer::Progress};
use crate::{
    protocol::fastcgi::{self, MAX_CONTENT},
    serve::{
        connection::Received,
        output::{Held, Source},
        records::send_replies,
    },
};

/// What is staged, as records.
#[derive(Debug, Default)]
pub(super) enum Records {
    /// Another protocol: there are none.
    #[default]
    None,
    /// Every record that has begun is complete.
    Sealed { id: u16 },
    /// The last one began at `at` of what is staged.
    Open { id: u16, at: usize },
}

impl Records {
    /// The first record of request `id`.
    pub(super) fn begin(id: u16, out: &mut Vec<u8>) -> Self {
        let at = fastcgi::open(out);
        Self::Open { id, at }
    }

    /// The request that the records are for.
    pub(super) fn id(&self) -> Option<u16> {
        match *self {
            Self::None => None,
            Self::Sealed { id } | Self::Open { id, .. } => Some(id),
        }
    }

    /// To be called before anything is staged.
    pub(super) fn open(&mut self, out: &mut Vec<u8>) {
        if let Self::Sealed { id } = *self {
            *self = Self::begin(id, out);
        }
    }

    /// To be called before what is staged goes out.
    pub(super) fn seal(&mut self, out: &mut Vec<u8>) {
        if let Self::Open { id, at } = *self {
            fastcgi::seal(out, at, id);
            *self = Self::Sealed { id };
        }
    }

    /// The response is complete.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if let Some(id) = self.id() {
            self.seal(out);
            fastcgi::end(out, id);
        }
    }
}

impl Exchange<'_> {
    /// Sends what is staged, and bytes that are too many to be copied.
    pub(super) fn send_in_records(&mut self, data: Box<dyn Held>, id: u16) -> Progress {
        let length = data.bytes().len();
        if length > MAX_CONTENT {
            self.queue_in_records(Source::Held(data, 0), length as u64, id);
            return self.flush();
        }
        let staged = &mut self.scratch.staged;
        self.answer.records.seal(staged);
        staged.extend_from_slice(&fastcgi::stdout_header(id, length));
        self.send(Some((data, b"")))
    }

    /// Ends the request, if it is all there. Front servers do not agree on what becomes of the rest of a body once its
    /// request has ended: mod_proxy_fcgi begins the next request in the middle of it. So a rest that is not here by now
    /// ends the connection too.
    pub(super) fn end_records(&mut self) {
        if self.answer.records.id().is_none() || self.answer.owed > 0 {
            return;
        }
        if self.connection.keep_alive {
            self.connection.keep_alive = self.take_in_rest().unwrap_or(false);
        }
        self.answer.records.end(&mut self.scratch.staged);
    }

    /// Drops what is here of a short rest of the body; gives whether that is all of it.
    fn take_in_rest(&mut self) -> io::Result<bool> {
        let connection = &mut *self.connection;
        while !connection.body.is_read() {
            connection.body.discard(&mut connection.input)?;
            send_replies(connection)?;
            if !connection.body.is_read() && !matches!(connection.receive()?, Received::Data) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Queues what is staged and `length` bytes behind it.
    pub(super) fn queue_in_records(&mut self, source: Source, length: u64, id: u16) {
        if self.answer.gone {
            return;
        }
        let staged = &mut self.scratch.staged;
        self.answer.records.seal(staged);
        self.answer.sent += staged.len() as u64;
        self.connection.output.push(staged);
        self.answer.sent += self.connection.output.push_records(source, length, id);
    }
}
