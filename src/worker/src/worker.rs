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
    ipc::{Channel, FromWorker, ListenerInfo, LoadFailure},
    journal::{self, Gathered, Role},
    scoreboard::Scoreboard,
    serve::Handover,
};
use pyo3::prelude::*;
use rustix::process::getpid;

use crate::{
    app::{self, Applications},
    green,
    https::Https,
    limits,
    loaded::Loaded,
    module, output, serve, stacks, traceback,
    zygote::{Ends, Zygote, flush_output, freeze, leave_signals_to_supervisor},
};

/// All that a worker serves with.
pub(crate) struct WorkerContext {
    /// The site's settings.
    pub(crate) settings: Settings,
    /// Listening sockets, shared with the other workers.
    pub(crate) listeners: Vec<(ListenerInfo, OwnedFd)>,
    /// The way to the other workers.
    pub(crate) handover: Option<Handover>,
    /// `None` without a listener for it.
    pub(crate) https: Option<Https>,
    /// Shared memory; this worker writes to its slot alone.
    pub(crate) scoreboard: Scoreboard,
    /// The same for lines of the log, where they are gathered.
    pub(crate) gathered: Option<Gathered>,
    /// Which slot that is.
    pub(crate) slot: u32,
    /// From and to the supervisor.
    pub(crate) control: Channel,
    /// The WSGI callables.
    pub(crate) applications: Applications,
    /// Files of modules that the supervisor was told of.
    pub(crate) loaded: Loaded,
}

/// Becomes the worker of `slot`; gives its exit code when it has served its last request.
pub(crate) fn run(py: Python<'_>, zygote: Zygote, slot: u32, ends: Ends) -> i32 {
    journal::set_role(Role::Worker(slot));
    module::set_worker(slot);
    let _ = rustix::thread::set_name(c"hostler-worker");
    let Zygote {
        start,
        scoreboard,
        gathered,
        listeners,
        handover,
        https,
        applications,
        channel,
        loaded,
        ..
    } = zygote;
    let Ends {
        control,
        stacks,
        output,
    } = ends;
    // As long as anybody holds it, the supervisor cannot see that the zygote is gone.
    drop(channel);
    let pid = getpid().as_raw_nonzero().get();
    scoreboard.worker(slot).start(pid, start.generation);
    if let Err(error) = output::redirect(&output) {
        tracing::warn!(%error, "what C code writes goes to the zygote's log");
    }
    let applications = match prepare(py, &start.settings, stacks, applications) {
        Ok(applications) => applications,
        Err(failure) => {
            report(&control, &FromWorker::Failed(failure));
            return 1;
        }
    };
    let listeners = start.listeners.into_iter().zip(listeners).collect();
    let settings = start.settings;
    let context = WorkerContext {
        settings,
        listeners,
        handover,
        https,
        scoreboard,
        gathered,
        slot,
        control,
        applications,
        loaded,
    };
    let code = serve::run(py, context);
    finish(py);
    code
}

/// Everything between the fork and the first request that the site has a say in.
fn prepare(
    py: Python<'_>,
    settings: &Settings,
    stacks: OwnedFd,
    applications: Option<Applications>,
) -> Result<Applications, LoadFailure> {
    stacks::write_to(py, stacks)
        .map_err(|error| app::failure_of(py, "setting up faulthandler", &error))?;
    limits::apply(&settings.limits)?;
    green::after_fork(py).map_err(|error| app::failure_of(py, "gevent.reinit()", &error))?;
    let applications = applications.map_or_else(|| load(py, settings), Ok)?;
    app::import_all(py, &settings.app.import, "app.import")?;
    module::run_hooks(py)?;
    // What the functions of the application have changed.
    leave_signals_to_supervisor()
        .map_err(|error| app::failure(format!("cannot set up signals: {error}")))?;
    Ok(applications)
}

/// What the zygote would have done without `lazy-apps`.
fn load(py: Python<'_>, settings: &Settings) -> Result<Applications, LoadFailure> {
    let applications = Applications::load(py, settings)?;
    module::add_setting(py, &settings.app)?;
    freeze(py).map_err(|error| app::failure_of(py, "gc.freeze()", &error))?;
    Ok(applications)
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
    if let Err(error) = py
        .import("threading")
        .and_then(|module| module.call_method0("_shutdown"))
    {
        tracing::error!(
            "waiting for the application's threads failed\n{}",
            traceback::text(py, &error)
        );
    }
    // What an exit handler raises, Python prints by itself; the others run nevertheless.
    let _ = py
        .import("atexit")
        .and_then(|module| module.call_method0("_run_exitfuncs"));
    flush_output(py);
}
