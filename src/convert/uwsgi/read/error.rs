//! Why a configuration cannot be read at all.

use std::io;

/// Nothing can be converted. What concerns a line alone is a remark instead.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// A file that was asked for.
    #[error("cannot read `{path}`")]
    File {
        /// As it was given.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file that is not what its name or its beginning says.
    #[error("`{path}` is no {format}: {problem}")]
    Syntax {
        /// As it was given.
        path: String,
        /// `JSON`, `XML` or `YAML`.
        format: &'static str,
        /// With line and column.
        problem: String,
    },
    /// Sixteen-bit characters, which uWSGI cannot read either.
    #[error("`{path}` is written in UTF-16; save it as UTF-8")]
    Utf16 {
        /// As it was given.
        path: String,
    },
    /// Something grows beyond all measure.
    #[error("{origin}: more than {limit} {what}; is there a circle?")]
    TooMuch {
        /// Where this was noticed.
        origin: String,
        /// The limit.
        limit: usize,
        /// What is counted.
        what: &'static str,
    },
    /// A unit without what a unit is read for.
    #[error("`{path}` has no ExecStart= that starts uWSGI")]
    NoExecStart {
        /// As it was given.
        path: String,
    },
}
