//! The forms of access entries that other programs read (`log.access-format`): whole lines, with nothing in front.

use serde::Serialize;

use super::{
    Access, Role, clock,
    digits::number,
    escape::{escape, escape_or_dash},
    template::{COMMON, Pattern},
    uwsgi_line,
};
use crate::config::{AccessFormat, Log};

/// A form of lines.
#[derive(Debug)]
pub(super) enum Form {
    /// As Apache has it (the NCSA combined format), and nginx by default.
    Combined,
    /// A text with variables.
    Custom(Pattern),
    /// One object for each request.
    Json,
    /// As uWSGI has it.
    Uwsgi,
}

/// An object of the form `json`; what is not known is left out.
#[derive(Serialize)]
struct Object<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    worker: Option<u32>,
    #[serde(skip_serializing_if = "str::is_empty")]
    peer: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    method: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    uri: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    protocol: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    host: &'a str,
    status: u16,
    bytes: u64,
    duration_us: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    referer: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    user_agent: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    request_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    traceparent: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rss: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_space: Option<u64>,
}

impl Form {
    /// The one that the settings ask for, if they do.
    pub(super) fn new(log: &Log) -> Option<Self> {
        Some(match log.access_format.as_ref()? {
            AccessFormat::Combined => Self::Combined,
            AccessFormat::Custom(template) => {
                Self::Custom(Pattern::new(template.clone(), log.timestamp.as_deref()))
            }
            AccessFormat::Json => Self::Json,
            AccessFormat::Uwsgi => Self::Uwsgi,
        })
    }

    /// Writes the line without its end.
    pub(super) fn put(&self, request: &Access<'_>, line: &mut String) {
        match self {
            Self::Combined => combined(request, line),
            Self::Custom(pattern) => pattern.put(request, line),
            Self::Json => line.push_str(&json(request)),
            Self::Uwsgi => uwsgi_line::put(request, line),
        }
    }
}

/// `192.0.2.1 - - [20/Nov/2026:08:53:33 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8"`. What a client has sent cannot
/// end a line or a quotation: it is escaped.
fn combined(request: &Access<'_>, line: &mut String) {
    escape_or_dash(request.peer.as_bytes(), line);
    line.push_str(" - ");
    escape_or_dash(request.claimed_user, line);
    line.push_str(" [");
    clock::put(request.began_us, Some(COMMON), line);
    line.push_str("] \"");
    match request.method {
        b"" => line.push('-'),
        method => {
            escape(method, line);
            line.push(' ');
            escape(request.target, line);
            if !request.protocol.is_empty() {
                line.push(' ');
                escape(request.protocol, line);
            }
        }
    }
    line.push_str("\" ");
    number(request.status, line);
    line.push(' ');
    number(request.bytes, line);
    line.push_str(" \"");
    escape_or_dash(request.referer, line);
    line.push_str("\" \"");
    escape_or_dash(request.user_agent, line);
    line.push('"');
}

fn json(request: &Access<'_>) -> String {
    let mut time = String::new();
    clock::put(request.began_us, Some(c"%Y-%m-%dT%H:%M:%S%z"), &mut time);
    let text = |bytes| String::from_utf8_lossy(bytes);
    let worker = match super::role() {
        Role::Worker(slot) => Some(slot),
        _ => None,
    };
    let object = Object {
        time,
        worker,
        peer: request.peer,
        user: &text(request.claimed_user),
        method: &text(request.method),
        uri: &text(request.target),
        protocol: &text(request.protocol),
        host: &text(request.host),
        status: request.status,
        bytes: request.bytes,
        duration_us: request.duration_us,
        referer: &text(request.referer),
        user_agent: &text(request.user_agent),
        request_id: request.request_id,
        traceparent: &text(request.traceparent),
        rss: request.memory.map(|memory| memory.rss),
        address_space: request.memory.map(|memory| memory.address_space),
    };
    // Texts and numbers always have a form in JSON.
    serde_json::to_string(&object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{super::access::tests::REQUEST, *};
    use crate::journal::WorkerMemory;

    const BROWSER: Access<'_> = Access {
        claimed_user: b"ann",
        protocol: b"HTTP/1.1",
        referer: b"https://example.com/\"\n",
        user_agent: b"Mozilla/5.0",
        ..REQUEST
    };

    #[track_caller]
    fn check_combined(request: &Access<'_>, expected: &str) {
        let mut line = String::new();
        combined(request, &mut line);
        let time = crate::sys::local_time(request.began_us / 1_000_000, COMMON);
        assert_eq!(line.replace(&time, "TIME"), expected);
    }

    #[test]
    fn a_combined_line_is_one_line() {
        let expected = "127.0.0.1 - ann [TIME] \"GET /x?a=\\xff HTTP/1.1\" 404 12 \
                        \"https://example.com/\\\"\\n\" \"Mozilla/5.0\"";
        check_combined(&BROWSER, expected);
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let refused = Access {
            status: 400,
            ..Access::default()
        };
        check_combined(&refused, "- - - [TIME] \"-\" 400 0 \"-\" \"-\"");
    }

    #[test]
    fn an_object_has_what_is_known() {
        let memory = WorkerMemory {
            rss: 4096,
            address_space: 8192,
        };
        let request = Access {
            memory: Some(memory),
            ..BROWSER
        };
        let object: serde_json::Value = serde_json::from_str(&json(&request)).unwrap();
        assert!(object["time"].as_str().unwrap().starts_with("1970-01-01T"));
        assert_eq!(object["uri"], "/x?a=\u{fffd}");
        assert_eq!(object["referer"], "https://example.com/\"\n");
        assert_eq!(object["status"], 404);
        assert_eq!(object["rss"], 4096);
        assert!(object.get("traceparent").is_none());
    }
}
