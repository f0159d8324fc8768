//! Requests as greenlets (`workers.loop = "gevent"`): a worker has one thread, in which gevent's hub is the loop.
//!
//! The hub watches the engine's epoll instance and takes a turn of the engine when there are events; each request for the
//! application is a greenlet (`crew`), of which there are `workers.concurrency` at most (`lanes`). What waits in one of
//! them lets the hub run: what the application does, because the standard library is patched, and what we do ourselves
//! (`client`). `strike` ends a greenlet whose request takes too long.
//!
//! A greenlet that waits has its C stack copied away, our frames with it. So nothing that is found from elsewhere may lie
//! on a stack, no lock may be held when a greenlet waits, and it never waits while the interpreter is detached: pyo3
//! counts attachments per thread, and greenlets add to the same count. What is in `hub.py` is Python because nothing
//! there is ours but the order of gevent's words.

mod client;
mod crew;
mod lanes;
mod strike;

use std::ffi::CString;

use hostler::{config::Settings, ipc::LoadFailure};
use pyo3::{exceptions::PyImportError, intern, prelude::*, sync::PyOnceLock, types::PyModule};

use crate::app;

pub(crate) use client::{await_body, await_room, end_waiting};
pub(crate) use crew::serve;
pub(crate) use lanes::Lanes;
pub(crate) use strike::strike;

const HUB: &str = include_str!("hub.py");

static MODULE: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// Patches the standard library, if the site wants greenlets; to be called before anything of the application's is
/// imported.
///
/// # Errors
/// There is no gevent, or it cannot be used.
pub(crate) fn prepare(py: Python<'_>, settings: &Settings) -> Result<(), LoadFailure> {
    if !settings.workers.is_green() {
        return Ok(());
    }
    let patched = py
        .import("gevent.monkey")
        .and_then(|monkey| monkey.call_method0("patch_all"))
        .and_then(|_| {
            let (code, file) = (CString::new(HUB)?, c"<hostler gevent>");
            PyModule::from_code(py, &code, file, c"_hostler_gevent")
        });
    match patched {
        Ok(module) => {
            // There is one process, which is prepared once.
            let _ = MODULE.set(py, module.unbind());
            Ok(())
        }
        Err(error) if is_missing(py, &error) => Err(missing(py)),
        Err(error) => Err(app::failure_of(
            py,
            "importing gevent (workers.loop = \"gevent\")",
            &error,
        )),
    }
}

/// In a process that was just forked, before anything waits in it.
///
/// # Errors
/// What gevent raises.
pub(crate) fn after_fork(py: Python<'_>) -> PyResult<()> {
    match MODULE.get(py) {
        None => Ok(()),
        Some(module) => module.call_method0(py, intern!(py, "reinit")).map(drop),
    }
}

/// In a child that the application has forked: the calling greenlet is the one that it was made for.
///
/// # Errors
/// What gevent raises.
pub(crate) fn note_child(py: Python<'_>) -> PyResult<()> {
    match MODULE.get(py) {
        None => Ok(()),
        Some(module) => module.call_method0(py, intern!(py, "note_child")).map(drop),
    }
}

/// In such a child: comes back in that greenlet alone. The others, which the hub of the child runs as that of its parent
/// does, must neither answer a second time nor end the process.
pub(crate) fn leave_to_forker(py: Python<'_>) {
    if let Some(module) = MODULE.get(py) {
        // An exception is the end of what the greenlet waits for: then nobody else runs.
        let _ = module.call_method0(py, intern!(py, "leave_to_forker"));
    }
}

/// Ends the native threads that gevent has started, as those do that look up names, so that a fork copies everything.
pub(crate) fn end_helpers(py: Python<'_>) -> PyResult<()> {
    match MODULE.get(py) {
        None => Ok(()),
        Some(module) => module
            .call_method0(py, intern!(py, "end_helpers"))
            .map(drop),
    }
}

/// What was said to speak for the calling greenlet; `None` also where there are threads.
pub(crate) fn speaker(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let request = module(py)?.getattr(intern!(py, "request")).ok()?;
    let speaker = request.call_method0(intern!(py, "get")).ok()?;
    (!speaker.is_none()).then_some(speaker)
}

/// Lets `speaker` speak for the calling greenlet.
pub(crate) fn set_speaker(py: Python<'_>, speaker: &Bound<'_, PyAny>) -> PyResult<()> {
    let request = hub(py)?.getattr(intern!(py, "request"))?;
    request
        .call_method1(intern!(py, "set"), (speaker,))
        .map(drop)
}

fn module(py: Python<'_>) -> Option<&Bound<'_, PyModule>> {
    MODULE.get(py).map(|module| module.bind(py))
}

/// The functions of `hub.py`.
fn hub(py: Python<'_>) -> PyResult<&Bound<'_, PyModule>> {
    module(py).ok_or_else(|| PyImportError::new_err("gevent was not prepared"))
}

fn is_missing(py: Python<'_>, error: &PyErr) -> bool {
    let name = error.value(py).getattr("name");
    error.is_instance_of::<PyImportError>(py)
        && name.is_ok_and(|name| name.eq("gevent").unwrap_or_default())
}

fn missing(py: Python<'_>) -> LoadFailure {
    let python = py
        .import("sys")
        .and_then(|sys| sys.getattr("executable")?.extract::<String>())
        .unwrap_or_else(|_| "python".to_owned());
    app::failure(format!(
        "workers.loop = \"gevent\" needs gevent, which {python} does not have: install it ({python} -m pip install gevent), or take `loop` out"
    ))
}
