//! Pieces of an answer that come quickly leave together.
//!
//! Whoever thinks between two pieces, waits for an event or reads a file has each of them sent at once. A piece that
//! comes within [`QUICK_US`] of the one before is kept for a next one, because a system call for each would cost more than
//! making it. What is kept is lent to the flusher meanwhile (`serve/flusher`), so that an application that stops being
//! quick is found out: its client has everything about a millisecond later, whatever the application does.
//!
//! The first piece is always sent by the thread itself, so that its request is claimed (`serve/watch`) before anything is
//! kept. Compressed answers are left out, whose coder has bytes that only the thread can bring out.

use std::os::fd::AsFd;

use super::Exchange;
use crate::{
    protocol::http::response::{self, BodyFraming},
    scoreboard::now_us,
    serve::{flusher::Failed, output::Held},
};

/// Microseconds between two pieces of an application that is evidently busy with making them.
const QUICK_US: u64 = 50;
/// Bytes that are worth a send.
const ENOUGH: u64 = 128 << 10;

/// How quickly the application gives its pieces, and what has become of them.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the last piece was dealt with; 0: there was none.
    dealt_us: u64,
    /// Bytes that the socket has not taken when it was asked for the last time.
    pub(super) backlog: u64,
    /// Whether the queue, and what is staged, are the flusher's for the moment.
    is_lent: bool,
}

impl Exchange<'_> {
    /// Whether a piece of so many bytes need not be sent before the next one is asked for. If so, it is for
    /// [`Exchange::write`] or [`Exchange::gather_held`] and nothing else. Never waits.
    pub fn may_gather(&mut self, length: usize) -> bool {
        let Some(lender) = self.lender.filter(|_| self.pace.dealt_us != 0) else {
            return false;
        };
        let is_quick = now_us().saturating_sub(self.pace.dealt_us) <= QUICK_US;
        if !is_quick || self.is_compressing() || !lender.is_ready() || !self.try_regain() {
            return false;
        }
        if self.answer.gone || self.answer.is_file || self.is_bodiless() {
            return false;
        }
        let staged = self.scratch.staged.len() + length;
        let kept = self.connection.output.queued() + staged as u64;
        let is_slow = self.pace.backlog > 0 && kept > self.rules.buffering;
        kept < self.pace.backlog + ENOUGH && !is_slow
    }

    /// Keeps bytes that are too many to be copied.
    pub fn gather_held(&mut self, data: Box<dyn Held>) {
        let length = data.bytes().len();
        let admitted = self.admit_or_note(length);
        if admitted < length {
            return self.put(&data.bytes()[..admitted]);
        }
        let staged = &mut self.scratch.staged;
        let is_chunked = self.answer.framing == Some(BodyFraming::Chunked);
        if is_chunked {
            response::chunk_header(staged, length);
        }
        self.answer.sent += (staged.len() + length) as u64;
        self.connection.output.push_both(staged, data);
        if is_chunked {
            staged.extend_from_slice(response::CHUNK_END);
        }
    }

    /// The application is asked for its next piece. To be called after each, whatever has become of it: what is kept, also
    /// because the client is slow, goes on its way meanwhile.
    pub fn await_piece(&mut self) {
        let Some(lender) = self.lender else {
            return;
        };
        let connection = &mut *self.connection;
        let (output, staged) = (&mut connection.output, &mut self.scratch.staged);
        let has_kept = !staged.is_empty() || !output.is_empty();
        let may_lend = has_kept && !self.pace.is_lent && !self.answer.is_file;
        if may_lend && !self.answer.gone && lender.is_ready() && self.watch.claim() {
            lender.lend(connection.socket.as_fd(), output, staged);
            self.pace.is_lent = true;
        }
        self.pace.dealt_us = now_us();
    }

    /// From now on nobody else sends. To be called before anything is done with the queue or the socket.
    pub(in crate::serve) fn regain(&mut self) {
        if let Some(lender) = self.lender.filter(|_| self.pace.is_lent) {
            let output = &mut self.connection.output;
            let back = lender.take_back(output, &mut self.scratch.staged);
            self.regained(back);
        }
    }

    /// The same without waiting for a send; gives whether it is so.
    fn try_regain(&mut self) -> bool {
        if let Some(lender) = self.lender.filter(|_| self.pace.is_lent) {
            let output = &mut self.connection.output;
            match lender.try_take_back(output, &mut self.scratch.staged) {
                Some(back) => self.regained(back),
                None => return false,
            }
        }
        true
    }

    fn regained(&mut self, back: Result<usize, Failed>) {
        self.pace.is_lent = false;
        match back {
            Ok(staged) => {
                self.answer.sent += staged as u64;
                self.pace.backlog = self.pace.backlog.min(self.connection.output.queued());
            }
            Err(Failed) => self.answer.gone = true,
        }
    }
}
