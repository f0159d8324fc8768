//! Where hostler differs from uWSGI on purpose; docs/differences.md has the whole of it.

/// A difference, in which requests it shows, and its reason.
#[derive(Debug)]
pub(super) struct Known {
    /// Names of requests begin with it.
    requests: &'static str,
    /// What differs.
    what: &'static str,
    #[expect(dead_code, reason = "it is for people, and printed with the row")]
    reason: &'static str,
}

impl Known {
    pub(super) fn covers(&self, request: &str, what: &str) -> bool {
        request.starts_with(self.requests) && what == self.what
    }
}

const fn row(requests: &'static str, what: &'static str, reason: &'static str) -> Known {
    Known {
        requests,
        what,
        reason,
    }
}

const VERSION: &str = "it is hostler's version";
const TERMINATED: &str = "reading to the end needs no Content-Length";
const DEADLINE: &str = "a request may say how long it takes";
const PORT: &str = "uWSGI's http-socket does not tell the client's port";
const SCRIPT_NAME: &str = "PEP 3333's validator wants it, nginx does not send it";
const DATE: &str = "RFC 9110 section 6.6.1: an origin server with a clock sends Date";
const LENGTH: &str =
    "RFC 9112 section 6.3: a body whose length is known says it, and the connection stays open";
const CHUNKED: &str = "RFC 9112 section 7.1: the client knows whether the body is whole";
const CODED: &str = "RFC 9112 section 7.1: a chunked request body has to be decoded";
const HEAD: &str = "RFC 9110 section 9.3.2: no body in the answer to HEAD";
const CLOSE: &str = "RFC 9112 section 9.6: who closes says so";
const HOP: &str = "PEP 3333: it is the front server's connection, not the application's";
const PROXY: &str = "CVE-2016-5385: libraries obey HTTP_PROXY";
const UNDERSCORE: &str = "X_Name is not X-Name, but would pose as it";
const COOKIE: &str = "RFC 6265 section 5.4: a comma may be part of a cookie";
const DOTS: &str = "RFC 3986 section 6.2.2: escapes first, then dot segments, as nginx does it";
const ABSOLUTE: &str = "RFC 9112 section 3.2.2: a target in absolute form names host and path";
const FAILED: &str = "RFC 9110 section 15.6.1: an exception before anything was sent is a 500";
const PHRASE: &str =
    "the reason phrase is the application's, and may be empty (RFC 9112 section 4)";

/// The first row that fits counts.
pub(super) const DIFFERENCES: &[Known] = &[
    row("", "environ uwsgi.version", VERSION),
    row("", "environ wsgi.input_terminated", TERMINATED),
    row("", "environ hostler.set_deadline", DEADLINE),
    row("http:", "environ REMOTE_PORT", PORT),
    row("uwsgi:", "environ SCRIPT_NAME", SCRIPT_NAME),
    row("http: encoded dot segments", "environ PATH_INFO", DOTS),
    row("http: an absolute target", "environ PATH_INFO", ABSOLUTE),
    row("http: an absolute target", "environ HTTP_HOST", ABSOLUTE),
    row("http: repeated cookies", "environ HTTP_COOKIE", COOKIE),
    row("http: an underscore", "environ HTTP_X_NAME", UNDERSCORE),
    row("http: the proxy header", "environ HTTP_PROXY", PROXY),
    row("uwsgi: the proxy header", "environ HTTP_PROXY", PROXY),
    row("http: close", "header connection", CLOSE),
    row("http:", "header date", DATE),
    row("http: chunks", "body", CODED),
    row("http: chunks", "header content-length", CODED),
    row("http: a list", "header content-length", LENGTH),
    row("http: a generator", "body", CHUNKED),
    row("http: a generator", "header transfer-encoding", CHUNKED),
    row("http: head", "body", HEAD),
    row("http: head", "header content-length", LENGTH),
    row("uwsgi: head", "body", HEAD),
    row("uwsgi: a status without reason", "status line", PHRASE),
    row("uwsgi: a connection header", "header connection", HOP),
    row("uwsgi: text", "status line", FAILED),
    row("uwsgi: text", "body", FAILED),
    row("uwsgi: none", "status line", FAILED),
    row("uwsgi: none", "body", FAILED),
    row("uwsgi: an exception", "status line", FAILED),
    row("http: an exception", "status line", FAILED),
];
