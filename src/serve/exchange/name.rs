//! The name of the request, and its entry in the access log.

use std::borrow::Cow;

use rustix::time::{ClockId, clock_gettime};

use super::{Exchange, ResponseHead, Scratch};
use crate::{
    environ,
    journal::{self, Access},
    protocol::{Kind, Request},
    scoreboard::{self, Asked},
    serve::{
        access::{Origin, Outcome, memory},
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
    pub(in crate::serve) fn log(&mut self, duration_us: u64, status: u16, origin: Origin<'_>) {
        let outcome = Outcome {
            status,
            bytes: self.answer.body,
            duration_us,
        };
        let access = &self.rules.access;
        if access.takes(outcome) && access.takes_path(&self.request()) {
            self.tell(outcome, Some(origin), journal::access);
        }
    }

    /// What is known of the time in which an application had the request.
    pub(in crate::serve) fn asked(&self) -> Option<Asked> {
        self.times.asked()
    }

    /// How often reading from the client failed, and writing to it.
    pub(in crate::serve) fn errors(&self) -> (u8, u8) {
        let answer = &self.answer;
        let is_unread = answer.left || answer.fault.is_some();
        (u8::from(is_unread), u8::from(answer.gone))
    }

    /// Whoever looks at the request while it runs can know its name.
    pub(super) fn tell_name(&mut self) {
        self.request_id();
        self.record.name(&self.scratch.request_id);
    }

    /// Says that the request, which took so long, has come to its end.
    pub(in crate::serve) fn log_slow(&mut self, duration_us: u64, status: u16) {
        let outcome = Outcome {
            status,
            bytes: self.answer.body,
            duration_us,
        };
        self.tell(outcome, None, journal::slow);
    }

    /// Gives what is known of the request, which was answered, to a kind of entries.
    fn tell(&mut self, outcome: Outcome, origin: Option<Origin<'_>>, put: fn(&Access<'_>)) {
        // A request that was slow is told of wherever the log goes.
        let is_detailed = self.rules.access.is_detailed || origin.is_none();
        if is_detailed {
            self.request_id();
        }
        let access = &self.rules.access;
        let wanted = access.wanted.as_ref().zip(origin);
        let mut details = wanted.map(|(wanted, origin)| wanted.gather(self, origin));
        if let Some(details) = &mut details {
            details.head = &self.scratch.head;
        }
        let request = self.request();
        let client = is_detailed.then(|| self.client_of(&request));
        let mut claimed = Vec::new();
        let mut known = access.visit(&request, &mut claimed);
        if is_detailed {
            known.host = environ::host(&request);
            known.traceparent = request_id::traceparent(&self.rules.traceparent, &request);
        }
        put(&Access {
            method: request.head.method.of(request.buffer),
            target: request.target(),
            peer: client.as_deref().unwrap_or_default(),
            status: outcome.status,
            bytes: outcome.bytes,
            began_us: now_us() - outcome.duration_us.cast_signed(),
            ended_us: self.times.end_after(outcome.duration_us),
            duration_us: outcome.duration_us,
            memory: access.with_memory.then(memory).flatten(),
            request_id: &self.scratch.request_id,
            details: details.as_ref(),
            ..known
        });
    }

    /// For whom a trusted peer speaks, or who asks.
    fn client_of<'x>(&'x self, request: &Request<'x>) -> Cow<'x, str> {
        let peer = &self.connection.peer;
        let client = peer
            .trusted
            .then(|| self.rules.access.client(request, &self.rules.trusted));
        match client.flatten() {
            Some(address) => Cow::Owned(address.to_string()),
            None => client_of(request, &peer.address),
        }
    }
}

/// Who asks, by the word of a front server; else who is at the other end of the connection.
fn client_of<'c>(request: &Request<'c>, peer: &'c str) -> Cow<'c, str> {
    let told = match request.head.kind {
        Kind::Http => b"",
        _ => environ::variable(request, b"REMOTE_ADDR"),
    };
    match told {
        b"" => Cow::Borrowed(peer),
        told => String::from_utf8_lossy(told),
    }
}

/// Microseconds since 1970.
fn now_us() -> i64 {
    let now = clock_gettime(ClockId::Realtime);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

/// Logs what is no request, or none that we take.
pub(in crate::serve) fn log_refusal(peer: &str, status: u16) {
    journal::access(&Access {
        peer,
        status,
        began_us: now_us(),
        ended_us: scoreboard::now_us(),
        ..Access::default()
    });
}
