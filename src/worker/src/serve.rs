//! A worker at work: the engine with the WSGI application in it, one thread of Python per thread of the engine.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

use hostler::{
    ipc::{Channel, FromWorker, ListenerInfo},
    scoreboard::{Scoreboard, WorkerState},
    serve::{Engine, ListeningSocket, Plan},
    sys,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyCFunction, PyDict},
};
use rustix::{
    event::{EventfdFlags, eventfd},
    process::Signal,
    system::uname,
};
use tracing::error;

use crate::{
    forked, traceback,
    worker::WorkerContext,
    wsgi::{Wsgi, WsgiThread, file_wrapper::FileWrapper},
};

/// Serves until the worker is told to drain; gives its exit code.
pub(crate) fn run(py: Python<'_>, context: WorkerContext) -> i32 {
    match serve(py, context) {
        Ok(()) => 0,
        Err(error) => {
            error!(traceback = %traceback::text(py, &error), "the worker cannot serve");
            1
        }
    }
}

fn serve(py: Python<'_>, context: WorkerContext) -> PyResult<()> {
    let threads = context.settings.workers.threads;
    let stack = context.settings.workers.thread_stack.0;
    let template = template(py, &context)?;
    let scoreboard = Arc::new(context.scoreboard);
    let control = Arc::new(context.control);
    let plan = Plan {
        settings: context.settings,
        listeners: context.listeners.into_iter().map(listening).collect(),
        scoreboard: Arc::clone(&scoreboard),
        slot: context.slot,
        server_name: host_name(),
        drain: vec![on_sigterm()?, control.as_fd().try_clone_to_owned()?],
        on_drain: on_drain(&scoreboard, context.slot, &control),
    };
    let engine = Engine::new(plan, Wsgi::new(context.application, threads))
        .map_err(|error| pyo3::exceptions::PyOSError::new_err(crate::chain(&error)))?;
    let engine = Arc::new(engine);
    forked::watch(py, &engine)?;
    let others = start_threads(py, &engine, &template, threads, stack)?;
    scoreboard
        .worker(context.slot)
        .set_state(WorkerState::Accepting);
    control
        .send(&FromWorker::Ready, &[])
        .map_err(|error| pyo3::exceptions::PyOSError::new_err(crate::chain(&error)))?;
    turn(py, &engine, 0, state(py, &template, 0, threads)?);
    for thread in others {
        thread.call_method0("join")?;
    }
    Ok(())
}

fn listening((info, socket): (ListenerInfo, OwnedFd)) -> ListeningSocket {
    ListeningSocket {
        protocol: info.protocol,
        address: info.address,
        socket,
    }
}

/// SIGTERM asks a single worker to go as gently as the supervisor would.
fn on_sigterm() -> PyResult<OwnedFd> {
    let event =
        eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).map_err(std::io::Error::from)?;
    sys::wake_on_signals(event.try_clone()?, &[Signal::TERM])?;
    Ok(event)
}

/// Says that this worker accepts nothing more, so that the supervisor knows when a reload is complete. A supervisor that
/// is gone, which also makes workers drain, cannot be told.
fn on_drain(
    scoreboard: &Arc<Scoreboard>,
    slot: u32,
    control: &Arc<Channel>,
) -> Box<dyn Fn() + Send + Sync> {
    let (scoreboard, control) = (Arc::clone(scoreboard), Arc::clone(control));
    Box::new(move || {
        scoreboard.worker(slot).set_state(WorkerState::Draining);
        let _ = control.send(&FromWorker::Draining, &[]);
    })
}

fn host_name() -> String {
    uname().nodename().to_string_lossy().into_owned()
}

type SharedEngine = Arc<Engine<Wsgi>>;

/// The threads beside the main one. They are Python's own, so that `threading` and debuggers know them by name.
fn start_threads<'py>(
    py: Python<'py>,
    engine: &SharedEngine,
    template: &Bound<'py, PyDict>,
    threads: u32,
    stack: u64,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let threading = py.import("threading")?;
    let before = (stack > 0)
        .then(|| threading.call_method1("stack_size", (stack,)))
        .transpose()?;
    let mut started = Vec::new();
    for index in 1..threads {
        let (engine, mut state) = (
            Arc::clone(engine),
            Some(state(py, template, index, threads)?),
        );
        let state = std::sync::Mutex::new(state.take());
        let target = PyCFunction::new_closure(py, None, None, move |arguments, _| {
            let taken = state
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .take();
            if let Some(state) = taken {
                turn(arguments.py(), &engine, index, state);
            }
        })?;
        let options = PyDict::new(py);
        options.set_item("target", target)?;
        options.set_item("name", format!("hostler-{}", index + 1))?;
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

/// What thread `index` keeps; like uWSGI it tells the application its number where there are several.
fn state(
    py: Python<'_>,
    template: &Bound<'_, PyDict>,
    index: u32,
    threads: u32,
) -> PyResult<WsgiThread> {
    let template = template.copy()?;
    if threads > 1 {
        template.set_item("uwsgi.core", index)?;
    }
    WsgiThread::new(py, &template)
}

/// One thread serves. Alone it keeps the interpreter lock between waits, beside others only while Python runs.
fn turn(py: Python<'_>, engine: &SharedEngine, index: u32, mut state: WsgiThread) {
    if engine.threads() == 1 {
        engine.run(index, &mut state);
    } else {
        let state = &mut state;
        py.detach(|| engine.run(index, state));
    }
}

/// What is the same in the environ of every request (PEP 3333, "environ Variables").
fn template<'py>(py: Python<'py>, context: &WorkerContext) -> PyResult<Bound<'py, PyDict>> {
    let workers = &context.settings.workers;
    let environ = PyDict::new(py);
    environ.set_item("REQUEST_METHOD", "")?;
    environ.set_item("REQUEST_URI", "")?;
    environ.set_item("PATH_INFO", "")?;
    environ.set_item("QUERY_STRING", "")?;
    environ.set_item("SCRIPT_NAME", "")?;
    environ.set_item("SERVER_NAME", host_name())?;
    environ.set_item("SERVER_PORT", "")?;
    environ.set_item("SERVER_PROTOCOL", "")?;
    environ.set_item("wsgi.version", (1, 0))?;
    environ.set_item("wsgi.url_scheme", "http")?;
    environ.set_item("wsgi.input", py.None())?;
    environ.set_item("wsgi.errors", py.import("sys")?.getattr("stderr")?)?;
    environ.set_item("wsgi.multithread", workers.threads > 1)?;
    environ.set_item("wsgi.multiprocess", workers.processes > 1)?;
    environ.set_item("wsgi.run_once", false)?;
    environ.set_item("wsgi.file_wrapper", py.get_type::<FileWrapper>())?;
    // Not in PEP 3333: reading to the end of the body needs no Content-Length, chunked bodies included.
    environ.set_item("wsgi.input_terminated", true)?;
    environ.set_item(
        "uwsgi.version",
        PyBytes::new(py, env!("CARGO_PKG_VERSION").as_bytes()),
    )?;
    environ.set_item("uwsgi.node", PyBytes::new(py, host_name().as_bytes()))?;
    Ok(environ)
}
