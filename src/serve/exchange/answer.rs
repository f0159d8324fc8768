//! The response of an [`Exchange`]: what the application says, put into its framing and sent.

use std::{io, os::fd::OwnedFd};

use rustix::event::PollFlags;
use tracing::error;

use super::{Exchange, compress::Packing, patience::await_socket, records::Records};
use crate::{
    protocol::http::response::{self, BodyFraming},
    scoreboard::now_us,
    serve::output::{Held, Source},
};

/// From this size on it is cheaper to send bytes of the application from where they are, by [`Exchange::write_held`],
/// than to copy them behind the head.
pub const HELD_FROM: usize = 16 << 10;
/// So much staged is enough for one send.
const STAGED: usize = 64 << 10;

/// How the client is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More is kept for it than the settings allow: [`Exchange::wait`] before the next piece.
    Full,
    /// It has gone, or its connection failed: whatever else is written is dropped.
    Gone,
    /// It takes more.
    Open,
}

/// How far the response is.
#[derive(Debug, Default)]
pub(in crate::serve) struct Answer {
    pub(in crate::serve) status: u16,
    /// Bytes handed over to the connection, head and framing included.
    pub(in crate::serve) sent: u64,
    /// Those of them that are the body.
    pub(super) body: u64,
    /// Nobody takes more: it is to be closed.
    pub(in crate::serve) gone: bool,
    /// The client went away while its body was read.
    pub(super) left: bool,
    /// The client has spoilt the request while its body was read: the status that says how.
    pub(super) fault: Option<u16>,
    pub(super) finished: bool,
    /// Nothing is answered yet: the request begins anew, elsewhere.
    pub(in crate::serve) is_postponed: bool,
    /// How the body is framed; `None` before the head is fixed.
    pub(super) framing: Option<BodyFraming>,
    /// Of a declared length, what is still owed.
    pub(super) owed: u64,
    /// The application gave more than the length that it declared.
    surplus: bool,
    /// The body is another one than the application's.
    pub(super) is_replaced: bool,
    /// A part of the body is a file that the kernel sends.
    pub(in crate::serve) is_file: bool,
    /// What compresses it on its way.
    pub(super) packing: Option<Packing>,
    /// What it is put into, beside its framing.
    pub(super) records: Records,
}

impl Answer {
    pub(super) fn is_committed(&self) -> bool {
        self.framing.is_some()
    }
}

