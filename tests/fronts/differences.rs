//! Where a way differs from HTTP without anything between, and why; docs/front-servers.md has it for people.

/// A difference, in which ways and requests it shows, and its reason.
#[derive(Debug)]
pub(super) struct Known {
    /// Names of ways begin with it.
    way: &'static str,
    /// The name of a request; with a `*` at its end, the beginning of names.
    requests: &'static str,
    /// What differs.
    what: &'static str,
    #[expect(dead_code, reason = "it is for people, and printed with the row")]
    reason: &'static str,
}

impl Known {
    /// Whether it is a row about this way.
    pub(super) fn is_of(&self, way: &str) -> bool {
        way.starts_with(self.way)
    }

    /// Whether it explains a difference.
    pub(super) fn covers(&self, way: &str, request: &str, what: &str) -> bool {
        let is_asked = match self.requests.strip_suffix('*') {
            Some(beginning) => request.starts_with(beginning),
            None => request == self.requests,
        };
        self.is_of(way) && is_asked && what == self.what
    }
}

const fn row(
    way: &'static str,
    requests: &'static str,
    what: &'static str,
    reason: &'static str,
) -> Known {
    Known {
        way,
        requests,
        what,
        reason,
    }
}

const EMPTY: &str = "RFC 3875 sections 4.1.2 and 4.1.3: without a body a front server may send 0, or a variable without a value";
const BUFFERED: &str =
    "the front server has read all chunks before it asks us, so that it knows the length";
const LENGTH_WANTED: &str = "mod_proxy_uwsgi and mod_proxy_scgi take no chunks: 411";
const SLASHES: &str = "the front server merges slashes";
const REFUSED: &str = "the front server takes no such path, method or body";
const CONFIG: &str = "the front server's configuration sets it, here and in docs/front-servers.md";
const REPEATED: &str = "nginx before 1.23 sends each of them as a variable of the same name; of those the last one counts";
const COMMA: &str = "Apache puts a comma between cookies as between any other values";
const HOP: &str = "RFC 9110 section 7.6.2: each proxy takes one off";
const NO_BODY: &str = "Apache sends no media type where there is no body";
const NORMAL: &str =
    "lighttpd makes one form of all that mean the same URL, as its server.http-parseopts say";
const RANGES: &str = "the front server itself answers with the range";
const NO_VALUE: &str = "lighttpd drops headers without a value";
const UNDERSCORE: &str = "lighttpd makes a variable of any header; X_Name poses as X-Name";
const HOST: &str = "Debian's parameter files send $host: without a port, in small letters";
const LOWER: &str = "host names have no case, lighttpd makes it lower";

const ENCRYPTED: &str = "the connection is encrypted, and the application is told so";
const NUL: &str = "SCGI ends a variable with a NUL, so that none can be in it";

