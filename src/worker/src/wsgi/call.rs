//! One request: environ, the application, its response; and what is logged when that goes wrong.

use std::{
    ptr::null_mut,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use hostler::{
    ipc::{FromWorker, LoadFailure},
    journal,
    serve::{Application, Exchange},
};
use pyo3::{
    exceptions::{PyMemoryError, PyOSError},
    ffi,
    prelude::*,
    types::PyDict,
};
use tracing::{error, info, warn};

use super::{
    body, callables::Callables, dynamic::DynamicApplications, environ::EnvironMaker,
    exchange_link::Link, sending::Lock,
};
use crate::{
    app::Applications,
    control::{Control, Guard},
    forked, green,
    harakiri::{self, HarakiriError},
    limits::Memory,
    loaded::Loaded,
    output, traceback,
};

/// The application as the engine sees it.
pub(crate) struct Wsgi {
    applications: Applications,
    dynamic: Option<DynamicApplications>,
    lock: Lock,
    memory: Memory,
    /// With `reload.py-autoreload`.
    autoreload: Option<Autoreload>,
    /// With `workers.reload-on-exception`.
    on_exception: Option<OnException>,
}

/// Asks for a successor when the application has raised an exception.
pub(crate) struct OnException {
    told: AtomicBool,
    control: Arc<Control>,
}

impl OnException {
    pub(crate) fn new(control: &Arc<Control>) -> Self {
        Self {
            told: AtomicBool::new(false),
            control: Arc::clone(control),
        }
    }

    fn tell(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            self.control.tell(&FromWorker::Raised);
        }
    }
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
    /// Number of the request; counts up, so that a number is never met twice.
    serial: u64,
    /// Whether its greenlet has had its request: the next one is another's.
    is_spent: bool,
}

impl WsgiThread {
    pub(crate) fn new(
        py: Python<'_>,
        template: &Bound<'_, PyDict>,
        guard: &Arc<Guard>,
        lock: Lock,
    ) -> PyResult<Self> {
        let link = Arc::<Link>::default();
        Ok(Self {
            environs: EnvironMaker::new(template, &link, guard, lock == Lock::Green)?,
            callables: Callables::new(py, &link, lock)?,
            link,
            serial: 0,
            is_spent: false,
        })
    }

    /// A new greenlet goes on with what an earlier one has left.
    pub(crate) fn renew(&mut self) {
        self.is_spent = false;
    }

    /// Leads to the request that the thread is at.
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }
}

/// What a thread of the engine has.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each thread, and it never moves"
)]
pub(crate) enum Hand {
    /// The interpreter, and the application in it.
    Python(WsgiThread),
    /// Nothing: it serves what needs no application, as the thread that stands by, or gevent's hub.
    Standby,
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
    /// The request was ended because it took too long; the traceback shows where the application was.
    Ended(String),
    /// The client has spoilt the request, and reading said so: one line, and the status that the client gets.
    Spoilt(String, u16),
    /// The worker can have no more memory, with the traceback.
    Exhausted(String),
    /// Anything else, with its traceback.
    Raised(String),
}

impl Failure {
    fn new(py: Python<'_>, error: &PyErr, exchange: &Exchange<'_>, memory: &Memory) -> Self {
        if error.is_instance_of::<PyMemoryError>(py) {
            memory.make_room();
            Self::Exhausted(traceback::text(py, error))
        } else if error.is_instance_of::<HarakiriError>(py) {
            Self::Ended(traceback::text(py, error))
        } else if exchange.is_deserted() && error.is_instance_of::<PyOSError>(py) {
            Self::Deserted(traceback::summary(py, error))
        } else if let Some(status) = exchange.peers_fault()
            && error.is_instance_of::<PyOSError>(py)
        {
            Self::Spoilt(traceback::summary(py, error), status)
        } else {
            Self::Raised(traceback::text(py, error))
        }
    }

    /// The client gets it if it got nothing yet, else a connection that ends too early.
    fn status(&self) -> u16 {
        match self {
            Self::Spoilt(_, status) => *status,
            _ => 500,
        }
    }
}

impl Wsgi {
    pub(crate) fn new(
        applications: Applications,
        dynamic: Option<DynamicApplications>,
        lock: Lock,
        memory: Memory,
        autoreload: Option<Autoreload>,
        on_exception: Option<OnException>,
    ) -> Self {
        Self {
            applications,
            dynamic,
            lock,
            memory,
            autoreload,
            on_exception,
        }
    }

    fn answer(
        &self,
        py: Python<'_>,
        thread: &mut WsgiThread,
        exchange: &mut Exchange<'_>,
    ) -> PyResult<()> {
        let Some(application) = self.application(py, exchange) else {
            return Ok(());
        };
        if thread.callables.are_kept() {
            thread.callables = Callables::new(py, &thread.link, self.lock)?;
        }
        thread.serial += 1;
        let call = Call {
            callables: &thread.callables,
            link: &thread.link,
            lock: self.lock,
            serial: thread.serial,
        };
        call.callables.response().renew(call.serial);
        let (environ, input) = thread.environs.environ(py, exchange, call.serial)?;
        let open = call.link.open(py, call.serial, exchange);
        let outcome = run(application.bind(py), &environ, &call);
        // Whoever kept it must not read what follows on the connection.
        if let Some(input) = input {
            input.get().detach(py);
        }
        output::finish(py);
        drop(open);
        if self.lock == Lock::Green {
            green::end_waiting(py, exchange);
        } else if exchange.is_ended() {
            harakiri::forgive(py);
        }
        if let Some(autoreload) = &self.autoreload {
            autoreload.tell(py);
        }
        outcome
    }

