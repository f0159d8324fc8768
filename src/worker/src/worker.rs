//! The life of a worker, from the fork to its end; what it does in between is `serve`.
//!
//! Its control socket ties it to the supervisor: the end of that socket says what `Drain` says, however the supervisor
//! ended. PR_SET_PDEATHSIG could not do this: set before the process in the middle of the double fork has ended it
//! would fire at once, and a signal could say no more than the socket does.
//!
//! Signals: SIGINT and SIGHUP do nothing, since a terminal sends them to all processes and the supervisor decides. What
//! SIGTERM does is up to `serve`; until that runs, it does nothing either. So there is no `KeyboardInterrupt` in a
//! worker, and handlers that the application installed for these signals when it was imported are replaced.

use std::os::fd::OwnedFd;

use hostler::{
    config::Settings,
    ipc::{Channel, FromWorker, ListenerInfo},
    journal::{self, Role},
    scoreboard::Scoreboard,
    sys,
};
use pyo3::prelude::*;
use rustix::process::{Signal, getpid};

use crate::{
    app, serve, traceback,
    zygote::{Zygote, flush_output},
};

/// All that a worker serves with.
pub(crate) struct WorkerContext {
    /// The site's settings.
    pub(crate) settings: Settings,
    /// Listening sockets, shared with the other workers.
    pub(crate) listeners: Vec<(ListenerInfo, OwnedFd)>,
    /// Shared memory; this worker writes to its slot alone.
    pub(crate) scoreboard: Scoreboard,
    /// Which slot that is.
    pub(crate) slot: u32,
    /// From and to the supervisor.
    pub(crate) control: Channel,
    /// The WSGI callable.
    pub(crate) application: Py<PyAny>,
}

/// Becomes the worker of `slot`; gives its exit code when it has served its last request.
pub(crate) fn run(py: Python<'_>, zygote: Zygote, slot: u32, control: Channel) -> i32 {
    journal::set_role(Role::Worker(slot));
    let _ = rustix::thread::set_name(c"hostler-worker");
    if let Err(error) = sys::ignore_by_handler(&[Signal::INT, Signal::TERM, Signal::HUP]) {
        tracing::error!(%error, "cannot set up signals");
        return 1;
    }
    let Zygote {
        start,
        scoreboard,
        listeners,
        application,
        ..
    } = zygote;
    scoreboard
        .worker(slot)
        .start(getpid().as_raw_nonzero().get(), start.generation);
    let application = match application {
        Some(application) => application,
        None => match app::load(py, &start.settings.app) {
            Ok(application) => application,
            Err(failure) => {
                report(&control, &FromWorker::Failed(failure));
                return 1;
            }
        },
    };
    let listeners = start.listeners.into_iter().zip(listeners).collect();
    let settings = start.settings;
    let code = serve::run(
        py,
        WorkerContext {
            settings,
            listeners,
            scoreboard,
            slot,
            control,
            application,
        },
    );
    finish(py);
    code
}

/// A supervisor that is gone cannot be told; that it is gone is in its own log or in systemd's.
fn report(control: &Channel, message: &FromWorker) {
    if let Err(error) = control.send(message, &[]) {
        tracing::error!(error = %crate::chain(&error), "cannot report to the supervisor");
    }
}

/// The application's own end, in the order in which the interpreter has it: threads that are not daemons are waited
/// for, exit handlers run, output is written. What the interpreter would do then, destroying every object of the heap,
/// takes long, is of no use to a process that ends, and crashes extensions whose threads still run; it is left out.
/// How long all this may take is the supervisor's affair (`worker-reload-mercy`).
fn finish(py: Python<'_>) {
    for (module, function) in [("threading", "_shutdown"), ("atexit", "_run_exitfuncs")] {
        if let Err(error) = py
            .import(module)
            .and_then(|module| module.call_method0(function))
        {
            tracing::error!(traceback = %traceback::text(py, &error), "an exit handler of the application failed");
        }
    }
    flush_output(py);
}
