//! The forms of access entries that other programs read (`log.access-format`): whole lines, with nothing in front.

use serde::Serialize;

use super::{
    Access, Role,
    escape::{escaped, or_dash},
    template::Pattern,
    uwsgi_line,
};
use crate::{
    config::{AccessFormat, Log},
    sys::local_time,
};

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

    /// The line without its end.
    pub(super) fn line(&self, request: &Access<'_>) -> String {
        match self {
            Self::Combined => combined(request, &time(request, c"%d/%b/%Y:%H:%M:%S %z")),
            Self::Custom(pattern) => pattern.line(request),
            Self::Json => json(request, time(request, c"%Y-%m-%dT%H:%M:%S%z")),
            Self::Uwsgi => uwsgi_line::line(request, &time(request, super::template::ASCTIME)),
        }
    }
}

/// When the request came: the time of this machine's zone.
fn time(request: &Access<'_>, format: &std::ffi::CStr) -> String {
    local_time(request.began_us.div_euclid(1_000_000), format)
}

/// `192.0.2.1 - - [20/Nov/2026:08:53:33 +0000] "GET /a HTTP/1.1" 200 12 "-" "curl/8"`. What a client has sent cannot
/// end a line or a quotation: it is escaped.
fn combined(request: &Access<'_>, time: &str) -> String {
    let (status, bytes) = (request.status, request.bytes);
    let peer = or_dash(request.peer.as_bytes());
    let user = or_dash(request.claimed_user);
    let line = match request.method {
        b"" => "-".to_owned(),
        method => {
            let parts = [method, request.target, request.protocol].map(escaped);
            parts.join(" ").trim_end().to_owned()
        }
    };
    let (referer, agent) = (or_dash(request.referer), or_dash(request.user_agent));
    format!("{peer} - {user} [{time}] \"{line}\" {status} {bytes} \"{referer}\" \"{agent}\"")
}

fn json(request: &Access<'_>, time: String) -> String {
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

    #[test]
    fn a_combined_line_is_one_line() {
        let expected = "127.0.0.1 - ann [TIME] \"GET /x?a=\\xff HTTP/1.1\" 404 12 \
                        \"https://example.com/\\\"\\n\" \"Mozilla/5.0\"";
        assert_eq!(combined(&BROWSER, "TIME"), expected);
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let refused = Access {
            status: 400,
            ..Access::default()
        };
        assert_eq!(
            combined(&refused, "TIME"),
            "- - - [TIME] \"-\" 400 0 \"-\" \"-\""
        );
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
        let object: serde_json::Value =
            serde_json::from_str(&json(&request, String::new())).unwrap();
        assert_eq!(object["uri"], "/x?a=\u{fffd}");
        assert_eq!(object["referer"], "https://example.com/\"\n");
        assert_eq!(object["status"], 404);
        assert_eq!(object["rss"], 4096);
        assert!(object.get("traceparent").is_none());
    }

    #[test]
    fn the_time_is_that_of_the_beginning() {
        let request = Access {
            began_us: 1_000_000_000_000_000,
            ..REQUEST
        };
        let year = time(&request, c"%Y");
        assert_eq!(year, "2001");
    }
}
