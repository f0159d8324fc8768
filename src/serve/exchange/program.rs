//! What a program that answers needs of an [`Exchange`] beside what an application has: nothing of it waits, because
//! whoever serves a program waits for several things at once.

use std::{io, time::Duration};

use rustix::event::{PollFd, PollFlags};

use super::{Exchange, Progress};
use crate::{
    environ,
    protocol::Framing,
    serve::{connection::Connection, program::Detour},
    sys::Room,
};

/// What nginx writes into its log when the client has gone before the answer; the client does not see it.
const CLIENT_CLOSED: u16 = 499;

impl Exchange<'_> {
    /// SCRIPT_NAME that the front server gave.
    pub(in crate::serve) fn script(&self) -> Vec<u8> {
        environ::script_name(&self.request()).to_vec()
    }

    /// Variables that routes have added.
    pub(in crate::serve) fn added_variables(&self) -> &[(String, Vec<u8>)] {
        let changes = self.connection.changes.as_deref();
        changes.map_or(&[], |changes| &changes.env)
    }

    /// The length of the body as the request announces it; `None`: only its end tells.
    pub(in crate::serve) fn announced_length(&self) -> Option<u64> {
        match self.connection.head.framing {
            Framing::Chunked => None,
            Framing::Length(length) => Some(length),
            Framing::None => Some(0),
            Framing::Stdin { length, .. } => length,
        }
    }

    /// Whether all of its body has come, so that it can begin anew without one.
    pub(in crate::serve) fn may_take_a_detour(&self) -> bool {
        self.connection.body.is_read()
    }

    /// Nothing was said: the request begins anew, as if it had asked for this path and query with GET.
    pub(in crate::serve) fn postpone(&mut self, detour: Detour) {
        self.connection.begin_anew(detour);
        self.answer.is_postponed = true;
    }

    /// How often the request has been sent elsewhere.
    pub(in crate::serve) fn detours(&self) -> u32 {
        let detour = self.connection.detour.as_ref();
        detour.map_or(0, |detour| detour.number)
    }

    /// The client has gone: nothing more is sent.
    pub(in crate::serve) fn desert(&mut self) {
        if !self.is_committed() {
            self.answer.status = CLIENT_CLOSED;
        }
        self.answer.gone = true;
        self.answer.finished = true;
        self.connection.output.clear();
    }

    /// What there is of a streamed body: `None` for nothing yet, 0 for its end.
    ///
    /// # Errors
    /// Those of [`Exchange::read_body`], but for the time.
    pub(in crate::serve) fn next_of_body(
        &mut self,
        room: &mut Room<'_>,
    ) -> io::Result<Option<usize>> {
        let read = self.body_at_hand(room);
        if read.is_err() {
            self.connection.linger = true;
        }
        read
    }

    /// The client's socket, with what is to be waited for there: that it goes, and as the case may be that more of its
    /// body comes, or that it takes what is queued.
    pub(in crate::serve) fn watched(&self, wants_body: bool) -> PollFd<'_> {
        let mut what = PollFlags::RDHUP;
        what.set(PollFlags::IN, wants_body);
        what.set(PollFlags::OUT, !self.connection.is_flushed());
        PollFd::new(&self.connection.socket, what)
    }

    /// Sends what is staged and what was queued, without waiting.
    pub(in crate::serve) fn push(&mut self) -> Progress {
        self.flush();
        if self.answer.gone {
            return Progress::Gone;
        }
        let connection: &mut Connection = self.connection;
        match connection.flush() {
            Err(_) => {
                self.desert();
                Progress::Gone
            }
            Ok(_) if self.connection.output.queued() > self.rules.buffering => Progress::Full,
            Ok(_) => Progress::Open,
        }
    }

    /// How long a client may keep us waiting; zero: for ever.
    pub(in crate::serve) fn patience(&self) -> Duration {
        self.rules.socket
    }

    /// The client took nothing for too long.
    pub(in crate::serve) fn cut(&mut self) {
        self.connection.reset();
        self.desert();
    }
}
