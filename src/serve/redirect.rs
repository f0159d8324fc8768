//! Listeners that only lead to HTTPS (`redirect-to`): answered here, the application never hears of it.

use super::exchange::{Exchange, ResponseHead};
use crate::{
    config::RedirectTarget,
    protocol::{Request, http::response},
};

/// 308 keeps the method (RFC 9110 section 15.4.9), so that a form that was sent here arrives there.
const STATUS: u16 = 308;

/// Answers with the same path and query at `target`; 400 when the client has not said which host it means, and nobody
/// else does.
pub(super) fn answer(exchange: &mut Exchange<'_>, target: &RedirectTarget) {
    let Some(location) = location(&exchange.request(), target) else {
        return exchange.fail(400);
    };
    let phrase = response::reason_phrase(STATUS);
    let mut head = ResponseHead {
        status: format!("{STATUS} {phrase}").into_bytes(),
        ..ResponseHead::default()
    };
    head.facts.status = STATUS;
    response::header(&mut head.lines, b"Location", &location);
    response::header(&mut head.lines, b"Content-Type", b"text/plain");
    exchange.commit(&head, Some(phrase.len() as u64));
    exchange.write(phrase.as_bytes());
    exchange.finish();
}

fn location(request: &Request<'_>, target: &RedirectTarget) -> Option<Vec<u8>> {
    let host = match &target.host {
        Some(host) => host.as_bytes(),
        None => asked_host(request)?,
    };
    let mut location = b"https://".to_vec();
    location.extend_from_slice(host);
    if let Some(port) = target.port {
        location.extend_from_slice(format!(":{port}").as_bytes());
    }
    let path = request.head.path.of(request.buffer);
    match path.first() {
        Some(b'/') => location.extend_from_slice(path),
        _ => location.push(b'/'),
    }
    let query = request.head.query.of(request.buffer);
    if !query.is_empty() {
        location.push(b'?');
        location.extend_from_slice(query);
    }
    Some(location)
}

/// The host that the client means, without the port, which is that of this listener. RFC 9112 section 3.2.2: the
/// authority of a target in absolute form replaces Host.
fn asked_host<'r>(request: &Request<'r>) -> Option<&'r [u8]> {
    let authority = request.head.authority.of(request.buffer);
    let authority = match authority {
        [] => {
            let mut fields = request.fields();
            fields
                .find(|(name, _)| name.eq_ignore_ascii_case(b"host"))?
                .1
        }
        authority => authority,
    };
    let end = match authority.first() {
        Some(b'[') => authority.iter().position(|&byte| byte == b']')? + 1,
        _ => authority
            .iter()
            .position(|&byte| byte == b':')
            .unwrap_or(authority.len()),
    };
    let host = &authority[..end];
    // What could be anything else in a URL is no host that anybody has asked for.
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._[:]".contains(byte);
    (!host.is_empty() && host.iter().all(is_part)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Head, http::head};

    #[track_caller]
    fn check(request: &str, target: &str, expected: Option<&str>) {
        let mut parsed = Head::default();
        let limits = head::Limits {
            head: 4096,
            body: 0,
        };
        head::parse(request.as_bytes(), &mut 0, &limits, &mut parsed).unwrap();
        let request = Request {
            head: &parsed,
            buffer: request.as_bytes(),
        };
        let location = location(&request, &target.parse().unwrap());
        let location = location.map(|location| String::from_utf8(location).unwrap());
        assert_eq!(location.as_deref(), expected);
    }

    fn get(target: &str, host: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n")
    }

    #[test]
    fn path_and_query_stay() {
        check(
            &get("/a%20b/?c=d&e", "x.example:8080"),
            "https",
            Some("https://x.example/a%20b/?c=d&e"),
        );
        check(&get("/", "x"), "https:8443", Some("https://x:8443/"));
        check(&get("/a", "[::1]:80"), "https", Some("https://[::1]/a"));
    }

    #[test]
    fn a_host_of_the_settings_wins() {
        check(
            &get("/a", "x"),
            "https://y.example",
            Some("https://y.example/a"),
        );
        check(&get("/a", "x"), "https://y:1", Some("https://y:1/a"));
    }

    #[test]
    fn an_absolute_target_names_the_host() {
        check(
            &get("http://z.example:1/a?b", "x"),
            "https",
            Some("https://z.example/a?b"),
        );
    }

    #[test]
    fn without_a_host_there_is_nowhere_to_go() {
        check("GET / HTTP/1.0\r\n\r\n", "https", None);
        check("GET / HTTP/1.0\r\n\r\n", "https://y", Some("https://y/"));
        check(&get("/", ""), "https", None);
    }
}
