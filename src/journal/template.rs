//! Lines with variables: what a form of the settings becomes for one request.

use std::ffi::{CStr, CString};

use super::{
    Access, Details, Role, clock,
    digits::{number, padded},
    escape::escape,
    process,
};
use crate::config::{AccessField, AccessLayout, AccessPiece, AccessTemplate};

/// The form of asctime(3).
pub(super) const ASCTIME: &CStr = c"%a %b %e %H:%M:%S %Y";
/// That of the common log format.
pub(super) const COMMON: &CStr = c"%d/%b/%Y:%H:%M:%S %z";
/// As both servers write what is not known.
const UNKNOWN: &str = "-";
const MIB: u64 = 1 << 20;

/// A template, and the form of times that goes with it.
#[derive(Debug)]
pub(super) struct Pattern {
    template: AccessTemplate,
    /// That of `log.timestamp`.
    time: CString,
}

impl Pattern {
    pub(super) fn new(template: AccessTemplate, time: Option<&str>) -> Self {
        // The settings let no NUL through.
        let time = time.and_then(|time| CString::new(time).ok());
        let time = time.unwrap_or_else(|| COMMON.to_owned());
        Self { template, time }
    }

    /// Writes the line without its end.
    pub(super) fn put(&self, request: &Access<'_>, line: &mut String) {
        let unknown = Details::default();
        let details = request.details.unwrap_or(&unknown);
        for piece in &self.template.pieces {
            match piece {
                AccessPiece::Text(text) => line.push_str(text),
                AccessPiece::Field(field, layout) => {
                    let start = line.len();
                    self.value(*field, request, details, line);
                    let is_known = layout.shows_nothing && is_known(*field, details);
                    if line.len() == start && !is_known {
                        line.push_str(UNKNOWN);
                    }
                    lay_out(line, start, *layout);
                }
            }
        }
    }

    /// Writes the value, or nothing if it is not known.
    fn value(
        &self,
        field: AccessField,
        request: &Access<'_>,
        details: &Details<'_>,
        line: &mut String,
    ) {
        use AccessField as F;
        let began_us = request.began_us;
        let seconds = began_us.div_euclid(1_000_000);
        let (head, body) = (details.head.len() as u64, request.bytes);
        let memory = request.memory;
        let (read_errors, write_errors) = details.errors;
        match field {
            F::Address => escape(request.peer.as_bytes(), line),
            F::AddressSpace => some_number(memory.map(|it| it.address_space), line),
            F::AddressSpaceMib => some_number(memory.map(|it| it.address_space / MIB), line),
            F::AnswerHeader(place) => self.header(place, details, line),
            F::AscTime => clock::put(began_us, Some(ASCTIME), line),
            F::BodySize => number(body, line),
            F::ClaimedUser => escape(request.claimed_user, line),
            F::CommonTime => clock::put(began_us, Some(COMMON), line),
            F::CommonTimeInBrackets => {
                line.push('[');
                clock::put(began_us, Some(COMMON), line);
                line.push(']');
            }
            F::ContentLength => number(details.content_length, line),
            F::Core => number(details.thread, line),
            F::Dash => {}
            F::DurationMicros => number(request.duration_us, line),
            F::DurationMillis => number(request.duration_us / 1000, line),
            F::DurationPrecise => {
                let (whole, rest) = (
                    request.duration_us / 1_000_000,
                    request.duration_us % 1_000_000,
                );
                number(whole, line);
                line.push('.');
                padded::<6>(rest, line);
            }
            F::DurationSeconds => number(request.duration_us / 1_000_000, line),
            F::FormattedTime => clock::put(began_us, Some(&self.time), line),
            F::HeaderCount => number(details.headers().count(), line),
            F::HeadSize => number(head, line),
            F::Host => escape(request.host, line),
            F::IoErrors => number(read_errors + write_errors, line),
            F::Line => request_line(request, line),
            F::Method => escape(request.method, line),
            F::Modifier1 => number(details.modifiers.0, line),
            F::Modifier2 => number(details.modifiers.1, line),
            F::Now => number(clock::now_us() / 1_000_000, line),
            F::PacketSize => number(details.packet_size, line),
            F::Pid => number(process(), line),
            F::PidInBrackets => {
                line.push('<');
                number(process(), line);
                line.push('>');
            }
            F::Protocol => escape(request.protocol, line),
            F::ReadErrors => number(read_errors, line),
            F::Referer => escape(request.referer, line),
            F::RequestId => line.push_str(request.request_id),
            F::Rss => some_number(memory.map(|it| it.rss), line),
            F::RssMib => some_number(memory.map(|it| it.rss / MIB), line),
            F::Size => number(head + body, line),
            F::Status => number(request.status, line),
            F::Switches => line.push('1'),
            F::Target => escape(request.target, line),
            F::Time => number(seconds, line),
            F::TimeMicros => number(request.began_us, line),
            F::TimeMillis => number(request.began_us.div_euclid(1000), line),
            F::Traceparent => escape(request.traceparent, line),
            F::User => escape(request.user, line),
            F::UserAgent => escape(request.user_agent, line),
            F::Variable(place) => {
                let value = details.variables.get(place).and_then(Option::as_deref);
                escape(value.unwrap_or_default(), line);
            }
            F::VariableCount => number(details.variable_count, line),
            F::Worker => some_number(worker(), line),
            F::WriteErrors => number(write_errors, line),
        }
    }

