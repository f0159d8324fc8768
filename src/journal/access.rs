//! Requests that were answered, one entry each (`log.access`).

use std::cell::RefCell;

use super::{
    Priority, clock,
    digits::number,
    entry::Entry,
    escape::escape,
    targets::{Ended, Parts, Targets},
};

/// Lines longer than this leave no memory behind for the next one.
const KEPT: usize = 4 << 10;

thread_local! {
    /// Memory for the message of a request, and for its line.
    static LINES: RefCell<(String, String)> = const { RefCell::new((String::new(), String::new())) };
}

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
    /// When the whole head was there, in microseconds since 1970.
    pub began_us: i64,
    /// When it was answered, by the clock of the scoreboard.
    pub ended_us: u64,
    /// Time from the whole head to the end of the application's work, in microseconds.
    pub duration_us: u64,
    /// Protocol as the client has it, `HTTP/1.1`.
    pub protocol: &'a [u8],
    /// Who it is, as the front server says.
    pub user: &'a [u8],
    /// The same, or what the client says of itself (RFC 7617).
    pub claimed_user: &'a [u8],
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
    /// For forms that have more.
    pub details: Option<&'a Details<'a>>,
}

/// What only lines of some forms have (`uwsgi`, and those with variables); it is gathered for them alone.
#[derive(Debug, Clone, Default)]
pub struct Details<'a> {
    /// Which application has answered; `None`: none.
    pub application: Option<u32>,
    /// Requests that this worker has answered, this one included, and all workers.
    pub requests: (u64, u64),
    /// The number of the thread.
    pub thread: u32,
    /// Values of the variables that the form asks for, in its order.
    pub variables: Vec<Option<Vec<u8>>>,
    /// Keys and values of the request's variables.
    pub variable_count: usize,
    /// Bytes that they take in the uwsgi protocol.
    pub packet_size: usize,
    /// `modifier1` and `modifier2` of a packet.
    pub modifiers: (u8, u8),
    /// The head of the answer.
    pub head: &'a [u8],
    /// Length of the request's body.
    pub content_length: u64,
    /// How often reading from the client failed, and writing.
    pub errors: (u8, u8),
    /// Whether the body is a file that the kernel sends.
    pub is_file: bool,
}

impl Details<'_> {
    /// The header lines of the answer, as names and values.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let lines = self.head.split(|&byte| byte == b'\n').skip(1);
        lines.filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            Some((&line[..colon], line[colon + 1..].trim_ascii()))
        })
    }
}

/// What a worker takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerMemory {
    /// In memory.
    pub rss: u64,
    /// Its whole address space.
    pub address_space: u64,
}

/// Whether entries of requests have more to say than their line of our own does: a form of its own, or fields.
pub fn access_is_detailed() -> bool {
    let targets = super::TARGETS.get();
    targets.is_some_and(|targets| targets.form.is_some() || targets.have_fields(&targets.access))
}

/// Logs a request.
pub fn access(request: &Access<'_>) {
    if let Some(targets) = super::TARGETS.get() {
        put(targets, request);
    }
}

/// Logs the end of a request that was slow (`log.slow`), wherever the log goes.
pub fn slow(request: &Access<'_>) {
    if let Some(targets) = super::TARGETS.get() {
        put_slow(targets, request);
    }
}

fn put_slow(targets: &Targets, request: &Access<'_>) {
    let mut message = String::from("a slow request has ended: ");
    put_sentence(request, &mut message);
    let parts = Parts {
        priority: Priority::WARNING,
        role: super::role(),
        speaker: "",
        message: &message,
        is_bare: false,
    };
    targets.put(&targets.log, parts, |entry| fields(entry, request));
}

fn put(targets: &Targets, request: &Access<'_>) {
    // A thread that ends has no such memory any more.
    let mut lines = LINES.try_with(RefCell::take).unwrap_or_default();
    let (message, line) = &mut lines;
    message.clear();
    match &targets.form {
        Some(form) => form.put(request, message),
        None => put_sentence(request, message),
    }
    let parts = Parts {
        priority: Priority::of_status(request.status),
        role: super::role(),
        speaker: "",
        message,
        is_bare: targets.form.is_some(),
    };
    let ended = Ended {
        time_us: match request.began_us {
            0 => clock::now_us(),
            began_us => began_us + request.duration_us.cast_signed(),
        },
        clock_us: request.ended_us,
    };
    targets.put_request(parts, ended, line, |entry| fields(entry, request));
    if lines.0.capacity().max(lines.1.capacity()) <= KEPT {
        let _ = LINES.try_with(|kept| kept.replace(lines));
    }
}

/// Writes `GET /x => 200 12 bytes in 3 ms`.
fn put_sentence(request: &Access<'_>, text: &mut String) {
    if request.method.is_empty() {
        text.push_str("no valid request => ");
        number(request.status, text);
        return;
    }
    escape(request.method, text);
    text.push(' ');
    escape(request.target, text);
    text.push_str(" => ");
    number(request.status, text);
    text.push(' ');
    number(request.bytes, text);
    text.push_str(" bytes in ");
    match request.duration_us {
        short @ ..10_000 => {
            let tenths = (short + 50) / 100;
            number(tenths / 10, text);
            text.push('.');
            number(tenths % 10, text);
        }
        long => number((long + 500) / 1000, text),
    }
    text.push_str(" ms");
    if let Some(memory) = request.memory {
        text.push_str(", rss ");
        number(memory.rss, text);
        text.push_str(" bytes, address space ");
        number(memory.address_space, text);
        text.push_str(" bytes");
    }
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
        ended_us: 0,
        request_id: "4f",
        traceparent: b"",
        began_us: 0,
        protocol: b"",
        user: b"",
        claimed_user: b"",
        details: None,
        referer: b"",
        user_agent: b"",
        memory: None,
    };

    fn sentence(request: &Access<'_>) -> String {
        let mut text = String::new();
        put_sentence(request, &mut text);
        text
    }

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

    #[test]
    fn a_short_time_has_tenths() {
        for (duration_us, expected) in [
            (0, " 0.0 ms"),
            (49, " 0.0 ms"),
            (3_250, " 3.3 ms"),
            (9_999, " 10.0 ms"),
        ] {
            let request = Access {
                duration_us,
                ..REQUEST
            };
            assert!(sentence(&request).ends_with(expected), "{expected}");
        }
    }
}