    /// The application that the request is for; `None`: there is none, and the client was told.
    fn application(&self, py: Python<'_>, exchange: &mut Exchange<'_>) -> Option<Callable<'_>> {
        let named = self.dynamic.as_ref().and_then(|all| all.find(py, exchange));
        match named {
            None => self
                .applications
                .find(exchange.application())
                .map(Callable::Known),
            Some(Ok(application)) => Some(Callable::Named(application)),
            Some(Err(failure)) => {
                let LoadFailure { reason, traceback } = failure;
                error!(%reason, traceback, "a front server names an application that cannot answer");
                exchange.fail(500);
                None
            }
        }
    }
}

/// An application that was found.
enum Callable<'a> {
    Known(&'a Py<PyAny>),
    Named(Arc<Py<PyAny>>),
}

impl Callable<'_> {
    fn bind<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        match self {
            Self::Known(known) => known.bind(py),
            Self::Named(named) => named.bind(py),
        }
    }
}

fn run(
    application: &Bound<'_, PyAny>,
    environ: &Bound<'_, PyDict>,
    call: &Call<'_>,
) -> PyResult<()> {
    let py = application.py();
    let start_response = call.callables.start_response.bind(py);
    let response = ask(application, environ, start_response);
    if forked::is_child() {
        forked::end(py, response.err());
    }
    let sent = body::send(py, &response?, call);
    if forked::is_child() {
        forked::end(py, sent.err());
    }
    sent
}

/// `application(environ, start_response)`, without a tuple for the two.
#[expect(unsafe_code, reason = "the hot path of every request")]
fn ask<'py>(
    application: &Bound<'py, PyAny>,
    environ: &Bound<'py, PyDict>,
    start_response: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: all three are alive, and null ends the arguments. The result is a new reference, or null with an error set.
    unsafe {
        let response = ffi::PyObject_CallFunctionObjArgs(
            application.as_ptr(),
            environ.as_ptr(),
            start_response.as_ptr(),
            null_mut::<ffi::PyObject>(),
        );
        Bound::from_owned_ptr_or_err(application.py(), response)
    }
}

impl Application for Wsgi {
    type Thread = Hand;

    fn is_standby(hand: &Hand) -> bool {
        match hand {
            Hand::Python(thread) => thread.is_spent,
            Hand::Standby => true,
        }
    }

    fn call(&self, hand: &mut Hand, exchange: &mut Exchange<'_>) {
        let Hand::Python(thread) = hand else {
            return exchange.fail(500);
        };
        thread.is_spent = self.lock == Lock::Green;
        let failure = Python::attach(|py| {
            if self.lock == Lock::Shared {
                exchange.note_first_lock();
            }
            let error = self.answer(py, thread, exchange).err()?;
            Some(Failure::new(py, &error, exchange, &self.memory))
        });
        match failure {
            // A response that was only staged leaves here, when other threads may run Python already.
            None => exchange.finish(),
            Some(failure) => {
                report(exchange, &failure);
                match failure {
                    Failure::Exhausted(_) | Failure::Raised(_) => exchange.count_exception(),
                    Failure::Spoilt(..) => exchange.count_spoilt(),
                    Failure::Deserted(_) | Failure::Ended(_) => {}
                }
                exchange.fail(failure.status());
                if let Failure::Exhausted(_) = failure {
                    self.memory.exhausted();
                }
                if let (Failure::Exhausted(_) | Failure::Raised(_), Some(on_exception)) =
                    (&failure, &self.on_exception)
                {
                    on_exception.tell();
                }
            }
        }
        self.memory.answered(exchange.status());
    }

    fn while_waiting<R: Send>(&self, hand: &mut Hand, sleep: impl FnOnce() -> R + Send) -> R {
        match (hand, self.lock) {
            (Hand::Standby, _) | (_, Lock::Shared) => sleep(),
            (Hand::Python(_), Lock::Green | Lock::Kept) => Python::attach(|py| py.detach(sleep)),
        }
    }

    /// Python has noted the signal; its handlers run in the main thread, when that runs Python the next time: now.
    fn interrupted(&self, _hand: &mut Hand) {
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

/// Says what happened, under the name of the request where a log has room for that.
fn report(exchange: &mut Exchange<'_>, failure: &Failure) {
    let has_name = journal::has_fields() || exchange.names_requests();
    let request_id = has_name.then(|| exchange.request_id().to_owned());
    let request_id = request_id.as_deref();
    let request = exchange.request();
    let (method, target) = (
        request.method().escape_ascii(),
        request.target().escape_ascii(),
    );
    let peer = exchange.remote_addr();
    match failure {
        Failure::Deserted(error) => {
            info!(%method, %target, peer, request_id, error, "the client left before the application was done");
        }
        Failure::Ended(traceback) => {
            error!(%method, %target, peer, request_id, traceback, "a request was ended because it took too long");
        }
        Failure::Exhausted(traceback) | Failure::Raised(traceback) => {
            error!(%method, %target, peer, request_id, traceback, "the application raised an exception");
        }
        Failure::Spoilt(error, status) => {
            warn!(%method, %target, peer, request_id, error, status, "the client has spoilt its request");
        }
    }
}

impl Autoreload {
    /// Tells of what was imported since the last time, which a request may do, too.
    pub(crate) fn tell(&self, py: Python<'_>) {
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
