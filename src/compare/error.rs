//! Why nothing can be compared, and why there is no answer to one request.

use std::{io, path::PathBuf};

/// What was asked for cannot be done at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompareError {
    /// A line of the list of requests makes no sense.
    #[error("{source_name}:{line}: {reason}")]
    Line {
        /// The list, as it was named.
        source_name: String,
        /// From 1.
        line: u32,
        /// What is wrong, and what to write.
        reason: String,
    },
    /// There is nothing to send.
    #[error("{source_name}: there is no request in it; write one path a line, like /account")]
    NoRequests {
        /// The list, as it was named.
        source_name: String,
    },
    /// The address of a server makes no sense.
    #[error("`{url}` is no server to compare: {reason}")]
    Server {
        /// As it was written.
        url: String,
        /// What is wrong, and what to write.
        reason: String,
    },
    /// A file is too large.
    #[error("{path}: it has more than {limit} bytes, which is the most that is read")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// In bytes.
        limit: u64,
    },
    /// A file cannot be read.
    #[error("{path}: cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A server gave no whole answer. The words follow "no answer: ".
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It ended before its announced end.
    #[error("it ends early, after {body} bytes of the body")]
    CutShort {
        /// Bytes of the body that came.
        body: usize,
    },
    /// Not a byte came.
    #[error("the connection was closed without one")]
    Closed,
    /// Nobody listens there, for example.
    #[error("cannot connect")]
    Connect(#[source] io::Error),
    /// The connection broke.
    #[error("the connection broke")]
    Io(#[source] io::Error),
    /// What came is no HTTP.
    #[error("not HTTP: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: String,
    },
    /// The request does not fit into the protocol.
    #[error("the request cannot be sent: {reason}")]
    Request {
        /// Why.
        reason: &'static str,
    },
    /// The time was over.
    #[error("the time was over")]
    TimedOut,
    /// More than is kept.
    #[error("its {part} has more than {limit} bytes")]
    TooLarge {
        /// Head or body.
        part: &'static str,
        /// In bytes.
        limit: usize,
    },
}
