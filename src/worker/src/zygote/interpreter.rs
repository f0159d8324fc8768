//! The interpreter as the application shall find it: `sys.argv`, `sys.path`, working directory, output.

use std::env;

use hostler::{config::App, ipc::LoadFailure};
use pyo3::{
    prelude::*,
    types::{PyDict, PyList},
};

use crate::{app, output};

/// `sys.argv[0]`; under uWSGI it is "uwsgi".
const PROGRAM: &str = "hostler";

/// To be called before the application is imported.
pub(super) fn prepare(py: Python<'_>, app: &App) -> Result<(), LoadFailure> {
    if let Some(directory) = &app.chdir {
        env::set_current_dir(directory).map_err(|error| {
            app::failure(format!(
                "cannot change to {}: {error}; correct app.chdir",
                directory.display()
            ))
        })?;
    }
    let prepare = || -> PyResult<()> {
        forget_bootstrap(py)?;
        set_argv(py, app)?;
        set_path(py, app)?;
        output::install(py)
    };
    prepare().map_err(|error| app::failure_of(py, "preparing the interpreter", &error))
}

/// Moves all objects that exist out of the garbage collector's sight (gc.freeze), so that it does not write to pages
/// that the workers share.
pub(crate) fn freeze(py: Python<'_>) -> PyResult<()> {
    let gc = py.import("gc")?;
    gc.call_method0("collect")?;
    gc.call_method0("freeze").map(drop)
}

/// Version and path, `3.11.2 (/srv/shop/.venv/bin/python)`.
pub(super) fn describe(py: Python<'_>) -> String {
    let version = py.version_info();
    let executable = py
        .import("sys")
        .and_then(|sys| sys.getattr("executable")?.extract::<String>());
    let executable = executable.unwrap_or_default();
    format!(
        "{}.{}.{} ({executable})",
        version.major, version.minor, version.patch
    )
}

/// Writes out what this thread and what the application's own streams hold back. Errors are nobody's business here.
pub(crate) fn flush_output(py: Python<'_>) {
    for name in ["stdout", "stderr", "__stdout__", "__stderr__"] {
        let _ = py
            .import("sys")
            .and_then(|sys| sys.getattr(name)?.call_method0("flush"));
    }
    output::finish(py);
}

/// `__main__` still has the names of the few lines that loaded this extension.
fn forget_bootstrap(py: Python<'_>) -> PyResult<()> {
    let main: Bound<'_, PyDict> = py.import("__main__")?.dict();
    for name in main.keys() {
        if !name
            .extract::<String>()
            .is_ok_and(|name| name.starts_with("__"))
        {
            main.del_item(name)?;
        }
    }
    Ok(())
}

fn set_argv(py: Python<'_>, app: &App) -> PyResult<()> {
    let arguments = std::iter::once(PROGRAM).chain(app.argv.iter().map(String::as_str));
    py.import("sys")?
        .setattr("argv", PyList::new(py, arguments)?)
}

/// The working directory, `python-path` in its order, then what the interpreter has of itself. uWSGI has `.` and an
/// empty entry there; the true path stays right when the application changes its directory, and when the directory is
/// reached by a symbolic link that moves on to the next release while this one is still serving.
fn set_path(py: Python<'_>, app: &App) -> PyResult<()> {
    let path = py.import("sys")?.getattr("path")?.cast_into::<PyList>()?;
    let own: Vec<Bound<'_, PyAny>> = path.iter().collect();
    let entries = PyList::empty(py);
    for entry in std::iter::once(env::current_dir()?).chain(app.python_path.iter().cloned()) {
        append_new(&entries, entry.into_os_string().into_pyobject(py)?.as_any())?;
    }
    for entry in own {
        // "python -c" puts an empty entry first, which means whatever directory is the current one.
        if !entry.eq("")? {
            append_new(&entries, &entry)?;
        }
    }
    path.set_slice(0, path.len(), entries.as_any())
}

fn append_new(entries: &Bound<'_, PyList>, entry: &Bound<'_, PyAny>) -> PyResult<()> {
    if entries.contains(entry)? {
        Ok(())
    } else {
        entries.append(entry)
    }
}
