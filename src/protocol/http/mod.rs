//! HTTP/1.0 and HTTP/1.1 (RFC 9110, RFC 9112).
//!
//! Strict on purpose: a request that two servers could read in two ways is how requests are smuggled past a front
//! server, so on any doubt the answer is a refusal and never a guess.

pub mod body;
pub mod head;
pub mod response;

mod canned;
mod fields;
mod octets;
mod target;
