//! The PROXY protocol, versions 1 and 2 (HAProxy's "The PROXY protocol", sections 2.1 and 2.2): a header in front of
//! everything else, in which a proxy that passes bytes on says whose connection it is.
//!
//! It is believed without any proof. Who may send it is decided before a byte is read.

mod binary;
#[cfg(test)]
mod tests;
mod text;

use std::net::SocketAddr;

use super::Refusal;

/// The longest header that is taken, of either version.
pub const MAX_HEADER: usize = binary::MAX_HEADER;

/// What a header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proxied {
    /// Bytes of the header; what follows is the client's.
    pub len: usize,
    /// Whose connection it is; `None`: the proxy's own, as for its health checks.
    pub client: Option<Client>,
}

/// A client behind a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Where it comes from; `None`: a Unix socket.
    pub address: Option<SocketAddr>,
    /// Whether it came to the proxy by TLS.
    pub tls: bool,
}

/// Reads the header that `buffer` begins with; `None`: more has to come.
///
/// # Errors
/// 400: it is no such header, or one that we do not understand.
pub fn parse(buffer: &[u8]) -> Result<Option<Proxied>, Refusal> {
    match buffer.first() {
        None => Ok(None),
        Some(b'P') => text::parse(buffer),
        Some(_) => binary::parse(buffer),
    }
}

/// How far `buffer` is `beginning`: whether all of it is there.
fn begins(buffer: &[u8], beginning: &[u8]) -> Result<bool, Refusal> {
    let known = buffer.len().min(beginning.len());
    match buffer[..known] == beginning[..known] {
        true => Ok(known == beginning.len()),
        false => Err(Refusal::new(
            400,
            "a connection that does not begin with a header of the PROXY protocol",
        )),
    }
}
