//! What is asked of both servers.

use crate::support::uwsgi;

/// One request to one of `tests/apps/`.
pub(super) struct Request {
    pub(super) name: &'static str,
    pub(super) app: &'static str,
    /// Over the uwsgi protocol; else as HTTP.
    pub(super) uwsgi: bool,
    method: &'static str,
    target: &'static str,
    /// Headers, or variables.
    fields: &'static [(&'static str, &'static str)],
    body: &'static [u8],
}

impl Request {
    /// As HTTP.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: example.com\r\n",
            self.method, self.target
        );
        for (name, value) in self.fields {
            head += &format!("{name}: {value}\r\n");
        }
        let is_chunked = self
            .fields
            .iter()
            .any(|(name, _)| *name == "Transfer-Encoding");
        if !self.body.is_empty() && !is_chunked {
            head += &format!("Content-Length: {}\r\n", self.body.len());
        }
        [(head + "\r\n").as_bytes(), self.body].concat()
    }

    /// As a packet.
    pub(super) fn packet(&self) -> Vec<u8> {
        uwsgi::request(self.method, self.target, self.fields, self.body)
    }
}

const fn http(
    name: &'static str,
    app: &'static str,
    method: &'static str,
    target: &'static str,
) -> Request {
    Request {
        name,
        app,
        uwsgi: false,
        method,
        target,
        fields: &[],
        body: b"",
    }
}

const fn packet(
    name: &'static str,
    app: &'static str,
    method: &'static str,
    target: &'static str,
) -> Request {
    Request {
        uwsgi: true,
        ..http(name, app, method, target)
    }
}

pub(super) const REQUESTS: &[Request] = &[
    // What the application sees of HTTP.
    http("http: a path", "environ", "GET", "/a/b?c=d"),
    http("http: no query", "environ", "GET", "/"),
    http("http: an empty query", "environ", "GET", "/?"),
    http(
        "http: escapes",
        "environ",
        "GET",
        "/caf%C3%A9%20au%2Flait?q=%20",
    ),
    http("http: dot segments", "environ", "GET", "/a/./b/../c"),
    http(
        "http: encoded dot segments",
        "environ",
        "GET",
        "/a/%2e%2e/c",
    ),
    http("http: slashes", "environ", "GET", "//a///b//"),
    http(
        "http: an absolute target",
        "environ",
        "GET",
        "http://other.example/p?q",
    ),
    http("http: options", "environ", "OPTIONS", "*"),
    Request {
        fields: &[
            ("User-Agent", "test"),
            ("Accept", "*/*"),
            ("X-Some-Name", "value"),
            ("Content-Type", "text/plain"),
        ],
        ..http("http: headers", "environ", "GET", "/")
    },
    Request {
        fields: &[("X-A", "1"), ("X-B", "2"), ("X-A", "3")],
        ..http("http: repeated headers", "environ", "GET", "/")
    },
    Request {
        fields: &[("Cookie", "a=1"), ("Cookie", "b=2")],
        ..http("http: repeated cookies", "environ", "GET", "/")
    },
    Request {
        fields: &[("X_Name", "value")],
        ..http("http: an underscore in a name", "environ", "GET", "/")
    },
    Request {
        fields: &[("Proxy", "evil")],
        ..http("http: the proxy header", "environ", "GET", "/")
    },
    Request {
        fields: &[("X-Forwarded-Proto", "https")],
        ..http("http: a forwarded scheme", "environ", "GET", "/")
    },
    Request {
        fields: &[("Connection", "close")],
        ..http("http: close", "environ", "GET", "/")
    },
    Request {
        body: b"a=b",
        ..http("http: a body", "environ", "POST", "/")
    },
    // What the application sees of a packet.
    packet("uwsgi: a path", "environ", "GET", "/a/b?c=d"),
    Request {
        body: b"a=b",
        ..packet("uwsgi: a body", "environ", "POST", "/")
    },
    Request {
        fields: &[("HTTPS", "on")],
        ..packet("uwsgi: https", "environ", "GET", "/")
    },
    Request {
        fields: &[("UWSGI_SCHEME", "https")],
        ..packet("uwsgi: a scheme", "environ", "GET", "/")
    },
    Request {
        fields: &[("HTTP_X_FORWARDED_PROTO", "https")],
        ..packet("uwsgi: a forwarded scheme", "environ", "GET", "/")
    },
    Request {
        fields: &[("SCRIPT_NAME", "/a"), ("PATH_INFO", "/b")],
        ..packet("uwsgi: a script name", "environ", "GET", "/a/b")
    },
    Request {
        fields: &[("SOME_PARAM", "value")],
        ..packet("uwsgi: a variable of the site", "environ", "GET", "/")
    },
    Request {
        fields: &[("HTTP_PROXY", "evil")],
        ..packet("uwsgi: the proxy header", "environ", "GET", "/")
    },
    Request {
        fields: &[("SERVER_PROTOCOL", "HTTP/1.0")],
        ..packet("uwsgi: http 1.0", "environ", "GET", "/")
    },
    // What becomes of request bodies.
    Request {
        body: b"some body",
        ..http("http: an echo", "echo", "POST", "/all")
    },
    Request {
        body: b"one\ntwo\n",
        ..http("http: lines", "echo", "POST", "/lines")
    },
    Request {
        body: b"some body",
        ..http("http: an unread body", "echo", "POST", "/none")
    },
    Request {
        fields: &[("Transfer-Encoding", "chunked")],
        body: b"9\r\nsome body\r\n0\r\n\r\n",
        ..http("http: chunks", "echo", "POST", "/all")
    },
    Request {
        body: b"some body",
        ..packet("uwsgi: an echo", "echo", "POST", "/all")
    },
    Request {
        body: b"some body",
        ..packet("uwsgi: an unread body", "echo", "POST", "/none")
    },
    // What becomes of responses.
    packet("uwsgi: a list", "bodies", "GET", "/list"),
    packet("uwsgi: a tuple", "bodies", "GET", "/tuple"),
    packet("uwsgi: a generator", "bodies", "GET", "/generator"),
    packet("uwsgi: bytes", "bodies", "GET", "/bytes"),
    packet("uwsgi: an empty list", "bodies", "GET", "/nothing"),
    packet("uwsgi: text", "bodies", "GET", "/text"),
    packet("uwsgi: none", "bodies", "GET", "/none"),
    packet("uwsgi: head", "bodies", "HEAD", "/list"),
    packet("uwsgi: a length", "bodies", "GET", "/list?200,4"),
    packet("uwsgi: 404", "bodies", "GET", "/list?404"),
    http("http: a list", "bodies", "GET", "/list"),
    http("http: a generator", "bodies", "GET", "/generator"),
    http("http: head", "bodies", "HEAD", "/list"),
    packet("uwsgi: a good head", "headers", "GET", "/?good"),
    packet(
        "uwsgi: a status without reason",
        "headers",
        "GET",
        "/?no-reason",
    ),
    packet("uwsgi: Latin-1 in a head", "headers", "GET", "/?latin-1"),
    packet(
        "uwsgi: repeated headers of the application",
        "headers",
        "GET",
        "/?twice",
    ),
    packet(
        "uwsgi: the date of the application",
        "headers",
        "GET",
        "/?own-date",
    ),
    packet(
        "uwsgi: a connection header of the application",
        "headers",
        "GET",
        "/?connection",
    ),
    packet("uwsgi: an exception", "raises", "GET", "/early"),
    packet(
        "uwsgi: an exception in the iterator",
        "raises",
        "GET",
        "/later",
    ),
    http("http: an exception", "raises", "GET", "/early"),
];
