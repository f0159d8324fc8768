//! The hub and its greenlets at work: turns of the engine, and one greenlet for each request.

use std::sync::{Arc, Mutex, PoisonError};

use hostler::serve::{Engine, Seat};
use pyo3::{exceptions::PyRuntimeError, intern, prelude::*, types::PyDict};
use rustix::fd::AsRawFd;
use tracing::error;

use super::{
    Lanes, hub,
    lanes::{AtWork, Desk},
};
use crate::{
    control::Guard,
    forked, output, traceback,
    wsgi::{Hand, Lock, Wsgi, WsgiThread},
};

/// What they have in common.
#[pyclass(frozen, module = "_hostler")]
struct Crew {
    engine: Arc<Engine<Wsgi>>,
    guard: Arc<Guard>,
    lanes: Arc<Lanes>,
    /// What is the same in the environ of every request.
    template: Py<PyDict>,
    /// The hub's own.
    seat: Mutex<Box<Seat>>,
}

/// Serves in the calling thread until the worker has drained. Others of the interpreter's threads may exist, and do not
/// serve.
///
/// # Errors
/// What gevent raises.
pub(crate) fn serve(
    py: Python<'_>,
    engine: Arc<Engine<Wsgi>>,
    guard: Arc<Guard>,
    lanes: Arc<Lanes>,
    template: Py<PyDict>,
    ready: impl FnOnce(),
) -> PyResult<()> {
    let events = engine.events().as_raw_fd();
    let seat = Mutex::new(engine.seat(engine.threads()));
    let crew = Crew {
        engine,
        guard,
        lanes,
        template,
        seat,
    };
    let crew = Bound::new(py, crew)?;
    let (turn, failed) = (crew.getattr("turn")?, crew.getattr("failed")?);
    let serve = hub(py)?.getattr("serve")?;
    ready();
    serve.call1((events, turn, failed)).map(drop)
}

#[pymethods]
impl Crew {
    /// One turn of the engine, in the hub. Gives whether the worker has drained; None in a process that is no worker.
    fn turn(slf: &Bound<'_, Self>) -> Option<bool> {
        if forked::is_child() {
            return None;
        }
        let this = slf.get();
        // No greenlet is left meanwhile, and threads of the application's may run.
        let has_ended = slf.py().detach(|| {
            let mut seat = this.seat.lock().unwrap_or_else(PoisonError::into_inner);
            this.engine.turn(&mut seat, &mut Hand::Standby)
        });
        Self::start(slf);
        Some(has_ended)
    }

    /// What a greenlet does: it answers the request of its lane.
    fn run(slf: &Bound<'_, Self>, number: u32) -> PyResult<()> {
        let this = slf.get();
        let Some(waiting) = this.lanes.assigned(number) else {
            return Err(PyRuntimeError::new_err("this lane has no request"));
        };
        let mut desk = match this.desk(slf.py(), number) {
            Ok(desk) => desk,
            Err(error) => {
                // It is the next one again, and the next turn tries anew.
                this.engine.put_back(waiting);
                this.lanes.give_back(number);
                return Err(error);
            }
        };
        let Desk { seat, hand } = &mut *desk;
        this.engine.go_on_with(waiting, seat, hand);
        this.lanes.end(number, desk);
        this.lanes.give_back(number);
        Self::start(slf);
        Ok(())
    }

    /// The hub has raised in the main greenlet what a greenlet of the application's has raised, for instance SystemExit.
    fn failed(&self, py: Python<'_>, error: Bound<'_, PyAny>) {
        let error = PyErr::from_value(error);
        if forked::is_child() {
            forked::exit(py, Some(error));
        }
        error!(
            traceback = %traceback::text(py, &error),
            "a greenlet of the application ended the program; the worker drains"
        );
        self.engine.stop();
    }
}

impl Crew {
    /// Starts a greenlet for each request that waits, as far as there are lanes. Without one nothing is accepted.
    fn start(slf: &Bound<'_, Self>) {
        let Self {
            engine,
            lanes,
            seat,
            ..
        } = slf.get();
        loop {
            let Some(number) = lanes.take() else {
                let mut seat = seat.lock().unwrap_or_else(PoisonError::into_inner);
                return engine.pause(&mut seat, &mut Hand::Standby);
            };
            let Some(waiting) = engine.next_waiting() else {
                lanes.give_back(number);
                return engine.resume();
            };
            lanes.assign(number, waiting);
            if let Err(error) = Self::spawn(slf, number) {
                let error = traceback::summary(slf.py(), &error);
                error!(%error, "there is no greenlet for a request; it waits for the next turn");
                if let Some(waiting) = lanes.assigned(number) {
                    engine.put_back(waiting);
                }
                return lanes.give_back(number);
            }
        }
    }

    fn spawn(slf: &Bound<'_, Self>, number: u32) -> PyResult<()> {
        let py = slf.py();
        let run = slf.getattr(intern!(py, "run"))?;
        hub(py)?
            .call_method1(intern!(py, "spawn"), (run, number))
            .map(drop)
    }

    /// What the lane's last request has left, or all of it new, for the calling greenlet.
    fn desk(&self, py: Python<'_>, number: u32) -> PyResult<Box<Desk>> {
        let mut desk = match self.lanes.desk(number) {
            Some(desk) => desk,
            None => {
                let template = self.template.bind(py).copy()?;
                template.set_item("uwsgi.core", number)?;
                let thread = WsgiThread::new(py, &template, &self.guard, Lock::Green)?;
                Box::new(Desk {
                    seat: self.engine.seat(number),
                    hand: Hand::Python(thread),
                })
            }
        };
        if let Hand::Python(thread) = &mut desk.hand {
            thread.renew();
            output::speak_for(py, thread.link())?;
            let greenlet = hub(py)?.call_method0(intern!(py, "getcurrent"))?;
            let at_work = AtWork {
                greenlet: greenlet.unbind(),
                link: Arc::clone(thread.link()),
                is_told: false,
            };
            self.lanes.begin(number, at_work);
        }
        Ok(desk)
    }
}
