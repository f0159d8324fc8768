//! The name of the request, and its entry in the access log.

use rustix::time::{ClockId, clock_gettime};

use super::{Exchange, ResponseHead, Scratch};
use crate::{
    environ,
    journal::{self, Access},
    protocol::Request,
    serve::{
        access::{Outcome, memory},
        request_id,
    },
};

impl Exchange<'_> {
    /// Whether each request has a name that the application shall know of: because it is logged, or answered with it.
    pub fn names_requests(&self) -> bool {
        self.rules.access.is_on || self.rules.answer_request_id
    }

    /// The name of the request: a trusted proxy's, or made at the first call.
    pub fn request_id(&mut self) -> &str {
        if self.scratch.request_id.is_empty() {
            let request = Request {
                head: &self.connection.head,
                buffer: &self.connection.input,
            };
            let is_trusted = self.connection.peer.trusted;
            let Scratch {
                request_id, names, ..
            } = &mut *self.scratch;
            let given = is_trusted.then(|| request_id::given(&self.rules.request_id, &request));
            match given.flatten() {
                Some(given) => request_id.push_str(given),
                None => names.next(request_id),
            }
        }
        &self.scratch.request_id
    }

    /// The header with the name, if answers have it and the application has not given it itself.
    pub(super) fn request_id_header(
        &mut self,
        head: Option<&ResponseHead>,
    ) -> Option<(&[u8], &[u8])> {
        if !self.rules.answer_request_id || head.is_some_and(|head| self.is_in(head)) {
            return None;
        }
        self.request_id();
        let name = self.rules.request_id.name.as_bytes();
        Some((name, self.scratch.request_id.as_bytes()))
    }

    fn is_in(&self, head: &ResponseHead) -> bool {
        let name = self.rules.request_id.name.as_bytes();
        let mut lines = head.lines.split(|&byte| byte == b'\n');
        lines.any(|line| {
            let (found, rest) = line.split_at(line.len().min(name.len()));
            found.eq_ignore_ascii_case(name) && rest.starts_with(b":")
        })
    }

    /// Logs the request, which took so long and was answered with this status, if it is one of those that are logged.
    pub(in crate::serve) fn log(&mut self, duration_us: u64, status: u16) {
        let outcome = Outcome {
            status,
            bytes: self.answer.body,
            duration_us,
        };
        let access = &self.rules.access;
        if !access.takes(outcome) || !access.takes_path(&self.request()) {
            return;
        }
        self.request_id();
        let request = self.request();
        let peer = &self.connection.peer;
        let client = peer
            .trusted
            .then(|| self.rules.access.client(&request, &self.rules.trusted));
        let client = client.flatten().map(|address| address.to_string());
        journal::access(&Access {
            method: request.head.method.of(request.buffer),
            target: request.target(),
            host: environ::host(&request),
            peer: client.as_deref().unwrap_or(&peer.address),
            status,
            bytes: self.answer.body,
            began: clock_gettime(ClockId::Realtime).tv_sec - duration_us.cast_signed() / 1_000_000,
            duration_us,
            memory: access.with_memory.then(memory).flatten(),
            request_id: &self.scratch.request_id,
            traceparent: request_id::traceparent(&self.rules.traceparent, &request),
            ..access.visit(&request)
        });
    }
}

/// Logs what is no request, or none that we take.
pub(in crate::serve) fn log_refusal(peer: &str, status: u16) {
    journal::access(&Access {
        peer,
        status,
        began: clock_gettime(ClockId::Realtime).tv_sec,
        ..Access::default()
    });
}