impl Exchange<'_> {
    /// The status of the response, 0 as long as there is none.
    pub fn status(&self) -> u16 {
        self.answer.status
    }

    /// Whether the head is on its way, so that it cannot be replaced any more.
    pub fn is_committed(&self) -> bool {
        self.answer.is_committed()
    }

    /// Whether bytes of a body are dropped anyway (HEAD, 204, 304, a named file), so that making them is not worth the while.
    pub fn is_bodiless(&self) -> bool {
        self.answer.is_replaced || self.answer.framing == Some(BodyFraming::None)
    }

    /// Whether it is known that the client has gone, so that an application that cannot go on is not to blame.
    pub fn is_deserted(&self) -> bool {
        self.answer.gone || self.answer.left
    }

    /// What the client has done wrong while the application read its body, as the status of the answer that it gets for
    /// that: it was silent for too long (408), or sent what is no body or too much of one (400, 413).
    pub fn peers_fault(&self) -> Option<u16> {
        self.answer.fault
    }

    /// Stages bytes of the body; [`Exchange::flush`] or [`Exchange::finish`] send them.
    pub fn write(&mut self, data: &[u8]) {
        let admitted = self.admit_or_note(data.len());
        self.put(&data[..admitted]);
    }

    /// Whether so much is staged that it should be flushed.
    pub fn has_staged_enough(&self) -> bool {
        self.scratch.staged.len() >= STAGED
    }

    /// Like [`Exchange::write`] and [`Exchange::flush`] for bytes that are too many to be copied.
    pub fn write_held(&mut self, data: Box<dyn Held>) -> Progress {
        let length = data.bytes().len();
        let admitted = self.admit_or_note(length);
        if admitted < length || length == 0 || self.is_compressing() {
            // More than was promised, or the answer to a HEAD: it happens once in a response at most.
            self.put(&data.bytes()[..admitted]);
            return self.flush();
        }
        if let Some(id) = self.answer.records.id() {
            return self.send_in_records(data, id);
        }
        let mut tail: &[u8] = b"";
        if self.answer.framing == Some(BodyFraming::Chunked) {
            response::chunk_header(&mut self.scratch.staged, length);
            tail = response::CHUNK_END;
        }
        self.send(Some((data, tail)))
    }

    /// Queues `length` bytes of a file from `offset` on, or as many of them as Content-Length wants (PEP 3333,
    /// "Optional Platform-Specific File Handling"); they never pass through the application's thread.
    pub fn write_file(&mut self, file: OwnedFd, offset: u64, length: u64) {
        if self.is_compressing() {
            return self.write_file_packed(&file, offset, length);
        }
        self.regain();
        let admitted = self.admit(length);
        if admitted == 0 || self.answer.gone {
            return;
        }
        if let Some(id) = self.answer.records.id() {
            return self.queue_in_records(Source::File(file, offset), admitted, id);
        }
        let chunk = usize::try_from(admitted)
            .ok()
            .filter(|_| self.answer.framing == Some(BodyFraming::Chunked));
        let staged = &mut self.scratch.staged;
        if let Some(length) = chunk {
            response::chunk_header(staged, length);
        }
        self.answer.sent += staged.len() as u64 + admitted;
        self.answer.is_file = true;
        self.connection.output.push(staged);
        self.connection.output.push_file(file, offset, admitted);
        if chunk.is_some() {
            self.scratch.staged.extend_from_slice(response::CHUNK_END);
        }
    }

    pub(super) fn stage(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        let out = &mut self.scratch.staged;
        if self.answer.framing == Some(BodyFraming::Chunked) {
            response::chunk_header(out, data.len());
            out.extend_from_slice(data);
            out.extend_from_slice(response::CHUNK_END);
        } else {
            self.answer.records.open(out);
            out.extend_from_slice(data);
        }
    }

    /// How many of `length` bytes may go out; the rest is more than Content-Length promised, or answers a HEAD.
    fn admit(&mut self, length: u64) -> u64 {
        let admitted = match self.answer.framing {
            _ if self.answer.is_replaced => 0,
            None | Some(BodyFraming::None) => 0,
            Some(_) if self.is_bounded() => {
                let admitted = length.min(self.answer.owed);
                self.answer.owed -= admitted;
                admitted
            }
            Some(_) => length,
        };
        self.answer.body += admitted;
        admitted
    }

    /// The same for bytes that the application should not have given if they are too many.
    pub(super) fn admit_or_note(&mut self, length: usize) -> usize {
        // No more than `length`, which is a usize.
        let admitted = self.admit(length as u64) as usize;
        if self.is_bounded() && !self.answer.is_replaced {
            self.answer.surplus |= admitted < length;
        }
        admitted
    }

    /// Whether the application has promised a length.
    fn is_bounded(&self) -> bool {
        let packing = self.answer.packing.as_ref();
        matches!(self.answer.framing, Some(BodyFraming::Length(_)))
            || packing.is_some_and(|packing| packing.is_bounded)
    }

    /// Sends what is staged or queued, without blocking, and no more than a slice of what is queued.
    pub fn flush(&mut self) -> Progress {
        self.regain();
        self.put_out();
        if self.scratch.staged.is_empty() && self.connection.output.is_empty() {
            return if self.answer.gone {
                Progress::Gone
            } else {
                Progress::Open
            };
        }
        self.send(None)
    }

    pub(super) fn send(&mut self, held: Option<(Box<dyn Held>, &[u8])>) -> Progress {
        self.regain();
        let staged = &mut self.scratch.staged;
        self.answer.records.seal(staged);
        // Whoever ended the request may have told the client already.
        self.answer.gone |= !self.watch.claim();
        if self.answer.gone {
            staged.clear();
            return Progress::Gone;
        }
        let connection = &mut *self.connection;
        self.answer.sent += staged.len() as u64;
        let sent = match held {
            None => connection.send(staged),
            Some((held, tail)) => {
                self.answer.sent += (held.bytes().len() + tail.len()) as u64;
                connection.send_held(staged, held, tail)
            }
        };
        self.judge(sent)
    }

    fn judge(&mut self, sent: io::Result<()>) -> Progress {
        if sent.is_err() {
            self.answer.gone = true;
            self.connection.output.clear();
        }
        self.pace.backlog = self.connection.output.queued();
        self.progress()
    }

    /// Waits until the client took enough for the queue to be within bounds. The only place where a response waits
    /// for its client, `timeouts.socket` at most without any progress; then the client counts as gone.
    pub fn wait(&mut self) -> Progress {
        self.regain();
        let mut progress = self.progress();
        while progress == Progress::Full {
            let connection = &*self.connection;
            let since = now_us();
            let waited = await_socket(connection, self.watch, PollFlags::OUT, self.rules.socket);
            self.times.note_client(since);
            progress = match waited {
                Ok(()) => self.go_on(),
                Err(error) => self.give_up(error),
            };
        }
        progress
    }

    /// What [`Exchange::wait`] does when the client's socket has room.
    pub fn go_on(&mut self) -> Progress {
        let flushed = self.connection.flush().map(drop);
        self.judge(flushed)
    }

    /// What [`Exchange::wait`] does when it has waited for too long.
    pub fn give_up(&mut self, error: io::Error) -> Progress {
        self.connection.reset();
        self.judge(Err(error))
    }

    fn progress(&self) -> Progress {
        if self.answer.gone {
            Progress::Gone
        } else if self.connection.output.queued() > self.rules.buffering {
            Progress::Full
        } else {
            Progress::Open
        }
    }

    /// The application has said everything. What it did wrong is logged.
    pub fn finish(&mut self) {
        if self.answer.finished {
            return;
        }
        self.answer.finished = true;
        if self.answer.owed == 0 {
            self.put_last();
        }
        // What is shorter than was promised must not come to a good end.
        if self.answer.framing == Some(BodyFraming::Chunked) && self.answer.owed == 0 {
            self.scratch.staged.extend_from_slice(response::LAST_CHUNK);
        }
        self.connection.keep_alive &= self.answer.owed == 0;
        self.end_records();
        if self.flush() == Progress::Gone {
            return;
        }
        if self.answer.owed > 0 {
            self.blame(
                "the application returned less than its Content-Length; the connection is closed",
            );
        } else if self.answer.surplus {
            self.blame(
                "the application returned more than its Content-Length; the surplus was dropped",
            );
        }
    }

    fn blame(&self, fault: &'static str) {
        let request = self.request();
        error!(
            method = %request.method().escape_ascii(),
            target = %request.target().escape_ascii(),
            missing = self.answer.owed,
            "{fault}"
        );
    }

    /// The application failed: the client gets `status` if nothing was sent yet, else a connection that ends too early.
    pub fn fail(&mut self, status: u16) {
        if self.answer.finished {
            return;
        }
        self.answer.finished = true;
        self.connection.keep_alive = false;
        if self.is_committed() {
            return self.cut_off();
        }
        self.answer.status = status;
        let is_head = self.request().method() == b"HEAD";
        let kind = self.connection.head.kind;
        let date = self.scratch.date.now();
        let mut answer = self.rules.canned(kind, status, is_head, date);
        if let Some((name, value)) = self.request_id_header(None) {
            response::add_header(&mut answer, name, value);
        }
        if self.rules.access.wanted.is_some() {
            let body = memchr::memmem::find(&answer, b"\r\n\r\n").map(|end| end + 4);
            let head = &answer[..body.unwrap_or(answer.len())];
            self.scratch.head.extend_from_slice(head);
        }
        self.scratch.staged = response::enclose(kind, answer);
        self.connection.linger |= !self.connection.body.is_read();
        self.flush();
    }

    /// The client must notice that the response is not whole: no last chunk, no full length, no last record, no orderly
    /// end where the end of the connection is the end of the body.
    fn cut_off(&mut self) {
        self.regain();
        let is_ended_by_close = self.answer.framing == Some(BodyFraming::UntilClose)
            && self.answer.records.id().is_none();
        if is_ended_by_close && self.watch.claim() {
            self.connection.reset();
            self.answer.gone = true;
        } else {
            self.flush();
        }
        self.answer.gone |= self.connection.is_flushed();
    }
}
