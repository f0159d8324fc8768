//! A worker at work: the engine with the WSGI application in it, and all that belongs to the two.

use std::{
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex},
};

use hostler::{
    config::Listen,
    ipc::{FromWorker, ListenerInfo},
    scoreboard::{Scoreboard, WorkerState, now_us},
    serve::{Engine, ListeningSocket, Plan, Watches},
    sys,
    tls::Server,
};
use pyo3::{
    exceptions::PyOSError,
    prelude::*,
    types::{PyBytes, PyDict},
};
use rustix::{
    event::{EventfdFlags, eventfd},
    process::Signal,
    system::uname,
};
use tracing::error;

use crate::{
    control::{Control, Guard},
    forked,
    green::{self, Lanes},
    harakiri::Harakiri,
    https::Https,
    limits::Memory,
    threads::Crew,
    traceback,
    worker::WorkerContext,
    wsgi::{
        Autoreload, DynamicApplications, Hand, Lock, OnException, Wsgi, file_wrapper::FileWrapper,
    },
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
    let threads = context.settings.workers.requests_at_once();
    let is_green = context.settings.workers.is_green();
    let stack = context.settings.workers.thread_stack.0;
    let template = template(py, &context)?;
    let scoreboard = Arc::new(context.scoreboard);
    let watches = Arc::new(Watches::new(Arc::clone(&scoreboard), context.slot));
    let harakiri = Arc::new(Harakiri::new(Arc::clone(&watches), threads));
    let control = Arc::new(Control::new(context.control, Arc::clone(&harakiri)));
    let memory = Memory::new(&context.settings.limits, &control);
    let autoreload = context.settings.reload.py_autoreload.then(|| Autoreload {
        loaded: Mutex::new(context.loaded),
        control: Arc::clone(&control),
    });
    if let Some(autoreload) = &autoreload {
        autoreload.tell(py);
    }
    let workers = &context.settings.workers;
    let on_exception = workers
        .reload_on_exception
        .then(|| OnException::new(&control));
    let has_deadlines = !context.settings.limits.harakiri.0.is_zero();
    let dynamic = DynamicApplications::new(&context.settings);
    let hear = Arc::clone(&control);
    let servers = servers(context.https)?;
    let listen = &context.settings.listen;
    let listeners = context.listeners.into_iter();
    let listeners = listeners.map(|one| listening(one, listen, &servers));
    let plan = Plan {
        listeners: listeners.collect(),
        settings: context.settings,
        handover: context.handover,
        scoreboard: Arc::clone(&scoreboard),
        gathered: context.gathered.map(Arc::new),
        slot: context.slot,
        server_name: host_name(),
        watches,
        drain: vec![on_sigterm()?],
        control: Some(control.channel().as_fd().try_clone_to_owned()?),
        on_control: Box::new(move || hear.hear()),
        on_ring: on_ring(&control),
        on_drain: on_drain(&scoreboard, context.slot, &control),
    };
    let lock = match is_green {
        true => Lock::Green,
        false => Lock::of_threads(threads),
    };
    let app = Wsgi::new(
        context.applications,
        dynamic,
        lock,
        memory,
        autoreload,
        on_exception,
    );
    let engine =
        Engine::new(plan, app).map_err(|error| PyOSError::new_err(crate::chain(&error)))?;
    let engine = engine.share();
    forked::watch(py, &engine)?;
    stand_by(&engine);
    let guard = Arc::new(Guard::new(&engine, &control));
    harakiri.handle_signal(py)?;
    if has_deadlines {
        guard.start();
    }
    let ready = || {
        scoreboard
            .worker(context.slot)
            .set_state(WorkerState::Accepting);
        control.tell(&FromWorker::Ready);
    };
    if is_green {
        let lanes = Arc::new(Lanes::new(threads));
        harakiri.attach_greenlets(&lanes);
        return green::serve(py, engine, guard, lanes, template.unbind(), ready);
    }
    let crew = Arc::new(Crew {
        engine,
        guard,
        harakiri,
        template: template.unbind(),
    });
    let others = crew.start(py, stack)?;
    ready();
    crew.serve(py, 0)?;
    for thread in others {
        thread.call_method0("join")?;
    }
    Ok(())
}

/// Starts the thread that serves files while Python keeps all others. It never runs Python.
fn stand_by(engine: &Arc<Engine<Wsgi>>) {
    if !engine.has_standby() {
        return;
    }
    let engine = Arc::clone(engine);
    let started = sys::spawn_helper("hostler-standby", move || {
        engine.stand_by(&mut Hand::Standby);
    });
    if let Err(error) = started {
        error!(%error, "files will have to wait for a thread of the application");
    }
}

/// For each `[[listen]]` that speaks HTTPS what it needs to.
fn servers(https: Option<Https>) -> PyResult<Vec<Option<Server>>> {
    let servers = https.map(|https| https.servers()).transpose();
    let servers = servers.map_err(|error| PyOSError::new_err(crate::chain(&error)))?;
    Ok(servers.unwrap_or_default())
}

fn listening(
    (info, socket): (ListenerInfo, OwnedFd),
    listen: &[Listen],
    servers: &[Option<Server>],
) -> ListeningSocket {
    let section = listen.get(info.section);
    ListeningSocket {
        tls: servers.get(info.section).cloned().flatten(),
        redirect: section.and_then(|listen| listen.redirect_to.clone()),
        proxied: section.is_some_and(|listen| listen.proxy_protocol),
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

/// Says that this worker has woken up, to a supervisor that looks no more because nobody had anything to do.
fn on_ring(control: &Arc<Control>) -> Box<dyn Fn() + Send + Sync> {
    let control = Arc::clone(control);
    Box::new(move || control.tell(&FromWorker::Rung { at_us: now_us() }))
}

/// Says that this worker accepts nothing more, so that the supervisor knows when a reload is complete.
fn on_drain(
    scoreboard: &Arc<Scoreboard>,
    slot: u32,
    control: &Arc<Control>,
) -> Box<dyn Fn() + Send + Sync> {
    let (scoreboard, control) = (Arc::clone(scoreboard), Arc::clone(control));
    Box::new(move || {
        scoreboard.worker(slot).set_state(WorkerState::Draining);
        control.tell(&FromWorker::Draining);
    })
}

fn host_name() -> String {
    uname().nodename().to_string_lossy().into_owned()
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
    environ.set_item("hostler.set_deadline", py.None())?;
    environ.set_item("wsgi.errors", py.import("sys")?.getattr("stderr")?)?;
    // PEP 3333: "may be simultaneously invoked by another thread", which a greenlet is in this regard.
    environ.set_item("wsgi.multithread", workers.requests_at_once() > 1)?;
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
