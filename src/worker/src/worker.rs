//! The life of a worker, from the fork to its end; what it does in between is `serve`.
//!
//! Two things tie it to the supervisor. The end of its control socket says what `Drain` says, however the supervisor
//! ended; but a worker whose threads are all stuck hears nobody. So the kernel tells it too, and kills it when the time
//! is over that the supervisor would have given it (`timeouts.reload-mercy`): nobody is left who could.
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
    sys,
};
use pyo3::prelude::*;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, getpid},
};

use crate::{
    allocator,
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
    allocator::keep_free_memory();
    let Zygote {
        start,
        scoreboard,
        gathered,
        listeners,
        handover,
        https,
        applications,
        channel,
        supervisor,
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
    tie(&control, supervisor, &start.settings);
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

/// See the module. A supervisor that has ended in the moment before has closed its end of the socket by then.
fn tie(control: &Channel, supervisor: Option<Pid>, settings: &Settings) {
    let Some(supervisor) = supervisor else { return };
    if let Err(error) = sys::end_with_parent(supervisor, settings.timeouts.reload_mercy.0) {
        tracing::warn!(%error, "should the supervisor be killed, a request that hangs will keep this worker");
    }
    let mut fds = [PollFd::new(control, PollFlags::empty())];
    if poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0) {
        sys::parent_has_ended();
    }
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
    // Who has not imported it has no threads.
    let threading = py.import("sys").and_then(|sys| {
        let modules = sys.getattr("modules")?;
        modules.call_method1("get", ("threading",))
    });
    let threading = threading.ok().filter(|module| !module.is_none());
    if let Some(Err(error)) = threading.map(|module| module.call_method0("_shutdown")) {
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