/// The first row that fits counts.
pub(super) const DIFFERENCES: &[Known] = &[
    row("direct scgi", "path: /a%00b", "status", NUL),
    row("direct scgi", "*", "CONTENT_LENGTH", EMPTY),
    row("direct https", "*", "wsgi.url_scheme", ENCRYPTED),
    row("direct uwsgi", "chunks*", "CONTENT_LENGTH", BUFFERED),
    row("nginx http", "*", "HTTP_X_FORWARDED_PROTO", CONFIG),
    row(
        "nginx http",
        "header: forwarded proto",
        "wsgi.url_scheme",
        CONFIG,
    ),
    row("nginx http", "chunks*", "CONTENT_LENGTH", BUFFERED),
    row("nginx http", "chunks*", "HTTP_TRANSFER_ENCODING", BUFFERED),
    row("nginx", "*", "CONTENT_LENGTH", EMPTY),
    row("nginx", "*", "CONTENT_TYPE", EMPTY),
    row("nginx", "path: //a", "PATH_INFO", SLASHES),
    row("nginx", "path: /a//b", "PATH_INFO", SLASHES),
    row("nginx", "path: /..", "status", REFUSED),
    row("nginx", "path: /a%", "status", REFUSED),
    row("nginx", "path: /a%zz", "status", REFUSED),
    row("nginx", "path: /a%00b", "status", REFUSED),
    row("nginx", "header: repeated cookies", "HTTP_COOKIE", REPEATED),
    row("nginx", "header: repeated", "HTTP_X_SOME", REPEATED),
    row("nginx", "header: a host with a port", "HTTP_HOST", HOST),
    row("nginx", "header: a host in capitals", "HTTP_HOST", HOST),
    row("apache http", "*", "HTTP_CONNECTION", CONFIG),
    row("apache http", "*", "HTTP_X_FORWARDED_FOR", CONFIG),
    row("apache http", "*", "HTTP_X_FORWARDED_HOST", CONFIG),
    row("apache http", "*", "HTTP_X_FORWARDED_PROTO", CONFIG),
    row("apache http", "*", "HTTP_X_FORWARDED_SERVER", CONFIG),
    row(
        "apache http",
        "header: forwarded proto",
        "wsgi.url_scheme",
        CONFIG,
    ),
    row("apache http", "path: //a", "REQUEST_URI", SLASHES),
    row("apache http", "chunks*", "CONTENT_LENGTH", BUFFERED),
    row("apache http", "chunks*", "HTTP_TRANSFER_ENCODING", BUFFERED),
    row("apache http", "header: range", "status", RANGES),
    row("apache fastcgi", "chunks*", "CONTENT_LENGTH", BUFFERED),
    row(
        "apache fastcgi",
        "chunks*",
        "HTTP_TRANSFER_ENCODING",
        BUFFERED,
    ),
    row("apache", "chunks*", "status", LENGTH_WANTED),
    row("apache scgi", "*", "CONTENT_LENGTH", EMPTY),
    row("apache", "path: //a", "PATH_INFO", SLASHES),
    row("apache", "path: /a//b", "PATH_INFO", SLASHES),
    row("apache", "path: /..", "status", REFUSED),
    row("apache", "path: /a%", "status", REFUSED),
    row("apache", "path: /a%zz", "status", REFUSED),
    row("apache", "path: /a%00b", "status", REFUSED),
    row("apache", "header: repeated cookies", "HTTP_COOKIE", COMMA),
    row("apache", "header: max forwards", "HTTP_MAX_FORWARDS", HOP),
    row("apache", "status: 204", "header content-type", NO_BODY),
    row("apache", "status: 304", "header content-type", NO_BODY),
    row("lighttpd http", "*", "HTTP_CONNECTION", CONFIG),
    row("lighttpd http", "*", "HTTP_X_FORWARDED_FOR", CONFIG),
    row("lighttpd http", "*", "HTTP_X_FORWARDED_HOST", CONFIG),
    row("lighttpd http", "*", "HTTP_X_FORWARDED_PROTO", CONFIG),
    row("lighttpd http", "*", "HTTP_X_HOST", CONFIG),
    row(
        "lighttpd http",
        "header: forwarded proto",
        "wsgi.url_scheme",
        CONFIG,
    ),
    row("lighttpd http", "path*", "REQUEST_URI", NORMAL),
    row("lighttpd http", "query*", "REQUEST_URI", NORMAL),
    row("lighttpd", "*", "CONTENT_LENGTH", EMPTY),
    row("lighttpd", "chunks*", "HTTP_TRANSFER_ENCODING", BUFFERED),
    row("lighttpd", "method: BREW", "status", REFUSED),
    row("lighttpd", "body: of GET", "status", REFUSED),
    row("lighttpd", "path: /a%0Ab", "status", REFUSED),
    row("lighttpd", "path: /a%7Fb", "status", REFUSED),
    row("lighttpd", "path: /a%00b", "status", REFUSED),
    row("lighttpd", "query: a=%00", "status", REFUSED),
    row("lighttpd", "path: //a", "PATH_INFO", SLASHES),
    row("lighttpd", "path: /a//b", "PATH_INFO", SLASHES),
    row("lighttpd", "query*", "QUERY_STRING", NORMAL),
    row("lighttpd", "header: range", "status", RANGES),
    row("lighttpd", "header: empty", "HTTP_X_EMPTY", NO_VALUE),
    row(
        "lighttpd",
        "header: an underscore",
        "HTTP_X_UNDER",
        UNDERSCORE,
    ),
    row("lighttpd", "header: a host in capitals", "HTTP_HOST", LOWER),
];
