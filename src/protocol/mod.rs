//! Codecs between bytes and requests or responses: they decide, they never touch a socket.
//!
//! A [`Head`] holds positions instead of slices, so that it can outlive a growing buffer and be reused from request
//! to request without an allocation; [`Request`] is head and buffer together. What a peer sends is never trusted:
//! every decoder answers with [`Parsed`] or a [`Refusal`], for any bytes whatever.

pub mod fastcgi;
pub mod http;
pub mod proxy;
pub mod scgi;
pub mod uwsgi;

mod fields;
mod head;
mod standard;
mod variables;
#[cfg(test)]
mod wire;

pub use fields::decimal;
pub use head::{Field, Framing, Head, Kind, Request, Span, Version};
pub use standard::Standard;

/// Why a request is refused. The connection must be closed afterwards: where the next request would begin is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Status to answer with.
    pub status: u16,
    /// One sentence for the log, without a full stop.
    pub reason: &'static str,
}

impl Refusal {
    /// A refusal with this status, for this reason.
    pub(crate) const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

/// How far a decoder got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// All that was asked for is there.
    Complete,
    /// It needs more bytes after the ones it has seen.
    Incomplete,
}
