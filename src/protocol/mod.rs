//! Codecs between bytes and requests or responses: they decide, they never touch a socket.
//!
//! A [`Head`] holds positions instead of slices, so that it can outlive a growing buffer and be reused from request
//! to request without an allocation; [`Request`] is head and buffer together.

pub mod http;
pub mod uwsgi;

mod head;

pub use head::{Field, Framing, Head, Kind, Request, Span, Version};
