//! What the application returned becomes the body of the response.

use hostler::serve::{Exchange, HELD_FROM, Held, Progress};
use pyo3::{
    exceptions::{PyAssertionError, PyOSError, PyTypeError},
    intern,
    prelude::*,
    types::{PyBytes, PyList, PyString, PyTuple},
};
use tracing::error;

use super::{
    call::{Call, push},
    file_wrapper::FileWrapper,
};
use crate::traceback;

/// Bytes that the application made, on their way out. Dropped without the interpreter lock it is released later, by
/// whoever takes the lock next.
struct HeldBytes {
    object: Py<PyBytes>,
    start: *const u8,
    length: usize,
}

#[expect(
    unsafe_code,
    reason = "a pointer says nothing of threads, the object behind it does"
)]
// SAFETY: bytes objects never change, and `object` keeps the memory alive.
unsafe impl Send for HeldBytes {}

impl HeldBytes {
    fn new(bytes: &Bound<'_, PyBytes>) -> Box<Self> {
        let slice = bytes.as_bytes();
        Box::new(Self {
            start: slice.as_ptr(),
            length: slice.len(),
            object: bytes.clone().unbind(),
        })
    }
}

impl Held for HeldBytes {
    fn bytes(&self) -> &[u8] {
        let _alive = &self.object;
        #[expect(
            unsafe_code,
            reason = "the bytes are read without the interpreter lock"
        )]
        // SAFETY: memory of a bytes object neither moves nor changes while a reference is held, which `object` is.
        unsafe {
            std::slice::from_raw_parts(self.start, self.length)
        }
    }
}

/// Sends the response that `application(environ, start_response)` returned, and calls its `close`, however this ends.
///
/// # Errors
/// What the application raised, or did against PEP 3333.
pub(super) fn send(py: Python<'_>, response: &Bound<'_, PyAny>, call: &Call<'_>) -> PyResult<()> {
    // Lists, tuples and bytes have no `close`, and tell their length: the usual case, sent in one go.
    if let Ok(list) = response.cast_exact::<PyList>() {
        return send_all(py, list.iter().collect(), call);
    }
    if let Ok(tuple) = response.cast_exact::<PyTuple>() {
        return send_all(py, tuple.iter().collect(), call);
    }
    if let Ok(bytes) = response.cast_exact::<PyBytes>() {
        return send_all(py, vec![bytes.as_any().clone()], call);
    }
    let sent = match response.cast_exact::<FileWrapper>() {
        Ok(file) => send_file(py, file, call),
        Err(_) => iterate(py, response, call),
    };
    close(py, response, sent.is_err());
    sent
}

fn send_all(py: Python<'_>, pieces: Vec<Bound<'_, PyAny>>, call: &Call<'_>) -> PyResult<()> {
    let mut length = 0;
    for piece in &pieces {
        length += bytes(piece)?.as_bytes().len() as u64;
    }
    call.exchange(py, |exchange| {
        call.commit(exchange, Some(length))?;
        for piece in &pieces {
            if call.write(py, exchange, bytes(piece)?) == Progress::Gone {
                break;
            }
        }
        Ok(())
    })
}

/// PEP 3333, "Buffering and Streaming": each piece is on its way before the next is asked for.
fn iterate(py: Python<'_>, response: &Bound<'_, PyAny>, call: &Call<'_>) -> PyResult<()> {
    if response.is_none() || response.is_instance_of::<PyString>() {
        return Err(unusable(response));
    }
    let pieces = response.try_iter().map_err(|_| unusable(response))?;
    for piece in pieces {
        let piece = piece?;
        let piece = bytes(&piece)?;
        // PEP 3333: headers wait for "the first non-empty" piece.
        if piece.as_bytes().is_empty() {
            continue;
        }
        let done = call.exchange(py, |exchange| {
            call.commit(exchange, None)?;
            let progress = match call.write(py, exchange, piece) {
                Progress::Gone => Progress::Gone,
                _ => push(py, call.wsgi, exchange),
            };
            Ok(progress == Progress::Gone || exchange.is_bodiless())
        })?;
        if done {
            return Ok(());
        }
    }
    call.exchange(py, |exchange| call.commit(exchange, Some(0)))
}

fn send_file(py: Python<'_>, file: &Bound<'_, FileWrapper>, call: &Call<'_>) -> PyResult<()> {
    let Some(range) = file.get().sendfile_range(py) else {
        return iterate(py, file.as_any(), call);
    };
    call.exchange(py, |exchange| {
        call.commit(exchange, Some(range.len))?;
        call.wsgi.detached(py, || {
            exchange.write_file(range.file, range.offset, range.len);
            exchange.flush();
        });
        Ok(())
    })
}

/// PEP 3333: "the server … must call that method upon completion of the current request". It may fail without harm to
/// a response that is complete; an error before it is the one to tell of.
fn close(py: Python<'_>, response: &Bound<'_, PyAny>, failed: bool) {
    let closed = match response.getattr_opt(intern!(py, "close")) {
        Ok(Some(close)) => close.call0().map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = closed {
        error!(traceback = %traceback::text(py, &error), failed, "close() of the application's response raised an exception");
    }
}

fn bytes<'a, 'py>(piece: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyBytes>> {
    piece
        .cast::<PyBytes>()
        .map_err(|_| match piece.get_type().name() {
            Ok(class) => PyTypeError::new_err(format!(
                "the application's response yielded {class}, not bytes"
            )),
            Err(error) => error,
        })
}

fn unusable(response: &Bound<'_, PyAny>) -> PyErr {
    match response.get_type().name() {
        Ok(class) => PyTypeError::new_err(format!(
            "the application returned {class}, not an iterable of bytes"
        )),
        Err(error) => error,
    }
}

impl Call<'_> {
    /// Runs `act` on the exchange, which nobody else touches meanwhile.
    fn exchange<R>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Exchange<'_>) -> PyResult<R>,
    ) -> PyResult<R> {
        self.link
            .with(py, self.serial, act)
            .unwrap_or_else(|| Err(PyOSError::new_err("the request is over")))
    }

    fn commit(&self, exchange: &mut Exchange<'_>, length: Option<u64>) -> PyResult<()> {
        if self.callables.response().commit(exchange, length) {
            return Ok(());
        }
        Err(PyAssertionError::new_err(
            "the application gave a body without having called start_response",
        ))
    }

    fn write(
        &self,
        py: Python<'_>,
        exchange: &mut Exchange<'_>,
        piece: &Bound<'_, PyBytes>,
    ) -> Progress {
        if piece.as_bytes().len() < HELD_FROM {
            exchange.write(piece.as_bytes());
            return if exchange.has_staged_enough() {
                push(py, self.wsgi, exchange)
            } else {
                Progress::Open
            };
        }
        let held = HeldBytes::new(piece);
        match py.detach(|| exchange.write_held(held)) {
            Progress::Full => py.detach(|| exchange.wait()),
            progress => progress,
        }
    }
}
