//! One request: environ, the application, its response; and what is logged when that goes wrong.

use std::sync::{Arc, Mutex, PoisonError};

use hostler::{
    ipc::FromWorker,
    serve::{Application, Exchange, Progress},
};
use pyo3::{
    exceptions::PyMemoryError,
    prelude::*,
    types::{PyDict, PyTuple},
};
use tracing::{error, warn};

use super::{body, environ::EnvironMaker, exchange_link::Link, start_response::Callables};
use crate::{
    control::{Control, Guard},
    harakiri::{self, HarakiriError},
    limits::Memory,
    loaded::Loaded,
    output, traceback,
};

/// The application as the engine sees it.
pub(crate) struct Wsgi {
    application: Py<PyAny>,
    /// More than one thread: each holds the interpreter lock only while Python runs. A lone thread holds it all the
    /// time but when it sleeps or waits, which saves letting go and taking again per request.
    threaded: bool,
    memory: Memory,
    /// With `reload.py-autoreload`.
    autoreload: Option<Autoreload>,
}

/// What the supervisor was told of the files that are loaded.
pub(crate) struct Autoreload {
    pub(crate) loaded: Mutex<Loaded>,
    pub(crate) control: Arc<Control>,
}

/// What one serving thread keeps from request to request.
pub(crate) struct WsgiThread {
    environs: EnvironMaker,
    callables: Callables,
    link: Arc<Link>,
}

impl WsgiThread {
    pub(crate) fn new(
        py: Python<'_>,
        template: &Bound<'_, PyDict>,
        guard: &Arc<Guard>,
    ) -> PyResult<Self> {
        let link = Arc::<Link>::default();
        Ok(Self {
            environs: EnvironMaker::new(template, guard),
            callables: Callables::new(py, &link)?,
            link,
        })
    }

    /// Leads to the request that the thread is at.
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
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
    pub(crate) fn new(
        application: Py<PyAny>,
        threads: u32,
        memory: Memory,
        autoreload: Option<Autoreload>,
    ) -> Self {
        Self {
            application,
            threaded: threads > 1,
            memory,
            autoreload,
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
                Err(error) => return self.report(py, exchange, &error),
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
        output::finish(py);
        thread.link.close(py);
        if exchange.is_ended() {
            harakiri::forgive(py);
        }
        if let Err(error) = outcome {
            self.report(py, exchange, &error);
        }
        if let Some(autoreload) = &self.autoreload {
            autoreload.tell(py);
        }
    }

    /// The application failed: 500 if the client got nothing yet, else a connection that ends too early.
    fn report(&self, py: Python<'_>, exchange: &mut Exchange<'_>, error: &PyErr) {
        let is_out_of_memory = error.is_instance_of::<PyMemoryError>(py);
        if is_out_of_memory {
            self.memory.make_room();
        }
        let event = if error.is_instance_of::<HarakiriError>(py) {
            "a request was ended because it took too long; the application was here"
        } else {
            "the application raised an exception"
        };
        let request = exchange.request();
        error!(
            method = %request.method().escape_ascii(),
            target = %request.target().escape_ascii(),
            peer = exchange.remote_addr(),
            traceback = %traceback::text(py, error),
            "{event}"
        );
        exchange.fail(500);
        if is_out_of_memory {
            self.memory.exhausted();
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
        self.memory.answered(exchange.status());
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

impl Autoreload {
    /// A request may have imported what the start did not need.
    fn tell(&self, py: Python<'_>) {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        match loaded.news(py) {
            Ok(portions) => portions
                .into_iter()
                .for_each(|files| self.control.tell(&FromWorker::Modules(files))),
            Err(error) => {
                warn!(error = %traceback::summary(py, &error), "the files of loaded modules are unknown");
            }
        }
    }
}

/// Sends what is staged; waits for a client that is too slow for what is kept already.
pub(super) fn push(py: Python<'_>, wsgi: &Wsgi, exchange: &mut Exchange<'_>) -> Progress {
    match wsgi.detached(py, || exchange.flush()) {
        Progress::Full => py.detach(|| exchange.wait()),
        progress => progress,
    }
}
