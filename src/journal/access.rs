//! Requests that were answered, one entry each (`log.access`).

use std::fmt::Write as _;

use super::{
    Priority,
    entry::Entry,
    targets::{Parts, Targets},
};

/// A request and its answer. What is not known is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Access<'a> {
    /// `GET`
    pub method: &'a [u8],
    /// The request target as it was sent.
    pub target: &'a [u8],
    /// The host that was asked for.
    pub host: &'a [u8],
    /// Address of the client.
    pub peer: &'a str,
    /// Status of the answer; 0: there was none.
    pub status: u16,
    /// Body bytes of the answer.
    pub bytes: u64,
    /// When the whole head was there, in seconds since 1970.
    pub began: i64,
    /// Time from the whole head to the end of the application's work, in microseconds.
    pub duration_us: u64,
    /// Protocol as the client has it, `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// Who the front server says that it is.
    pub user: &'a [u8],
    /// `Referer`
    pub referer: &'a [u8],
    /// `User-Agent`
    pub user_agent: &'a [u8],
    /// What the worker takes, if that is asked for.
    pub memory: Option<WorkerMemory>,
    /// Names the request.
    pub request_id: &'a str,
    /// What a tracing client says of itself (W3C Trace Context).
    pub traceparent: &'a [u8],
}

/// What a worker takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerMemory {
    /// In memory.
    pub rss: u64,
    /// Its whole address space.
    pub address_space: u64,
}

/// Logs a request.
pub fn access(request: &Access<'_>) {
    if let Some(targets) = super::TARGETS.get() {
        put(targets, request);
    }
}

fn put(targets: &Targets, request: &Access<'_>) {
    let line = match targets.form {
        Some(form) => form.line(request),
        None => sentence(request),
    };
    let parts = Parts {
        priority: Priority::of_status(request.status),
        role: super::role(),
        speaker: "",
        message: &line,
        is_bare: targets.form.is_some(),
    };
    targets.put(&targets.access, parts, |entry| fields(entry, request));
}

/// `GET /x => 200 12 bytes in 3 ms`
fn sentence(request: &Access<'_>) -> String {
    let (status, bytes) = (request.status, request.bytes);
    if request.method.is_empty() {
        return format!("no valid request => {status}");
    }
    let (method, target) = (request.method.escape_ascii(), request.target.escape_ascii());
    let time = request.duration_us as f64 / 1000.0;
    let mut text = String::with_capacity(64 + request.target.len());
    // Writing into a string does not fail.
    let _ = match time {
        0.0..10.0 => write!(
            text,
            "{method} {target} => {status} {bytes} bytes in {time:.1} ms"
        ),
        _ => write!(
            text,
            "{method} {target} => {status} {bytes} bytes in {time:.0} ms"
        ),
    };
    if let Some(memory) = request.memory {
        let WorkerMemory { rss, address_space } = memory;
        let _ = write!(
            text,
            ", rss {rss} bytes, address space {address_space} bytes"
        );
    }
    text
}

fn fields(entry: &mut Entry, request: &Access<'_>) {
    entry.put_some("HTTP_METHOD", request.method);
    entry.put_some("REQUEST_URI", request.target);
    entry.put_some("HTTP_HOST", request.host);
    entry.put_some("REMOTE_ADDR", request.peer);
    entry.put("HTTP_STATUS", request.status.to_string());
    entry.put("RESPONSE_BYTES", request.bytes.to_string());
    entry.put("DURATION_USEC", request.duration_us.to_string());
    if let Some(memory) = request.memory {
        entry.put("RSS_BYTES", memory.rss.to_string());
        entry.put("ADDRESS_SPACE_BYTES", memory.address_space.to_string());
    }
    entry.put_some("HOSTLER_REQUEST_ID", request.request_id);
    entry.put_some("HTTP_TRACEPARENT", request.traceparent);
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::journal::{fake::Fake, targets};

    pub(in super::super) const REQUEST: Access<'_> = Access {
        method: b"GET",
        target: b"/x?a=\xff",
        host: b"example.com",
        peer: "127.0.0.1",
        status: 404,
        bytes: 12,
        duration_us: 3_210,
        request_id: "4f",
        traceparent: b"",
        began: 0,
        protocol: b"",
        user: b"",
        referer: b"",
        user_agent: b"",
        memory: None,
    };

    #[test]
    fn a_request_is_an_entry_with_fields() {
        let fake = Fake::new();
        put(&targets::tests::to(&fake), &REQUEST);
        let entry = fake.next();
        assert!(
            entry.starts_with("MESSAGE=GET /x?a=\\xff => 404 12 bytes in 3.2 ms\nPRIORITY=5\n")
        );
        let fields = "HTTP_METHOD=GET\nREQUEST_URI=/x?a=\u{fffd}\nHTTP_HOST=example.com\nREMOTE_ADDR=127.0.0.1\n\
                      HTTP_STATUS=404\nRESPONSE_BYTES=12\nDURATION_USEC=3210\nHOSTLER_REQUEST_ID=4f\n";
        assert!(entry.ends_with(fields), "{entry}");
    }

    #[test]
    fn the_memory_of_the_worker_is_said_if_that_is_asked_for() {
        let memory = WorkerMemory {
            rss: 4096,
            address_space: 8192,
        };
        let request = Access {
            memory: Some(memory),
            ..REQUEST
        };
        let expected = " in 3.2 ms, rss 4096 bytes, address space 8192 bytes";
        assert!(sentence(&request).ends_with(expected));
    }

    #[test]
    fn what_is_no_request_has_a_status_nevertheless() {
        let refused = Access {
            status: 400,
            ..Access::default()
        };
        assert_eq!(sentence(&refused), "no valid request => 400");
    }

    #[test]
    fn a_long_time_has_no_fraction() {
        let long = Access {
            duration_us: 12_345_678,
            ..REQUEST
        };
        assert!(sentence(&long).ends_with("in 12346 ms"));
    }
}
