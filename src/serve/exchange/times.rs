//! Where the time of a request goes that an application answers: for the scoreboard, and measured only where a thread
//! waits, so that a request that waits for nobody reads no clock for it.

use super::Exchange;
use crate::{
    scoreboard::{Asked, now_us},
    sys::received_ago,
};

/// All in microseconds, moments by the clock of the scoreboard.
#[derive(Debug, Clone, Copy)]
pub(in crate::serve) struct Times {
    learnt_us: u64,
    began_us: u64,
    /// Whether the kernel may have had the request for longer than its thread knows.
    may_be_older: bool,
    asked: Option<Asked>,
}

impl Times {
    /// Of a request that begins, of which its thread has learnt then.
    pub(in crate::serve) fn new(learnt_us: u64, began_us: u64) -> Self {
        Self {
            learnt_us,
            began_us,
            may_be_older: false,
            asked: None,
        }
    }

    /// The same for a thread that did not look for a while: how long the request has waited for that, the kernel knows.
    pub(in crate::serve) fn since_arrival(self) -> Self {
        Self {
            may_be_older: true,
            ..self
        }
    }

    /// What is told when the request is answered; `None`: no application had it.
    pub(in crate::serve) fn asked(&self) -> Option<Asked> {
        self.asked
    }

    /// The end of a request that has taken so long.
    pub(super) fn end_after(&self, duration_us: u64) -> u64 {
        self.began_us + duration_us
    }

    /// A wait for the client is over that began then.
    pub(super) fn note_client(&mut self, since_us: u64) {
        if let Some(asked) = &mut self.asked {
            asked.client_us += now_us().saturating_sub(since_us);
        }
    }
}

impl Exchange<'_> {
    /// The application answers.
    pub(in crate::serve) fn ask(&mut self, call: impl FnOnce(&mut Self)) {
        let known_us = self.times.began_us.saturating_sub(self.times.learnt_us);
        let ago = (self.times.may_be_older)
            .then(|| received_ago(&self.connection.socket))
            .flatten();
        let ago_us = ago.map_or(0, |ago| ago.as_micros() as u64);
        self.times.asked = Some(Asked {
            application: self.application(),
            queued_us: known_us.max(ago_us),
            ..Asked::default()
        });
        if self.rules.slow_us != 0 {
            self.tell_name();
        }
        call(self);
    }

    /// The application's thread has the interpreter lock, for the first time for this request. Who never waits for it need
    /// not say so.
    pub fn note_first_lock(&mut self) {
        if let Some(asked) = &mut self.times.asked {
            let waited_us = now_us().saturating_sub(self.times.began_us);
            asked.lock_us += waited_us;
            asked.queued_us += waited_us;
        }
    }

    /// A wait for the client is over that began then ([`now_us`]).
    pub fn note_client(&mut self, since_us: u64) {
        self.times.note_client(since_us);
    }

    /// It has the lock again, for which it has waited since then ([`now_us`]).
    pub fn note_lock(&mut self, since_us: u64) {
        if let Some(asked) = &mut self.times.asked {
            asked.lock_us += now_us().saturating_sub(since_us);
        }
    }
}
