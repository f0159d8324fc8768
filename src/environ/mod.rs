//! Turns a request into CGI variables (RFC 3875, PEP 3333): ordered pairs of bytes, each name once.
//!
//! The result is the environ that uWSGI gives an application for the same request, less its mistakes. Where they
//! differ the code says so. What Python adds (`wsgi.*`) is not here, nor is any decoding to text.
//!
//! - `path`: from the path of a target to PATH_INFO, from PATH_INFO to what is left of it under a SCRIPT_NAME.
//! - `scheme`: `http` or `https`, and whose word on it counts.
//! - `variables`: what front servers have made variables of already.

mod path;
mod scheme;
#[cfg(test)]
mod tests;
mod variables;

use crate::protocol::{Kind, Request, Version};

pub use crate::protocol::Standard;
pub use path::{below, path_info, resolved, unescaped};
pub use scheme::scheme;

/// What the connection itself says; all of it is text that is made once per connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer<'a> {
    /// Name of this machine; SERVER_NAME.
    pub server_name: &'a str,
    /// Port of the listener, 80 for a Unix socket; SERVER_PORT.
    pub server_port: &'a str,
    /// Address of the client, empty on a Unix socket; REMOTE_ADDR.
    pub remote_addr: &'a str,
    /// Port of the client, empty on a Unix socket; REMOTE_PORT.
    pub remote_port: &'a str,
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Whether the peer is a proxy whose forwarded headers count.
    pub trusted: bool,
}

/// Name of one variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variable<'b> {
    /// A header of an HTTP request by its name on the wire, for [`header_key`].
    Header(&'b [u8]),
    /// A variable of a front server, its name as it is.
    Raw(&'b [u8]),
    /// A variable that has its own name in CGI.
    Standard(Standard),
}

/// Calls `visitor` with every variable of `request` and its value, each name once, in uWSGI's order.
///
/// `mount` is what the path of the application that answers takes of PATH_INFO and adds to SCRIPT_NAME; usually it is
/// empty. `scratch` is memory for values that are not in the buffer as they have to be; it is overwritten. Names of a
/// front server's variables are any bytes that it sent: what the application's server itself puts into an environ has
/// to come later.
pub fn visit<'b>(
    request: &Request<'b>,
    peer: &Peer<'_>,
    mount: &[u8],
    scratch: &mut Vec<u8>,
    visitor: impl FnMut(Variable<'_>, &[u8]),
) {
    match request.head.kind {
        Kind::Http => visit_http(request, peer, mount, scratch, visitor),
        Kind::Fastcgi { .. } | Kind::Scgi | Kind::Uwsgi { .. } => {
            variables::visit(request, peer, mount, scratch, visitor);
        }
    }
}

/// SCRIPT_NAME as the front server sent it; HTTP has none.
pub fn script_name<'b>(request: &Request<'b>) -> &'b [u8] {
    match request.head.kind {
        Kind::Http => b"",
        _ => request.head.script.of(request.buffer),
    }
}

/// The host that is asked for, as it was written, perhaps with a port; empty if the request names none.
pub fn host<'b>(request: &Request<'b>) -> &'b [u8] {
    match request.head.kind {
        Kind::Http => {
            let authority = request.head.authority.of(request.buffer);
            let mut fields = request.fields();
            match fields.find(|(name, _)| name.eq_ignore_ascii_case(b"host")) {
                Some((_, host)) if authority.is_empty() => host,
                _ => authority,
            }
        }
        _ => match variable(request, b"HTTP_HOST") {
            b"" => variable(request, b"SERVER_NAME"),
            host => host,
        },
    }
}

/// The host that is asked for, without its port and without the dot that makes a name absolute.
pub fn host_name<'b>(request: &Request<'b>) -> &'b [u8] {
    let host = host(request);
    // A colon within brackets is a part of an IPv6 address.
    let end = match host.first() {
        Some(b'[') => memchr::memchr(b']', host).map_or(host.len(), |at| at + 1),
        _ => memchr::memchr(b':', host).unwrap_or(host.len()),
    };
    let host = &host[..end];
    host.strip_suffix(b".").unwrap_or(host)
}

/// The value of a variable of the uwsgi protocol, the last one of its name; empty if there is none.
pub fn variable<'b>(request: &Request<'b>, name: &[u8]) -> &'b [u8] {
    let values = request.fields().filter(|(other, _)| *other == name);
    values.last().map_or(b"", |(_, value)| value)
}

