//! One request: environ, the application, its response; and what is logged when that goes wrong.

use std::sync::Arc;

use hostler::serve::{Application, Exchange, Progress};
use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};
use tracing::error;

use super::{body, environ::EnvironMaker, exchange_link::Link, start_response::Callables};
use crate::traceback;

/// The application as the engine sees it.
pub(crate) struct Wsgi {
    application: Py<PyAny>,
    /// More than one thread: each holds the interpreter lock only while Python runs. A lone thread holds it all the
    /// time but when it sleeps or waits, which saves letting go and taking again per request.
    threaded: bool,
}

/// What one serving thread keeps from request to request.
pub(crate) struct WsgiThread {
    environs: EnvironMaker,
    callables: Callables,
    link: Arc<Link>,
}

impl WsgiThread {
    pub(crate) fn new(py: Python<'_>, template: &Bound<'_, PyDict>) -> PyResult<Self> {
        let link = Arc::<Link>::default();
        Ok(Self {
            environs: EnvironMaker::new(template),
            callables: Callables::new(py, &link)?,
            link,
        })
    }
}

/// One request on its way through Python; what `body` needs to send the response.
pub(super) struct Call<'c> {
    pub(super) wsgi: &'c Wsgi,
    pub(super) callables: &'c Callables,
    pub(super) link: &'c Arc<Link>,
    pub(super) serial: u64,
}

impl Wsgi {
    pub(crate) fn new(application: Py<PyAny>, threads: u32) -> Self {
        Self {
            application,
            threaded: threads > 1,
        }
    }

    /// Runs `act` without the interpreter lock where other threads may want it.
    pub(super) fn detached<R: Send>(&self, py: Python<'_>, act: impl FnOnce() -> R + Send) -> R {
        if self.threaded { py.detach(act) } else { act() }
    }

    fn answer(&self, py: Python<'_>, thread: &mut WsgiThread, exchange: &mut Exchange<'_>) {
        if thread.callables.are_kept() {
            match Callables::new(py, &thread.link) {
                Ok(callables) => thread.callables = callables,
                Err(error) => return report(py, exchange, &error),
            }
        }
        let serial = thread.link.open(py, exchange);
        thread.callables.response().renew(serial);
        let outcome = match thread.environs.environ(py, exchange, &thread.link, serial) {
            Ok((environ, input)) => {
                let call = Call {
                    wsgi: self,
                    callables: &thread.callables,
                    link: &thread.link,
                    serial,
                };
                let outcome = self.call(py, &environ, &call);
                // Whoever kept it must not read what follows on the connection.
                if let Some(input) = input {
                    input.get().detach(py);
                }
                outcome
            }
            Err(error) => Err(error),
        };
        thread.link.close(py);
        if let Err(error) = outcome {
            report(py, exchange, &error);
        }
    }

    fn call(&self, py: Python<'_>, environ: &Bound<'_, PyDict>, call: &Call<'_>) -> PyResult<()> {
        let arguments = PyTuple::new(
            py,
            [environ.as_any(), call.callables.start_response.bind(py)],
        )?;
        let response = self.application.bind(py).call1(arguments)?;
        body::send(py, &response, call)
    }
}

impl Application for Wsgi {
    type Thread = WsgiThread;

    fn call(&self, thread: &mut WsgiThread, exchange: &mut Exchange<'_>) {
        Python::attach(|py| self.answer(py, thread, exchange));
        // A response that was only staged leaves here, when other threads may run Python already.
        exchange.finish();
    }

    fn while_waiting<R: Send>(
        &self,
        _thread: &mut WsgiThread,
        sleep: impl FnOnce() -> R + Send,
    ) -> R {
        if self.threaded {
            sleep()
        } else {
            Python::attach(|py| py.detach(sleep))
        }
    }
}

/// The application failed: 500 if the client got nothing yet, else a connection that ends too early.
fn report(py: Python<'_>, exchange: &mut Exchange<'_>, error: &PyErr) {
    let request = exchange.request();
    error!(
        method = %request.method().escape_ascii(),
        target = %request.target().escape_ascii(),
        peer = exchange.remote_addr(),
        traceback = %traceback::text(py, error),
        "the application raised an exception"
    );
    exchange.fail(500);
}

/// Sends what is staged; waits for a client that is too slow for what is kept already.
pub(super) fn push(py: Python<'_>, wsgi: &Wsgi, exchange: &mut Exchange<'_>) -> Progress {
    match wsgi.detached(py, || exchange.flush()) {
        Progress::Full => py.detach(|| exchange.wait()),
        progress => progress,
    }
}
