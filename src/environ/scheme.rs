//! `http` or `https`: what the client used, and whose word on it counts.

use super::Peer;
use crate::protocol::{Kind, Request, Standard};

/// `wsgi.url_scheme`.
///
/// Over uwsgi, FastCGI and SCGI it is the front server's word, `UWSGI_SCHEME` or `HTTPS`. What may have come from further
/// out, `X-Forwarded-Proto`, then `X-Forwarded-Ssl`, then (HTTP only) `Forwarded`, counts if the peer is trusted; then
/// it wins over the connection itself, because the proxy stands between. uWSGI trusts every peer.
pub fn scheme(request: &Request<'_>, peer: &Peer<'_>) -> &'static str {
    let said = match request.head.kind {
        Kind::Http if peer.trusted => Said::by_headers(request),
        Kind::Http => Said::default(),
        Kind::Fastcgi { .. } | Kind::Scgi | Kind::Uwsgi { .. } => {
            Said::by_variables(request, peer.trusted)
        }
    };
    said.own
        .or(said.proto)
        .or(said.ssl)
        .or(said.forwarded)
        .unwrap_or(if peer.tls { HTTPS } else { HTTP })
}

const HTTP: &str = "http";
const HTTPS: &str = "https";

/// What each source says, if it says anything that is a scheme.
#[derive(Default)]
struct Said {
    own: Option<&'static str>,
    proto: Option<&'static str>,
    ssl: Option<&'static str>,
    forwarded: Option<&'static str>,
}

impl Said {
    fn by_headers(request: &Request<'_>) -> Self {
        let mut said = Self::default();
        for (name, value) in request.fields() {
            match name.len() {
                9 if name.eq_ignore_ascii_case(b"forwarded") => {
                    said.forwarded = forwarded_proto(value).or(said.forwarded)
                }
                15 if name.eq_ignore_ascii_case(b"x-forwarded-ssl") => {
                    said.ssl = switch(value).or(said.ssl)
                }
                17 if name.eq_ignore_ascii_case(b"x-forwarded-proto") => {
                    said.proto = last_of(value).or(said.proto)
                }
                _ => {}
            }
        }
        said
    }

    fn by_variables(request: &Request<'_>, trusted: bool) -> Self {
        let mut said = Self::default();
        for field in &request.head.fields {
            let value = || field.value.of(request.buffer);
            match (field.standard, field.name.of(request.buffer)) {
                (Some(Standard::Https), _) => said.ssl = switch(value()).or(said.ssl),
                (Some(_), _) => {}
                (None, b"UWSGI_SCHEME") => said.own = named(value()),
                (None, b"HTTP_X_FORWARDED_SSL") if trusted => {
                    said.ssl = switch(value()).or(said.ssl);
                }
                (None, b"HTTP_X_FORWARDED_PROTO") if trusted => {
                    said.proto = last_of(value()).or(said.proto);
                }
                _ => {}
            }
        }
        said
    }
}

fn named(value: &[u8]) -> Option<&'static str> {
    [HTTP, HTTPS]
        .into_iter()
        .find(|scheme| value.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// Proxies append: the last item is the word of the one that we know.
fn last_of(value: &[u8]) -> Option<&'static str> {
    named(
        value
            .rsplit(|&byte| byte == b',')
            .next()
            .unwrap_or_default()
            .trim_ascii(),
    )
}

fn switch(value: &[u8]) -> Option<&'static str> {
    (value.eq_ignore_ascii_case(b"on") || value == b"1").then_some(HTTPS)
}

/// `proto` of the last element of `Forwarded` (RFC 7239 section 4).
fn forwarded_proto(value: &[u8]) -> Option<&'static str> {
    let element = value
        .rsplit(|&byte| byte == b',')
        .next()
        .unwrap_or_default();
    element
        .split(|&byte| byte == b';')
        .map(<[u8]>::trim_ascii)
        .find_map(|pair| {
            let (name, proto) = pair.split_at_checked(b"proto=".len())?;
            let proto = proto
                .strip_prefix(b"\"")
                .and_then(|proto| proto.strip_suffix(b"\""))
                .unwrap_or(proto);
            if name.eq_ignore_ascii_case(b"proto=") {
                named(proto)
            } else {
                None
            }
        })
}