    /// A header of the answer; the last one of its name.
    fn header(&self, place: usize, details: &Details<'_>, line: &mut String) {
        let name = self.template.headers.get(place).map_or("", String::as_str);
        let is_it = |known: &[u8]| known.eq_ignore_ascii_case(name.as_bytes());
        let found = details.headers().filter(|(known, _)| is_it(known)).last();
        escape(found.map_or(b"", |(_, value)| value), line);
    }
}

/// Whether a variable is there, whatever its value.
fn is_known(field: AccessField, details: &Details<'_>) -> bool {
    match field {
        AccessField::Variable(place) => details.variables.get(place).is_some_and(Option::is_some),
        _ => false,
    }
}

fn some_number(value: Option<impl itoa::Integer>, line: &mut String) {
    if let Some(value) = value {
        number(value, line);
    }
}

/// uWSGI counts from 1.
fn worker() -> Option<u32> {
    match super::role() {
        Role::Worker(slot) => Some(slot + 1),
        Role::Supervisor | Role::Zygote => None,
    }
}

/// `GET /x HTTP/1.1`
fn request_line(request: &Access<'_>, line: &mut String) {
    if request.method.is_empty() {
        return;
    }
    for (number, part) in [request.method, request.target, request.protocol]
        .into_iter()
        .enumerate()
    {
        if number > 0 {
            line.push(' ');
        }
        escape(part, line);
    }
}

/// Cuts and fills up what begins at `start`. The line is ASCII there: values are escaped.
fn lay_out(line: &mut String, start: usize, layout: AccessLayout) {
    if let Some(most) = layout.precision {
        line.truncate(line.len().min(start + most));
    }
    let missing = layout.width.saturating_sub(line.len() - start);
    if missing == 0 {
        return;
    }
    let (fill, place) = match layout {
        _ if layout.is_left => (" ", line.len()),
        _ if layout.has_zeros => ("0", start),
        _ => (" ", start),
    };
    line.insert_str(place, &fill.repeat(missing));
}

#[cfg(test)]
mod tests {
    use super::{super::access::tests::REQUEST, *};
    use crate::{config::AccessFormat, journal::WorkerMemory};

    #[track_caller]
    fn check(format: &str, expected: &str) {
        let format: AccessFormat = format.parse().unwrap();
        let pattern = Pattern::new(format.template().unwrap().clone(), Some("%Y"));
        let details = Details {
            thread: 2,
            variables: vec![Some(b"one\n".to_vec()), Some(Vec::new()), None],
            variable_count: 4,
            packet_size: 40,
            modifiers: (5, 6),
            head: b"HTTP/1.1 404 Not Found\r\nX-A: b\r\nX-a: \"c\"\r\n\r\n",
            content_length: 7,
            errors: (1, 2),
            ..Details::default()
        };
        let memory = WorkerMemory {
            rss: 3 << 20,
            address_space: 5 << 20,
        };
        let request = Access {
            protocol: b"HTTP/1.1",
            referer: b"https://example.com/\"\n",
            claimed_user: b"ann",
            began_us: 1_000_000_000_123_456,
            memory: Some(memory),
            details: Some(&details),
            ..REQUEST
        };
        let mut line = String::new();
        pattern.put(&request, &mut line);
        assert_eq!(line, expected);
    }

    #[test]
    fn uwsgis_variables_have_uwsgis_values() {
        check(
            "%(method) %(uri) %(proto) %(status)",
            "GET /x?a=\\xff HTTP/1.1 404",
        );
        check(
            "%(addr) %(host) %(user) %(uagent)",
            "127.0.0.1 example.com - -",
        );
        check("%(rsize)+%(hsize)=%(size) %(headers) %(cl)", "12+44=56 2 7");
        check("%(msecs) %(micros) %(secs)", "3 3210 0.003210");
        check(
            "%(time) %(tmsecs) %(tmicros) %(ftime)",
            "1000000000 1000000000123 1000000000123456 2001",
        );
        check("%(core) %(switches) %(vars) %(pktsize)", "2 1 4 40");
        check("%(modifier1) %(modifier2)", "5 6");
        check("%(rerr) %(werr) %(ioerr)", "1 2 3");
        check("%(rss) %(rssM) %(vsz) %(vszM)", "3145728 3 5242880 5");
        check("%(var.A)|%(var.B)|%(request_id)", "one\\n|-|4f");
        check("%(pid)", &std::process::id().to_string());
    }

    #[test]
    fn gunicorns_variables_have_gunicorns_values() {
        check(
            "%(h)s %(l)s %(u)s \"%(r)s\" %(s)s %(b)s",
            "127.0.0.1 - ann \"GET /x?a=\\xff HTTP/1.1\" 404 12",
        );
        check("%(m)s %(U)s %(q)s %(H)s", "GET one\\n  HTTP/1.1");
        check("%({A}e)s|%({B}e)s|%({C}e)s", "one\\n||-");
        check("%(T)s %(M)s %(D)s %(L)s", "0 3 3210 0.003210");
        check("%({X-A}o)s %({x-b}o)s", "\\\"c\\\" -");
        check("%(f)s", "https://example.com/\\\"\\n");
        check("%(p)s", &format!("<{}>", std::process::id()));
    }

    #[test]
    fn values_are_put_into_columns() {
        check("%(h)12s|%(h)-12s|%(h).3s", "   127.0.0.1|127.0.0.1   |127");
        check("%(D)06d|%(D)6s|%(D)-6d|%(D)2d", "003210|  3210|3210  |3210");
    }
}
