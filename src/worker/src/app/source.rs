//! The module that holds the application: imported by its name, or run from a file.

use std::path::Path;

use hostler::ipc::LoadFailure;
use pyo3::{
    exceptions::PyModuleNotFoundError,
    prelude::*,
    types::{PyModule, PyString},
};

use super::{failure, failure_of};

/// Imports `package.module`.
pub(super) fn import<'py>(
    py: Python<'py>,
    name: &str,
    section: &str,
) -> Result<Bound<'py, PyModule>, LoadFailure> {
    py.import(name)
        .map_err(|error| match missing_module(py, &error) {
            Some(missing) if is_or_contains(&missing, name) => {
                not_found(py, name, &missing, section)
            }
            _ => failure_of(py, &format!("importing {name}"), &error),
        })
}

/// Runs a file as a module. A file that `import` would find under its own name is imported under that name, so that
/// the rest of the application, which may import it too, sees one module and not two copies of it, and what it
/// pickles is found by others. Any other file gets a name made of its path, as uWSGI gives it.
pub(super) fn run_file<'py>(
    py: Python<'py>,
    file: &Path,
    section: &str,
) -> Result<Bound<'py, PyModule>, LoadFailure> {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    if !path.is_file() {
        if is_closed(&path) {
            return Err(failure(format!(
                "the application's file {} may not be read by whoever runs the site: let that user into every directory on the way (hostler doctor names it)",
                path.display()
            )));
        }
        let what = if path.is_dir() {
            "is a directory"
        } else {
            "does not exist"
        };
        return Err(failure(format!(
            "the application's file {} {what}: correct {section}.file",
            path.display()
        )));
    }
    let doing = format!("running {}", path.display());
    let failed = |error: PyErr| failure_of(py, &doing, &error);
    match importable_name(py, &path) {
        Some(name) => py.import(&*name).map_err(failed),
        None => run_as(py, &path, &name_from_path(&path)).map_err(failed),
    }
}

/// The name under which `import` would find this very file.
fn importable_name(py: Python<'_>, path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    if path.extension()? != "py"
        || !PyString::new(py, name)
            .call_method0("isidentifier")
            .ok()?
            .is_truthy()
            .ok()?
    {
        return None;
    }
    let spec = py
        .import("importlib.util")
        .ok()?
        .call_method1("find_spec", (name,))
        .ok()?;
    let found: String = spec.getattr("origin").ok()?.extract().ok()?;
    (std::fs::canonicalize(found).ok()? == std::fs::canonicalize(path).ok()?)
        .then(|| name.to_owned())
}

/// Creates the module with all that an imported one has, and puts it into `sys.modules` before it runs. The loader's
/// own `exec_module` is not called because it would keep the byte code of `app.wsgi` where that of `app.py` belongs.
fn run_as<'py>(py: Python<'py>, path: &Path, name: &str) -> PyResult<Bound<'py, PyModule>> {
    let loader = py
        .import("importlib.machinery")?
        .getattr("SourceFileLoader")?
        .call1((name, path.as_os_str()))?;
    let util = py.import("importlib.util")?;
    let spec = util.call_method1("spec_from_loader", (name, &loader))?;
    let module = util
        .call_method1("module_from_spec", (spec,))?
        .cast_into::<PyModule>()?;
    let source = loader.call_method1("get_data", (path.as_os_str(),))?;
    let code = py
        .import("builtins")?
        .call_method1("compile", (source, path.as_os_str(), "exec", 0, true))?;
    let modules = py.import("sys")?.getattr("modules")?;
    modules.set_item(name, &module)?;
    py.import("builtins")?
        .call_method1("exec", (code, module.dict()))
        .inspect_err(|_| {
            // As import does: what failed to run must not be found by a later import. The first error is the one to tell.
            let _ = modules.del_item(name);
        })?;
    Ok(module)
}

/// `/srv/shop/app.wsgi` becomes `hostler_file_srv_shop_app_wsgi`.
fn name_from_path(path: &Path) -> String {
    let path = path.to_string_lossy();
    let letters = path.trim_start_matches('/').chars();
    "hostler_file_"
        .chars()
        .chain(letters.map(|letter| {
            if letter.is_alphanumeric() {
                letter
            } else {
                '_'
            }
        }))
        .collect()
}

/// Whether a file is behind a directory that is not for us.
fn is_closed(path: &Path) -> bool {
    let found = std::fs::metadata(path);
    found.is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
}

/// The module that a `ModuleNotFoundError` is about.
pub(super) fn missing_module(py: Python<'_>, error: &PyErr) -> Option<String> {
    if !error.is_instance_of::<PyModuleNotFoundError>(py) {
        return None;
    }
    error.value(py).getattr("name").ok()?.extract().ok()
}

/// What to do about a module that the application imports and that is not installed.
pub(super) fn where_to_install(py: Python<'_>, missing: &str) -> String {
    // A part of a package that is there was not forgotten by whoever installed it.
    if missing.contains('.') {
        return String::new();
    }
    let text = |name: &str| -> PyResult<String> { py.import("sys")?.getattr(name)?.extract() };
    match (text("prefix"), text("base_prefix"), text("executable")) {
        (Ok(prefix), Ok(base), Ok(executable)) if prefix == base => format!(
            "; {executable} runs it without a virtual environment: set app.virtualenv to the one that has {missing}, or install it"
        ),
        (Ok(prefix), Ok(_), Ok(_)) => format!(
            "; the virtual environment {prefix} does not have it: {prefix}/bin/pip install it, or correct the import"
        ),
        _ => String::new(),
    }
}

/// Whether `missing` is `name` itself or a package around it, and not something that its code imports.
fn is_or_contains(missing: &str, name: &str) -> bool {
    name.strip_prefix(missing)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn not_found(py: Python<'_>, name: &str, missing: &str, section: &str) -> LoadFailure {
    if name.contains('/') || name.ends_with(".py") {
        return failure(format!(
            "{section}.module takes the name of a module (shop.wsgi), not of a file: write {section}.file = {name:?}"
        ));
    }
    let path: Vec<String> = py
        .import("sys")
        .and_then(|sys| sys.getattr("path")?.extract())
        .unwrap_or_default();
    let searched = path.join(", ");
    let closed = path.iter().find(|path| {
        std::fs::read_dir(path)
            .is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied)
    });
    if let Some(closed) = closed {
        return failure(format!(
            "there is no module {missing}, and {closed} may not be read by whoever runs the site: let that user list it and enter every directory on the way (hostler doctor names it)"
        ));
    }
    let what = if missing == name {
        format!("there is no module {name}")
    } else {
        format!("there is no module {missing}, where {name} should be")
    };
    failure(format!(
        "{what}: correct {section}.module, app.chdir or app.python-path (searched: {searched})"
    ))
}