/// SERVER_PROTOCOL: `HTTP/1.1` or `HTTP/1.0`, or what a front server says.
pub fn protocol<'b>(request: &Request<'b>) -> &'b [u8] {
    match request.head.kind {
        Kind::Http => protocol_of(request.head.version),
        _ => variable(request, b"SERVER_PROTOCOL"),
    }
}

/// Writes the name that the header `name` has in an environ: `HTTP_X_NAME` for `X-Name`.
pub fn header_key(name: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"HTTP_");
    out.extend(name.iter().map(|byte| {
        if *byte == b'-' {
            b'_'
        } else {
            byte.to_ascii_uppercase()
        }
    }));
}

/// `HTTP/1.1` or `HTTP/1.0`.
fn protocol_of(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"HTTP/1.0",
        Version::Http11 => b"HTTP/1.1",
    }
}

fn visit_http<'b>(
    request: &Request<'b>,
    peer: &Peer<'_>,
    mount: &[u8],
    scratch: &mut Vec<u8>,
    mut visitor: impl FnMut(Variable<'_>, &[u8]),
) {
    let head = request.head;
    let mut standard = |name, value: &[u8]| visitor(Variable::Standard(name), value);
    standard(Standard::RequestMethod, request.method());
    standard(Standard::RequestUri, request.target());
    let path = path::decoded(request, scratch);
    standard(Standard::PathInfo, path::below(path, mount));
    standard(Standard::QueryString, head.query.of(request.buffer));
    standard(Standard::ServerProtocol, protocol_of(head.version));
    standard(Standard::ScriptName, mount);
    standard(Standard::ServerName, peer.server_name.as_bytes());
    standard(Standard::ServerPort, peer.server_port.as_bytes());
    standard(Standard::RemoteAddr, peer.remote_addr.as_bytes());
    if !peer.remote_port.is_empty() {
        standard(Standard::RemotePort, peer.remote_port.as_bytes());
    }
    if peer.tls {
        standard(Standard::Https, b"on");
    }
    visit_headers(request, scratch, visitor);
}

fn visit_headers(
    request: &Request<'_>,
    scratch: &mut Vec<u8>,
    mut visitor: impl FnMut(Variable<'_>, &[u8]),
) {
    // RFC 9112 section 3.2.2: the authority of a target in absolute form replaces Host.
    let authority = request.head.authority.of(request.buffer);
    let mut host_is_due = !authority.is_empty();
    for (index, field) in request.head.fields.iter().enumerate() {
        let name = field.name.of(request.buffer);
        let value = field.value.of(request.buffer);
        let value = if request.head.repeats {
            match joined(request, index, name, value, scratch) {
                Some(value) => value,
                None => continue,
            }
        } else {
            value
        };
        if let Some(standard) = field.standard {
            visitor(Variable::Standard(standard), value);
            continue;
        }
        match name.len() {
            4 if host_is_due && name.eq_ignore_ascii_case(b"host") => {
                host_is_due = false;
                visitor(Variable::Header(name), authority);
            }
            // HTTP_PROXY is how CGI programs are told of a proxy for their own requests ("httpoxy"); no client may say.
            5 if name.eq_ignore_ascii_case(b"proxy") => {}
            _ => visitor(Variable::Header(name), value),
        }
    }
    if host_is_due {
        visitor(Variable::Header(b"Host"), authority);
    }
}

/// The value of the header at `index` with those of all later headers of its name, RFC 9110 section 5.3; `None` when it
/// was part of an earlier one.
fn joined<'v>(
    request: &Request<'v>,
    index: usize,
    name: &[u8],
    value: &'v [u8],
    scratch: &'v mut Vec<u8>,
) -> Option<&'v [u8]> {
    let is_same = |other: &(&[u8], &[u8])| other.0.eq_ignore_ascii_case(name);
    if request.fields().take(index).any(|other| is_same(&other)) {
        return None;
    }
    let mut later = request.fields().skip(index + 1).filter(is_same).peekable();
    if later.peek().is_none() {
        return Some(value);
    }
    // RFC 6265 section 5.4 gives cookies their own separator; a comma may be part of a cookie.
    let separator: &[u8] = if name.eq_ignore_ascii_case(b"cookie") {
        b"; "
    } else {
        b", "
    };
    scratch.clear();
    scratch.extend_from_slice(value);
    for (_, value) in later {
        scratch.extend_from_slice(separator);
        scratch.extend_from_slice(value);
    }
    Some(scratch)
}
