//! A name for each request, by which its lines in the log are found, here and in front of us.
//!
//! It is made when somebody asks for it and not before. A proxy that is trusted may have named the request already.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::{
    config::Http,
    environ::header_key,
    protocol::{Kind, Request},
};

/// The header when the settings name none.
const HEADER: &str = "X-Request-ID";
/// Longer ones are not taken over.
const LONGEST: usize = 128;
/// W3C Trace Context, section 3.2.2: what version 00 has; later versions may have more behind it.
const TRACEPARENT: usize = 55;

/// A header as HTTP has it, and as the variable that front servers make of it.
pub(super) struct Header {
    pub(super) name: String,
    variable: Vec<u8>,
}

impl Header {
    pub(super) fn new(name: &str) -> Self {
        let mut variable = Vec::new();
        header_key(name.as_bytes(), &mut variable);
        let name = name.to_owned();
        Self { name, variable }
    }

    /// The header in which proxies name requests.
    pub(super) fn of_request_id(http: &Http) -> Self {
        Self::new(http.request_id_header.as_deref().unwrap_or(HEADER))
    }

    /// Its value in a request, the last one if there are several; empty without it.
    pub(super) fn of<'b>(&self, request: &Request<'b>) -> &'b [u8] {
        self.all(request).last().unwrap_or_default()
    }

    /// All its values in a request.
    pub(super) fn all<'b>(&self, request: &Request<'b>) -> impl Iterator<Item = &'b [u8]> {
        let kind = request.head.kind;
        let is_it = move |name: &[u8]| match kind {
            Kind::Http => name.eq_ignore_ascii_case(self.name.as_bytes()),
            Kind::Fastcgi { .. } | Kind::Scgi | Kind::Uwsgi { .. } => name == self.variable,
        };
        let found = request.fields().filter(move |(name, _)| is_it(name));
        found.map(|(_, value)| value)
    }
}

/// Makes names that nobody else makes: chance once for each thread, then counting.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Chosen at the first request, hence after the fork.
    seed: Option<[u64; 2]>,
}

impl Names {
    /// Writes a new name, 32 hexadecimal digits.
    pub(super) fn next(&mut self, name: &mut String) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let seed = self.seed.get_or_insert_with(seed);
        seed[1] = seed[1].wrapping_add(1);
        for half in [seed[0], mix(seed[1])] {
            let mut digits = [0; 16];
            for (place, digit) in (0..16).rev().zip(&mut digits) {
                *digit = DIGITS[(half >> (4 * place) & 15) as usize];
            }
            name.push_str(str::from_utf8(&digits).unwrap_or_default());
        }
    }
}

/// A name that a proxy gave, if it is one that can be repeated anywhere: in a header, in a log, in a query.
pub(super) fn given<'b>(header: &Header, request: &Request<'b>) -> Option<&'b str> {
    let name = str::from_utf8(header.of(request)).ok()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:+/=@,".contains(&byte);
    let is_name = !name.is_empty() && name.len() <= LONGEST && name.bytes().all(is_plain);
    is_name.then_some(name)
}

/// What a tracing client says, if it is well formed; else empty.
pub(super) fn traceparent<'b>(header: &Header, request: &Request<'b>) -> &'b [u8] {
    let value = header.of(request);
    let is_plain = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    match value.len() {
        TRACEPARENT..=LONGEST if value.iter().all(is_plain) => value,
        _ => b"",
    }
}

fn seed() -> [u64; 2] {
    let mut bytes = [0; 16];
    // So few bytes are given whole, and fail only on kernels older than any that we run on; then the clock has to do.
    if getrandom(&mut bytes, GetRandomFlags::empty()).is_err() {
        let now = crate::scoreboard::now_us() << 16 ^ u64::from(std::process::id());
        return [mix(now), now];
    }
    let (words, _) = bytes.as_chunks::<8>();
    [u64::from_ne_bytes(words[0]), u64::from_ne_bytes(words[1])]
}

/// A number for a number, none twice, without a pattern that people see (the finalizer of SplitMix64).
fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::protocol::{
        Head,
        http::head::{Limits, parse},
    };

    #[track_caller]
    fn check(field: &str, name: Option<&str>, trace: &str) {
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{field}\r\n\r\n");
        let (mut head, mut scanned) = (Head::default(), 0);
        let limits = Limits {
            head: 4096,
            body: 0,
        };
        parse(text.as_bytes(), &mut scanned, &limits, &mut head).unwrap();
        let request = Request {
            head: &head,
            buffer: text.as_bytes(),
        };
        assert_eq!(given(&Header::new(HEADER), &request), name);
        let found = traceparent(&Header::new("traceparent"), &request);
        assert_eq!(found, trace.as_bytes());
    }

    #[test]
    fn a_name_is_taken_over_when_it_is_plain() {
        check("x-request-id: 4f-A_1.2:3", Some("4f-A_1.2:3"), "");
        check("X-Request-ID: a b", None, "");
        check("X-Request-ID: \"a\"", None, "");
        check(&format!("X-Request-ID: {}", "a".repeat(129)), None, "");
        check("X-Request: a", None, "");
    }

    #[test]
    fn a_traceparent_is_hexadecimal() {
        let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        check(&format!("traceparent: {trace}"), None, trace);
        check(&format!("traceparent: {}", &trace[1..]), None, "");
        check(
            &format!("traceparent: {}", trace.replace('a', "x")),
            None,
            "",
        );
    }

    #[test]
    fn no_name_is_made_twice() {
        let (mut one, mut other) = (Names::default(), Names::default());
        let mut seen = BTreeSet::new();
        for names in [&mut one, &mut other] {
            for _ in 0..10_000 {
                let mut name = String::new();
                names.next(&mut name);
                assert_eq!(name.len(), 32);
                seen.insert(name);
            }
        }
        assert_eq!(seen.len(), 20_000);
    }
}
