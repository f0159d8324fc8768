//! The head of an answer: what the application says, what is changed about it, and how the body will be framed.

use super::{Exchange, Scratch, records::Records};
use crate::protocol::{
    Kind,
    http::response::{self, BodyFraming, Facts},
};

/// What the application wants to be said before the body: filled by its side, committed by [`Exchange::commit`].
#[derive(Debug, Default)]
pub struct ResponseHead {
    /// Code and reason, `200 OK`.
    pub status: Vec<u8>,
    /// Header lines as they go out, each with its CRLF; see [`response::header`].
    pub lines: Vec<u8>,
    /// What the lines say about framing.
    pub facts: Facts,
}

impl Exchange<'_> {
    /// Fixes status and headers. `length` is the length of the whole body where it is known; it becomes the
    /// Content-Length if the application gave none.
    pub fn commit(&mut self, head: &ResponseHead, length: Option<u64>) {
        if self.answers_with_named_file(head) {
            return;
        }
        match self.packed(head, length) {
            None => self.commit_as_it_is(head, length),
            Some((head, None)) => self.commit_as_it_is(&head, length),
            Some((packed, Some(coder))) => {
                self.commit_as_it_is(&packed, None);
                self.pack(coder, head.facts.content_length);
            }
        }
    }

    /// The same, whatever file the application names, and without compressing anything.
    pub(super) fn commit_as_it_is(&mut self, head: &ResponseHead, length: Option<u64>) {
        let has_name = self.request_id_header(Some(head)).is_some();
        let (lines, mut facts) = self.amended(head);
        facts.body_length = length;
        facts.close |= self.must_close();
        let request = &self.connection.head;
        let is_head = request.method.of(&self.connection.input) == b"HEAD";
        let (framing, keep_alive) = response::plan(request, is_head, &facts);
        let Scratch {
            staged: out,
            date,
            request_id,
            head: kept,
            ..
        } = &mut *self.scratch;
        if let Kind::Fastcgi { id } = request.kind {
            self.answer.records = Records::begin(id, out);
        }
        let start = out.len();
        response::begin_head(out, request, &head.status);
        out.extend_from_slice(&lines);
        if has_name {
            let name = self.rules.request_id.name.as_bytes();
            response::header(out, name, request_id.as_bytes());
        }
        let date = date.now();
        response::finish_head(out, request, &facts, framing, keep_alive, date.as_bytes());
        if self.rules.access.wanted.is_some() {
            kept.extend_from_slice(&out[start..]);
        }
        self.connection.keep_alive = keep_alive;
        self.answer.status = facts.status;
        self.answer.framing = Some(framing);
        if let BodyFraming::Length(length) = framing {
            self.answer.owed = length;
        }
    }
}
