//! What `wsgi.input` has in common with Python's own files: how sizes are given, and how errors look.

use std::io;

use pyo3::{
    exceptions::{PyConnectionResetError, PyMemoryError, PyOSError, PyTimeoutError, PyTypeError},
    prelude::*,
};

/// An integer argument, refused in the words of Python's own files.
pub(super) struct Size(pub(super) isize);

impl<'py> FromPyObject<'_, 'py> for Size {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        object.extract().map(Self).map_err(|error| {
            if !error.is_instance_of::<PyTypeError>(object.py()) {
                return error;
            }
            let given = object
                .get_type()
                .name()
                .map_or_else(|_| "?".into(), |name| name.to_string());
            PyTypeError::new_err(format!("argument should be integer or None, not '{given}'"))
        })
    }
}

/// None and negative numbers ask for everything.
pub(super) fn limit(size: Option<Size>) -> usize {
    size.and_then(|size| usize::try_from(size.0).ok())
        .unwrap_or(usize::MAX)
}

/// What a failed read looks like to the application: an `OSError`, as frameworks expect, unless the reason is a lack of
/// memory.
pub(super) fn read_error(error: io::Error) -> PyErr {
    use io::ErrorKind::{
        BrokenPipe, ConnectionAborted, ConnectionReset, OutOfMemory, TimedOut, UnexpectedEof,
        WouldBlock,
    };
    let message = format!("cannot read the request body: {error}");
    match (error.kind(), error.raw_os_error()) {
        (BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof, _) => {
            PyConnectionResetError::new_err(message)
        }
        (OutOfMemory, _) => PyMemoryError::new_err(message),
        (TimedOut | WouldBlock, _) => PyTimeoutError::new_err(message),
        (_, Some(errno)) => PyOSError::new_err((errno, message)),
        (_, None) => PyOSError::new_err(message),
    }
}

/// `io.UnsupportedOperation`, which is an `OSError` and a `ValueError`.
pub(super) fn unsupported(py: Python<'_>, operation: &'static str) -> PyErr {
    match py
        .import("io")
        .and_then(|io| io.getattr("UnsupportedOperation")?.call1((operation,)))
    {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    }
}
