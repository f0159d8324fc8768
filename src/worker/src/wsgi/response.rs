//! What the application said of its response, from `start_response` until the first bytes of the body go out, and the
//! `write` that came with it (PEP 3333).

use std::{
    mem::take,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use hostler::serve::{Exchange, Progress, ResponseHead};
use pyo3::{
    exceptions::{PyAssertionError, PyOSError, PyTypeError},
    prelude::*,
    types::PyBytes,
};

use super::{
    exchange_link::Link,
    file_wrapper::FileRange,
    header_names::HeaderNames,
    headers::read_head,
    sending::{self, Lock},
};
use crate::green;

/// One per serving thread; the `self` of `write`.
#[pyclass(frozen, module = "_hostler")]
pub(super) struct Response {
    /// Locked for moments in which no Python code runs.
    state: Mutex<State>,
    link: Arc<Link>,
    /// For `write`, which any thread of the application may call.
    lock: Lock,
}

#[derive(Default)]
struct State {
    /// The request it belongs to; see [`Link`].
    serial: u64,
    head: ResponseHead,
    /// Whether `head` is what the application wants to be sent.
    started: bool,
    names: HeaderNames,
}

impl Response {
    pub(super) fn new(link: Arc<Link>, lock: Lock) -> Self {
        Self {
            state: Mutex::default(),
            link,
            lock: match lock {
                Lock::Green => Lock::Green,
                Lock::Kept | Lock::Shared => Lock::Shared,
            },
        }
    }

    /// Forgets the last request; from now on it is about request `serial`.
    pub(super) fn renew(&self, serial: u64) {
        let mut state = self.state();
        state.serial = serial;
        state.started = false;
        clear(&mut state.head);
    }

    /// Commits what the application said, if that has not happened.
    ///
    /// # Errors
    /// `AssertionError`: it said nothing yet.
    pub(super) fn commit(&self, exchange: &mut Exchange<'_>, length: Option<u64>) -> PyResult<()> {
        if exchange.is_committed() {
            return Ok(());
        }
        let state = self.started()?;
        exchange.commit(&state.head, length);
        Ok(())
    }

    /// Commits it with a file as its body, which is on its way after.
    ///
    /// # Errors
    /// `AssertionError`: the application said nothing yet.
    pub(super) fn send_file(&self, exchange: &mut Exchange<'_>, range: FileRange) -> PyResult<()> {
        let FileRange { file, offset, len } = range;
        if exchange.is_committed() {
            // It has begun to write a body of its own before.
            exchange.write_file(file, offset, len);
            return Ok(());
        }
        let state = self.started()?;
        exchange.send_file(&state.head, file, offset, len);
        Ok(())
    }

    fn started(&self) -> PyResult<MutexGuard<'_, State>> {
        let state = self.state();
        match state.started {
            true => Ok(state),
            false => Err(PyAssertionError::new_err(
                "the application gave a body without having called start_response",
            )),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `start_response` does.
    ///
    /// # Errors
    /// `AssertionError`: a second call without `exc_info`; `TypeError`, `ValueError`: bad arguments; the exception of
    /// `exc_info` when the head is on its way.
    pub(super) fn start(
        &self,
        status: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        exc_info: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        if let Some(exc_info) = exc_info {
            self.raise_if_committed(exc_info)?;
        }
        let (mut head, mut names) = {
            let mut state = self.state();
            if state.started && exc_info.is_none() {
                return Err(PyAssertionError::new_err(
                    "start_response was called twice, the second time without exc_info",
                ));
            }
            // Reading may run code of the application's (a repr), which must not find half of a head.
            state.started = false;
            (take(&mut state.head), take(&mut state.names))
        };
        clear(&mut head);
        let said = read_head(status, headers, &mut head, &mut names);
        let mut state = self.state();
        state.started = said.is_ok();
        (state.head, state.names) = (head, names);
        said
    }

    /// PEP 3333: "If exc_info is provided, and no HTTP headers have been output yet, start_response should replace
    /// the currently-stored HTTP response headers … if the headers have already been sent, it must raise".
    fn raise_if_committed(&self, exc_info: &Bound<'_, PyAny>) -> PyResult<()> {
        let serial = self.state().serial;
        if !self
            .link
            .with(exc_info.py(), serial, |exchange| exchange.is_committed())
            .unwrap_or(true)
        {
            return Ok(());
        }
        let (_, value, traceback): (Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>) =
            exc_info.extract()?;
        if value.is_none() {
            return Err(PyTypeError::new_err(
                "exc_info of start_response holds no exception",
            ));
        }
        Err(PyErr::from_value(
            value.call_method1("with_traceback", (traceback,))?,
        ))
    }

    /// PEP 3333: "The write() callable … its single parameter is a bytestring to be written as part of the body".
    ///
    /// # Errors
    /// `OSError`: the request is over, or its client has gone. `AssertionError`: a later `start_response` has failed.
    pub(super) fn write(&self, data: &Bound<'_, PyBytes>) -> PyResult<()> {
        let py = data.py();
        let serial = self.state().serial;
        let progress = self.link.with(py, serial, |exchange| {
            self.commit(exchange, None)?;
            Ok(sending::stream(exchange, data, self.lock))
        });
        let progress = match progress {
            Some(Ok(Progress::Full)) => Some(green::await_room(py, &self.link, serial)),
            progress => progress,
        };
        match progress {
            None => Err(PyOSError::new_err(
                "write() was called after the request was answered",
            )),
            Some(Ok(Progress::Gone)) => Err(PyOSError::new_err("the client has gone")),
            Some(progress) => progress.map(drop),
        }
    }
}

fn clear(head: &mut ResponseHead) {
    head.status.clear();
    head.lines.clear();
    head.facts = Default::default();
}
