//! What the application returned becomes the body of the response.

use hostler::serve::{Exchange, Progress};
use pyo3::{
    exceptions::{PyOSError, PyTypeError},
    intern,
    prelude::*,
    types::{PyBytes, PyList, PyString, PyTuple},
};
use tracing::error;

use super::{
    call::Call,
    file_wrapper::FileWrapper,
    sending::{stage, stream},
};
use crate::{green, traceback};

/// Sends the response that `application(environ, start_response)` returned, and calls its `close`, however this ends.
///
/// # Errors
/// What the application raised, or did against PEP 3333.
pub(super) fn send(py: Python<'_>, response: &Bound<'_, PyAny>, call: &Call<'_>) -> PyResult<()> {
    // Lists, tuples and bytes have no `close`, and tell their length: the usual case, sent in one go.
    if let Ok(list) = response.cast_exact::<PyList>() {
        // Without memory for a list of one piece, which most have.
        return match list.len() {
            1 => send_all(py, &[list.get_item(0)?], call),
            _ => send_all(py, &list.iter().collect::<Vec<_>>(), call),
        };
    }
    if let Ok(tuple) = response.cast_exact::<PyTuple>() {
        return send_all(py, &tuple.iter().collect::<Vec<_>>(), call);
    }
    if let Ok(bytes) = response.cast_exact::<PyBytes>() {
        return send_all(py, &[bytes.as_any().clone()], call);
    }
    let sent = match response.cast_exact::<FileWrapper>() {
        Ok(file) => send_file(py, file, call),
        Err(_) => iterate(py, response, call),
    };
    close(py, response, sent.is_err());
    sent
}

fn send_all(py: Python<'_>, pieces: &[Bound<'_, PyAny>], call: &Call<'_>) -> PyResult<()> {
    let mut length = 0;
    for piece in pieces {
        length += bytes(piece)?.as_bytes().len() as u64;
    }
    for piece in pieces {
        let piece = bytes(piece)?;
        let progress = call.take(py, |exchange| {
            call.commit(exchange, Some(length))?;
            Ok(stage(exchange, piece, call.lock))
        })?;
        if progress == Progress::Gone {
            return Ok(());
        }
    }
    match pieces.is_empty() {
        true => call.exchange(py, |exchange| call.commit(exchange, Some(0))),
        false => Ok(()),
    }
}

/// PEP 3333, "Buffering and Streaming": each piece is on its way before the next is asked for, or goes there meanwhile.
fn iterate(py: Python<'_>, response: &Bound<'_, PyAny>, call: &Call<'_>) -> PyResult<()> {
    for piece in pieces(response)? {
        let piece = piece?;
        let piece = bytes(&piece)?;
        // PEP 3333: headers wait for "the first non-empty" piece.
        if piece.as_bytes().is_empty() {
            continue;
        }
        let mut is_enough = false;
        let progress = call.take(py, |exchange| {
            call.commit(exchange, None)?;
            is_enough = exchange.is_bodiless();
            Ok(stream(exchange, piece, call.lock))
        })?;
        if is_enough || progress == Progress::Gone {
            break;
        }
    }
    call.exchange(py, |exchange| {
        call.commit(exchange, Some(0))?;
        // Before `close` is called, which may take its time: the client has everything that it will get.
        call.lock.detached(py, exchange, Exchange::finish);
        Ok(())
    })
}

fn pieces<'py>(response: &Bound<'py, PyAny>) -> PyResult<Bound<'py, pyo3::types::PyIterator>> {
    if response.is_none() || response.is_instance_of::<PyString>() {
        return Err(unusable(response));
    }
    response.try_iter().or_else(|error| {
        if response.hasattr(intern!(response.py(), "__iter__"))? {
            // Its own fault is what it has to be told.
            Err(error)
        } else {
            Err(unusable(response))
        }
    })
}

fn send_file(py: Python<'_>, file: &Bound<'_, FileWrapper>, call: &Call<'_>) -> PyResult<()> {
    let Some(range) = file.get().sendfile_range(py) else {
        return iterate(py, file.as_any(), call);
    };
    call.exchange(py, |exchange| {
        call.callables.response().send_file(exchange, range)?;
        call.lock.detached(py, exchange, Exchange::finish);
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

    /// The same for what gives the client something; a greenlet then waits for a client that is too slow.
    fn take(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Exchange<'_>) -> PyResult<Progress>,
    ) -> PyResult<Progress> {
        match self.exchange(py, act)? {
            Progress::Full => green::await_room(py, self.link, self.serial),
            progress => Ok(progress),
        }
    }

    fn commit(&self, exchange: &mut Exchange<'_>, length: Option<u64>) -> PyResult<()> {
        self.callables.response().commit(exchange, length)
    }
}
