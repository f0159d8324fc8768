//! HTTP/1.x on the wire (RFC 9110, RFC 9112), where it takes a socket to see it.
//!
//! `wire`: the corpus of raw requests; `connection`: keep-alive, pipelining, versions, expectations; `limits`: sizes and
//! times; `exhaustion`: no descriptors left; `listen`: the kinds of sockets; `proxied`: the PROXY protocol before it.

mod connection;
mod exhaustion;
mod limits;
mod listen;
mod proxied;
mod wire;
