//! The module `hostler`, which applications import in zygote and workers, and nowhere else: there is no such file.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use hostler::{config::App, ipc::LoadFailure};
use pyo3::{
    exceptions::{PyAttributeError, PyTypeError},
    prelude::*,
    types::PyList,
};

use crate::{
    app::{self, failure_of},
    harakiri::HarakiriError,
    output,
};

/// Called in each worker, in this order. A fork copies what the zygote's import has registered.
static POST_FORK: Mutex<Vec<Py<PyAny>>> = Mutex::new(Vec::new());

/// What the log calls the worker; negative in the zygote.
static WORKER: AtomicI64 = AtomicI64::new(-1);

/// Makes `import hostler` work; to be called before the application is imported.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let module = PyModule::new(py, "hostler")?;
    module.add(
        "__doc__",
        "What hostler offers to the applications that it serves.",
    )?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("HarakiriError", py.get_type::<HarakiriError>())?;
    module.add_function(wrap_pyfunction!(postfork, &module)?)?;
    module.add_function(wrap_pyfunction!(worker_id, &module)?)?;
    module.add_function(wrap_pyfunction!(request_id, &module)?)?;
    // PEP 562: called for names that are not there.
    module.add_function(wrap_pyfunction!(__getattr__, &module)?)?;
    let all = [
        "HarakiriError",
        "JournalHandler",
        "postfork",
        "request_id",
        "worker_id",
    ];
    module.add("__all__", PyList::new(py, all)?)?;
    py.import("sys")?
        .getattr("modules")?
        .set_item("hostler", module)
}

/// Decorates a function without arguments that each worker calls before it serves. It has to be there when the
/// application has been imported: what is decorated later is called in no worker.
#[pyfunction]
fn postfork(function: Bound<'_, PyAny>) -> PyResult<Bound<'_, PyAny>> {
    if !function.is_callable() {
        let class = function.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "postfork decorates a function, not {class}"
        )));
    }
    hooks().push(function.clone().unbind());
    Ok(function)
}

/// The number of the worker as in the log, from 0; None where the application is imported for all workers.
#[pyfunction]
fn worker_id() -> Option<u32> {
    u32::try_from(WORKER.load(Ordering::Relaxed)).ok()
}

/// The name of the request that the calling thread is at, as in the log (HOSTLER_REQUEST_ID); None outside of one.
#[pyfunction]
fn request_id(py: Python<'_>) -> Option<String> {
    Some(output::request_id(py)).filter(|id| !id.is_empty())
}

/// What is made only for those who ask for it.
#[pyfunction]
fn __getattr__<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    if name != "JournalHandler" {
        let message = format!("module 'hostler' has no attribute '{name}'");
        return Err(PyAttributeError::new_err(message));
    }
    let class = output::journal_handler(py)?;
    py.import("hostler")?.setattr(name, &class)?;
    Ok(class)
}

/// This process is a worker from now on.
pub(crate) fn set_worker(slot: u32) {
    WORKER.store(i64::from(slot), Ordering::Relaxed);
}

/// Registers `app.post-fork`, after what the application itself has registered. With the application, so that a name
/// that leads to nothing is found out before there is any worker.
pub(crate) fn add_setting(py: Python<'_>, app: &App) -> Result<(), LoadFailure> {
    if let Some(name) = &app.post_fork {
        let function = app::function(py, name, "app.post-fork")?;
        hooks().push(function.unbind());
    }
    Ok(())
}

/// Calls everything that is registered; the first failure is the end.
pub(crate) fn run_hooks(py: Python<'_>) -> Result<(), LoadFailure> {
    // Not locked meanwhile: a function may import what registers more.
    let functions = std::mem::take(&mut *hooks());
    for function in functions {
        function.call0(py).map_err(|error| {
            let name = function.bind(py).getattr("__qualname__");
            let name = name.map_or_else(|_| "?".to_owned(), |name| name.to_string());
            failure_of(py, &format!("the post-fork function {name}()"), &error)
        })?;
    }
    Ok(())
}

fn hooks() -> std::sync::MutexGuard<'static, Vec<Py<PyAny>>> {
    POST_FORK.lock().unwrap_or_else(PoisonError::into_inner)
}
