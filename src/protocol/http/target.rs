//! The request target (RFC 9112 section 3.2) and what names a host in it or in `Host`.

use super::octets::{HOST, TARGET};
use crate::protocol::{Refusal, Span};

/// Where the parts of a target are, as positions in the buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Path, still encoded; empty for a target in absolute form that has none.
    pub(super) path: Span,
    /// After the first `?`.
    pub(super) query: Span,
    /// Host and port of a target in absolute form.
    pub(super) authority: Span,
}

/// Splits `target`, which begins at `offset` of the buffer.
pub(super) fn parts(method: &[u8], target: &[u8], offset: u32) -> Result<Parts, Refusal> {
    // RFC 9112 section 3.2: a target is a part of a URI, which is ASCII and whose fragment is never sent.
    if !TARGET.are_all(target) {
        return Err(Refusal::new(
            400,
            "a target with a fragment or with characters that no URI has",
        ));
    }
    if method == b"CONNECT" {
        return Err(Refusal::new(501, "CONNECT asks for a proxy"));
    }
    let span = |from: usize, to: usize| Span {
        start: offset + from as u32,
        end: offset + to as u32,
    };
    let split = |from: usize| {
        let path_end = memchr::memchr(b'?', &target[from..]).map_or(target.len(), |at| from + at);
        (
            span(from, path_end),
            span((path_end + 1).min(target.len()), target.len()),
        )
    };
    if target[0] == b'/' {
        let (path, query) = split(0);
        return Ok(Parts {
            path,
            query,
            authority: span(0, 0),
        });
    }
    if target == b"*" && method == b"OPTIONS" {
        return Ok(Parts {
            path: span(0, 1),
            query: span(1, 1),
            authority: span(0, 0),
        });
    }
    let Some(host_start) = after_scheme(target) else {
        return Err(Refusal::new(
            400,
            "a target in no form that the method may have",
        ));
    };
    let host_end = target[host_start..]
        .iter()
        .position(|&byte| matches!(byte, b'/' | b'?'))
        .map_or(target.len(), |at| host_start + at);
    let host = &target[host_start..host_end];
    // RFC 9110 section 4.2.1: an empty host in an http URI has to be rejected.
    if matches!(host, [] | [b':', ..]) || !is_host(host) {
        return Err(Refusal::new(400, "an invalid host in the target"));
    }
    let (path, query) = split(host_end);
    Ok(Parts {
        path,
        query,
        authority: span(host_start, host_end),
    })
}

/// Where the authority of an absolute `http` or `https` URI begins.
fn after_scheme(target: &[u8]) -> Option<usize> {
    [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| {
            target
                .get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        })
        .map(<[u8]>::len)
}

/// Whether it is `uri-host [":" port]` (RFC 9110 section 7.2, RFC 3986 section 3.2.2) without user information.
///
/// An empty one is valid: RFC 9112 section 3.2 has clients send it where the target URI has no authority.
pub(super) fn is_host(value: &[u8]) -> bool {
    let (host, rest) = match value {
        [b'[', inside @ ..] => match memchr::memchr(b']', inside) {
            Some(end) if is_ip_literal(&inside[..end]) => (&b""[..], &inside[end + 1..]),
            _ => return false,
        },
        _ => value.split_at(memchr::memchr(b':', value).unwrap_or(value.len())),
    };
    let port_is_valid = match rest {
        [] => true,
        [b':', port @ ..] => port.len() <= 5 && port.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    port_is_valid && HOST.are_all(host)
}

/// RFC 3986: IPv6address, or IPvFuture, as far as its characters go.
fn is_ip_literal(inside: &[u8]) -> bool {
    match inside {
        [b'v' | b'V', future @ ..] => {
            !future.is_empty()
                && future
                    .split(|&byte| byte == b':')
                    .all(|part| HOST.are_all(part))
        }
        _ => str::from_utf8(inside).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok()),
    }
}
