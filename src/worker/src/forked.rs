//! Children that the application forks (`os.fork`, `multiprocessing`), which are no workers although they begin as
//! copies of one: they have the signal handlers that the application would have without us, let go of the listeners,
//! and never answer a request.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use hostler::{journal, serve::Engine, sys};
use pyo3::{
    exceptions::PySystemExit,
    prelude::*,
    types::{PyCFunction, PyDict},
};
use tracing::error;

use crate::{green, traceback, wsgi::Wsgi, zygote::flush_output};

static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Whether this process was forked by the application of a worker.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

/// From now on children of this process know that they are none of ours, and the engine knows that there are some.
pub(crate) fn watch(py: Python<'_>, engine: &Arc<Engine<Wsgi>>) -> PyResult<()> {
    let (in_parent, in_child) = (Arc::clone(engine), Arc::clone(engine));
    let in_parent = PyCFunction::new_closure(py, None, None, move |_, _| in_parent.note_fork())?;
    let in_child = PyCFunction::new_closure(py, None, None, move |arguments, _| {
        IS_CHILD.store(true, Ordering::Relaxed);
        journal::leave_gathered();
        green::note_child(arguments.py())?;
        in_child.leave_listeners()?;
        restore_signals(arguments.py())
    })?;
    let hooks = PyDict::new(py);
    hooks.set_item("after_in_parent", in_parent)?;
    hooks.set_item("after_in_child", in_child)?;
    py.import("os")?
        .call_method("register_at_fork", (), Some(&hooks))
        .map(drop)
}

/// What stops a worker must not stop it by way of its child, and has to stop the child (`Process.terminate()`). Python
/// remembers the handlers that were there before ours.
fn restore_signals(py: Python<'_>) -> PyResult<()> {
    let signal = py.import("signal")?;
    for name in ["SIGHUP", "SIGINT", "SIGTERM"] {
        let number = signal.getattr(name)?;
        let handler = signal.call_method1("getsignal", (&number,))?;
        if !handler.is_none() {
            signal.call_method1("signal", (number, handler))?;
        }
    }
    Ok(())
}

/// Ends a child that came back from the application's code, as Python ends a program: what it could do next is to
/// serve the worker's connections a second time.
pub(crate) fn end(py: Python<'_>, error: Option<PyErr>) -> ! {
    green::leave_to_forker(py);
    exit(py, error)
}

/// The same for a child in which nothing else runs.
pub(crate) fn exit(py: Python<'_>, error: Option<PyErr>) -> ! {
    let code = match error {
        None => 0,
        Some(error) => exit_code(py, &error),
    };
    flush_output(py);
    sys::exit_without_cleanup(code)
}

fn exit_code(py: Python<'_>, error: &PyErr) -> i32 {
    if error.is_instance_of::<PySystemExit>(py) {
        match error.value(py).getattr("code") {
            Ok(code) if code.is_none() => return 0,
            Ok(code) => return code.extract().unwrap_or(1),
            Err(_) => {}
        }
    }
    error!(
        traceback = %traceback::text(py, error),
        "a process that the application forked raised an exception"
    );
    1
}
