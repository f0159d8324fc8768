//! One request: environ, the application, its response; and what is logged when that goes wrong.

use std::sync::Arc;

use hostler::serve::{Application, Exchange};
use pyo3::{
    exceptions::PyOSError,
    prelude::*,
    types::{PyDict, PyTuple},
};
use tracing::{error, info};

use super::{
    body, callables::Callables, environ::EnvironMaker, exchange_link::Link, sending::Lock,
};
use crate::{forked, traceback};

/// The application as the engine sees it.
pub(crate) struct Wsgi {
    application: Py<PyAny>,
    lock: Lock,
}

/// What one serving thread keeps from request to request.
pub(crate) struct WsgiThread {
    environs: EnvironMaker,
    callables: Callables,
    link: Arc<Link>,
    /// Number of the request; counts up, so that a number is never met twice.
    serial: u64,
}

impl WsgiThread {
    pub(crate) fn new(py: Python<'_>, template: &Bound<'_, PyDict>) -> PyResult<Self> {
        let link = Arc::<Link>::default();
        Ok(Self {
            environs: EnvironMaker::new(template),
            callables: Callables::new(py, &link)?,
            link,
            serial: 0,
        })
    }
}

/// One request on its way through Python; what `body` needs to send the response.
pub(super) struct Call<'c> {
    pub(super) callables: &'c Callables,
    pub(super) link: &'c Arc<Link>,
    pub(super) lock: Lock,
    pub(super) serial: u64,
}

/// An exception of the application as text, so that it can be told of without the interpreter lock.
enum Failure {
    /// The client has gone, and reading or writing said so: one line, since nobody is to blame.
    Deserted(String),
    /// Anything else, with its traceback.
    Raised(String),
}

impl Failure {
    fn new(py: Python<'_>, error: &PyErr, exchange: &Exchange<'_>) -> Self {
        if exchange.is_deserted() && error.is_instance_of::<PyOSError>(py) {
            Self::Deserted(traceback::summary(py, error))
        } else {
            Self::Raised(traceback::text(py, error))
        }
    }
}

impl Wsgi {
    pub(crate) fn new(application: Py<PyAny>, threads: u32) -> Self {
        let lock = if threads > 1 {
            Lock::Shared
        } else {
            Lock::Kept
        };
        Self { application, lock }
    }

    fn answer(
        &self,
        py: Python<'_>,
        thread: &mut WsgiThread,
        exchange: &mut Exchange<'_>,
    ) -> PyResult<()> {
        if thread.callables.are_kept() {
            thread.callables = Callables::new(py, &thread.link)?;
        }
        thread.serial += 1;
        let call = Call {
            callables: &thread.callables,
            link: &thread.link,
            lock: self.lock,
            serial: thread.serial,
        };
        call.callables.response().renew(call.serial);
        let (environ, input) = thread
            .environs
            .environ(py, exchange, call.link, call.serial)?;
        let open = call.link.open(py, call.serial, exchange);
        let outcome = self.call(py, &environ, &call);
        // Whoever kept it must not read what follows on the connection.
        if let Some(input) = input {
            input.get().detach(py);
        }
        drop(open);
        outcome
    }

    fn call(&self, py: Python<'_>, environ: &Bound<'_, PyDict>, call: &Call<'_>) -> PyResult<()> {
        let start_response = call.callables.start_response.bind(py);
        let arguments = PyTuple::new(py, [environ.as_any(), start_response])?;
        let response = self.application.bind(py).call1(arguments);
        if forked::is_child() {
            forked::end(py, response.err());
        }
        let sent = body::send(py, &response?, call);
        if forked::is_child() {
            forked::end(py, sent.err());
        }
        sent
    }
}

impl Application for Wsgi {
    type Thread = WsgiThread;

    fn call(&self, thread: &mut WsgiThread, exchange: &mut Exchange<'_>) {
        let failure = Python::attach(|py| {
            let error = self.answer(py, thread, exchange).err()?;
            Some(Failure::new(py, &error, exchange))
        });
        match failure {
            // A response that was only staged leaves here, when other threads may run Python already.
            None => exchange.finish(),
            Some(failure) => {
                report(exchange, &failure);
                exchange.fail(500);
            }
        }
    }

    fn while_waiting<R: Send>(
        &self,
        _thread: &mut WsgiThread,
        sleep: impl FnOnce() -> R + Send,
    ) -> R {
        match self.lock {
            Lock::Shared => sleep(),
            Lock::Kept => Python::attach(|py| py.detach(sleep)),
        }
    }

    /// Python has noted the signal; its handlers run in the main thread, when that runs Python the next time: now.
    fn interrupted(&self, _thread: &mut WsgiThread) {
        Python::attach(|py| {
            if let Err(error) = py.check_signals() {
                error!(
                    traceback = %traceback::text(py, &error),
                    "a signal handler of the application raised an exception"
                );
            }
        });
    }
}

/// The client gets 500 if it got nothing yet, else a connection that ends too early.
fn report(exchange: &Exchange<'_>, failure: &Failure) {
    let request = exchange.request();
    let (method, target) = (
        request.method().escape_ascii(),
        request.target().escape_ascii(),
    );
    let peer = exchange.remote_addr();
    match failure {
        Failure::Deserted(error) => {
            info!(%method, %target, peer, error, "the client left before the application was done");
        }
        Failure::Raised(traceback) => {
            error!(%method, %target, peer, traceback, "the application raised an exception");
        }
    }
}
