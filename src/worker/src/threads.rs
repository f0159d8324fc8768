//! The threads that serve: one of Python per thread of the engine.

use std::sync::{Arc, Mutex, PoisonError};

use hostler::{config::Workers, serve::Engine};
use pyo3::{
    prelude::*,
    types::{PyCFunction, PyDict},
};

use crate::{
    control::Guard,
    harakiri::Harakiri,
    output,
    wsgi::{Hand, Lock, Wsgi, WsgiThread},
};

/// Loads what [`Crew::start`] needs before any worker is forked, so that they share it.
pub(crate) fn prepare(py: Python<'_>, workers: &Workers) {
    if workers.threads > 1 && !workers.is_green() {
        // Without it there is an error at the start of a worker, where it can be told.
        let _ = py.import("threading");
    }
}

/// What they have in common.
pub(crate) struct Crew {
    pub(crate) engine: Arc<Engine<Wsgi>>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) harakiri: Arc<Harakiri>,
    /// What is the same in the environ of every request.
    pub(crate) template: Py<PyDict>,
}

impl Crew {
    /// Starts the threads beside the main one, with so many bytes of stack (0: the system's default). They are Python's
    /// own, so that `threading` and debuggers know them by name.
    pub(crate) fn start<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        stack: u64,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut started = Vec::new();
        if self.engine.threads() == 1 {
            return Ok(started);
        }
        let threading = py.import("threading")?;
        let before = (stack > 0)
            .then(|| threading.call_method1("stack_size", (stack,)))
            .transpose()?;
        for number in 1..self.engine.threads() {
            let options = PyDict::new(py);
            options.set_item("target", self.target(py, number)?)?;
            options.set_item("name", format!("hostler-{}", number + 1))?;
            options.set_item("daemon", true)?;
            let thread = threading.call_method("Thread", (), Some(&options))?;
            thread.call_method0("start")?;
            started.push(thread);
        }
        // The application's own threads keep the stack that they would have without us.
        if let Some(before) = before {
            threading.call_method1("stack_size", (before,))?;
        }
        Ok(started)
    }

    /// The calling thread serves under this number until the worker has drained.
    pub(crate) fn serve(&self, py: Python<'_>, number: u32) -> PyResult<()> {
        let state = self.state(py, number)?;
        self.turn(py, number, state);
        Ok(())
    }

    /// What a thread of Python runs; what it keeps is made here, where an error can still be told.
    fn target<'py>(
        self: &Arc<Self>,
        py: Python<'py>,
        number: u32,
    ) -> PyResult<Bound<'py, PyCFunction>> {
        let (this, state) = (Arc::clone(self), Mutex::new(Some(self.state(py, number)?)));
        PyCFunction::new_closure(py, None, None, move |arguments, _| {
            let state = state.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(state) = state {
                this.turn(arguments.py(), number, state);
            }
        })
    }

    /// What a thread keeps; like uWSGI it tells the application its number where there are several.
    fn state(&self, py: Python<'_>, number: u32) -> PyResult<WsgiThread> {
        let template = self.template.bind(py).copy()?;
        if self.engine.threads() > 1 {
            template.set_item("uwsgi.core", number)?;
        }
        let lock = Lock::of_threads(self.engine.threads());
        WsgiThread::new(py, &template, &self.guard, lock)
    }

    /// Alone a thread keeps the interpreter lock between waits, beside others only while Python runs.
    fn turn(&self, py: Python<'_>, number: u32, state: WsgiThread) {
        self.harakiri.attach(py, number, state.link());
        output::attach(py, state.link());
        let mut hand = Hand::Python(state);
        if self.engine.threads() == 1 {
            self.engine.run(number, &mut hand);
        } else {
            let hand = &mut hand;
            py.detach(|| self.engine.run(number, hand));
        }
    }
}
