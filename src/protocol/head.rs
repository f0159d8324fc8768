//! The parsed head of a request, the same for every protocol.

use super::Standard;

/// A range of bytes of the connection's buffer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes it stands for; `buffer` must be the one it was parsed from.
    pub fn of<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        &buffer[self.start as usize..self.end as usize]
    }
}

/// One header of HTTP, or one variable of a front server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Field {
    /// As it came, in its own case.
    pub name: Span,
    /// Without surrounding blanks.
    pub value: Span,
    /// The variable of that name in CGI; of HTTP's headers only those have one that CGI does not begin with `HTTP_`.
    pub standard: Option<Standard>,
}

/// HTTP's version, as far as it changes what we do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0: the connection closes unless asked otherwise, no chunked coding.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
}

/// How the end of the request body is known (RFC 9112 section 6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Framing {
    /// `Transfer-Encoding: chunked`.
    Chunked,
    /// `Content-Length`, in bytes.
    Length(u64),
    /// There is no body.
    #[default]
    None,
    /// A STDIN stream of FastCGI, up to its own end.
    Stdin {
        /// The request that it belongs to.
        id: u16,
        /// CONTENT_LENGTH, if the front server said it.
        length: Option<u64>,
    },
}

/// What the head was parsed from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// The records of a FastCGI request; the fields are CGI variables.
    Fastcgi {
        /// The front server's number for it, which every record of the answer repeats.
        id: u16,
    },
    /// An HTTP/1 message; the fields are headers.
    #[default]
    Http,
    /// A netstring of SCGI; the fields are CGI variables.
    Scgi,
    /// A packet of the uwsgi protocol; the fields are CGI variables.
    Uwsgi {
        /// Which handler is asked for; 0 is WSGI.
        modifier1: u8,
        /// Its parameter.
        modifier2: u8,
    },
}

/// The head of one request. Every [`Span`] is a position in the buffer that was parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Bytes of the buffer that the head takes; the body starts here.
    pub len: usize,
    /// What it was parsed from.
    pub kind: Kind,
    /// The method as sent.
    pub method: Span,
    /// The request target as sent, `REQUEST_URI`.
    pub target: Span,
    /// Path of the target, still percent-encoded (HTTP), or `PATH_INFO` (from a front server).
    pub path: Span,
    /// `SCRIPT_NAME` that goes with `path`; empty for HTTP.
    pub script: Span,
    /// Query without the `?`.
    pub query: Span,
    /// Authority of a target in absolute form; it wins over `Host` (RFC 9112 section 3.2.2). Empty: none.
    pub authority: Span,
    /// Protocol version of the client.
    pub version: Version,
    /// Headers or variables, in their order. Headers whose name has an underscore are left out (they would spoof).
    pub fields: Vec<Field>,
    /// Length of the body.
    pub framing: Framing,
    /// Whether the client wants the connection to stay open.
    pub keep_alive: bool,
    /// `Expect: 100-continue`: the client waits for our word before it sends the body.
    pub expect_continue: bool,
    /// Whether a header may occur more than once, so that values have to be joined; a false `true` only costs time.
    pub repeats: bool,
    /// Whether it goes on as a GET, whatever `method` says ([`Head::become_get`]).
    pub is_get: bool,
}

impl Head {
    /// From now on it is the head of a GET for the same target, without a body and without what was said of one. `buffer`
    /// is the one that was parsed. A HEAD stays one, and `method` and `target` what the client has sent.
    pub fn become_get(&mut self, buffer: &[u8]) {
        self.is_get = self.method.of(buffer) != b"HEAD";
        (self.framing, self.expect_continue) = (Framing::None, false);
        let is_http = self.kind == Kind::Http;
        self.fields.retain(|field| {
            let name = field.name.of(buffer);
            match is_http {
                true => !BODY_HEADERS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(name)),
                false => !BODY_VARIABLES.contains(&name),
            }
        });
    }
}

/// Headers about the body of a request and how it comes.
const BODY_HEADERS: [&[u8]; 6] = [
    b"Content-Encoding",
    b"Content-Length",
    b"Content-Type",
    b"Expect",
    b"Trailer",
    b"Transfer-Encoding",
];
/// The variables that front servers make of them.
const BODY_VARIABLES: [&[u8]; 6] = [
    b"CONTENT_LENGTH",
    b"CONTENT_TYPE",
    b"HTTP_CONTENT_ENCODING",
    b"HTTP_EXPECT",
    b"HTTP_TRAILER",
    b"HTTP_TRANSFER_ENCODING",
];

/// A head with the buffer it points into.
#[derive(Debug, Clone, Copy)]
pub struct Request<'b> {
    /// Positions.
    pub head: &'b Head,
    /// What they point into.
    pub buffer: &'b [u8],
}

impl<'b> Request<'b> {
    /// `REQUEST_METHOD`.
    pub fn method(&self) -> &'b [u8] {
        match self.head.is_get {
            true => b"GET",
            false => self.head.method.of(self.buffer),
        }
    }

    /// `REQUEST_URI`.
    pub fn target(&self) -> &'b [u8] {
        self.head.target.of(self.buffer)
    }

    /// Names and values, in their order.
    pub fn fields(&self) -> impl Iterator<Item = (&'b [u8], &'b [u8])> + use<'b> {
        let buffer = self.buffer;
        self.head
            .fields
            .iter()
            .map(move |field| (field.name.of(buffer), field.value.of(buffer)))
    }
}
