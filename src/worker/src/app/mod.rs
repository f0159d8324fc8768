//! Finding and loading the application: a module is imported or a file is run, and in it a WSGI callable is found.
//!
//! Every failure says in one line what is wrong and what to do about it, because a site that does not start is most
//! people's first meeting with this program. Whether the settings are complete is not asked here; they are checked.

mod applications;
mod callable;
mod source;
mod suggest;

use hostler::{config::Target, ipc::LoadFailure};
use pyo3::{
    exceptions::{PyKeyboardInterrupt, PyPermissionError, PySystemExit},
    prelude::*,
};

use crate::traceback;

pub(crate) use applications::Applications;

/// Longest traceback that is handed on, in bytes; a message to the supervisor has its limit.
const MAX_TRACEBACK: usize = 32 << 10;

/// One application that is to be loaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'w> {
    /// Where it is.
    pub(crate) target: Target<'w>,
    /// Name of the callable there.
    pub(crate) callable: &'w str,
    /// The section of the settings that says so, for messages.
    pub(crate) section: &'w str,
}

/// Imports an application and gives its WSGI callable. At the start in the process's main thread, because applications
/// install signal handlers when they are imported.
pub(crate) fn load(py: Python<'_>, wanted: &Wanted<'_>) -> Result<Py<PyAny>, LoadFailure> {
    let module = match wanted.target {
        Target::File { path } => source::run_file(py, path, wanted.section)?,
        Target::Module { name } => source::import(py, name, wanted.section)?,
    };
    callable::find(&module, wanted)
}

/// Imports the modules that the setting `key` names, in its order.
pub(crate) fn import_all(py: Python<'_>, modules: &[String], key: &str) -> Result<(), LoadFailure> {
    modules.iter().try_for_each(|name| {
        let imported = py.import(name.as_str());
        imported
            .map(drop)
            .map_err(|error| failure_of(py, &format!("importing {name} ({key})"), &error))
    })
}

/// What `module:function` in the setting `key` leads to.
pub(crate) fn function<'py>(
    py: Python<'py>,
    name: &str,
    key: &str,
) -> Result<Bound<'py, PyAny>, LoadFailure> {
    let doing = format!("looking up {name} ({key})");
    let Some((module, function)) = name.split_once(':') else {
        return Err(failure(format!(
            "{key} = {name:?} does not name a function: write module:function"
        )));
    };
    let function = py
        .import(module)
        .and_then(|module| {
            function
                .split('.')
                .try_fold(module.into_any(), |object, name| object.getattr(name))
        })
        .map_err(|error| failure_of(py, &doing, &error))?;
    if function.is_callable() {
        Ok(function)
    } else {
        Err(failure(format!("{name} ({key}) cannot be called")))
    }
}

/// A failure that needs no traceback to be understood.
pub(crate) fn failure(reason: impl Into<String>) -> LoadFailure {
    LoadFailure {
        reason: reason.into(),
        traceback: String::new(),
    }
}

/// The application's own code failed while it was `doing` something ("importing shop.wsgi").
pub(crate) fn failure_of(py: Python<'_>, doing: &str, error: &PyErr) -> LoadFailure {
    let reason = if error.is_instance_of::<PySystemExit>(py) {
        let code = error.value(py).getattr("code").and_then(|code| code.repr());
        let code = code.map_or_else(
            |_| String::new(),
            |code| code.to_string_lossy().into_owned(),
        );
        format!("{doing} ended the process: the application called sys.exit({code})")
    } else if error.is_instance_of::<PyKeyboardInterrupt>(py) {
        format!("{doing} was interrupted (KeyboardInterrupt)")
    } else {
        let hint = match source::missing_module(py, error) {
            Some(missing) => source::where_to_install(py, &missing),
            None => without_rights(py, error).to_owned(),
        };
        format!("{doing} failed: {}{hint}", traceback::summary(py, error))
    };
    LoadFailure {
        reason,
        traceback: shortened(traceback::text(py, error)),
    }
}

/// Root expects to read everything, and cannot.
fn without_rights(py: Python<'_>, error: &PyErr) -> &'static str {
    let is_root = rustix::process::geteuid().is_root();
    match is_root && error.is_instance_of::<PyPermissionError>(py) {
        true => {
            "; root has no capabilities here, and so reads what root owns or everybody may read: set user in [service] to the owner of the application"
        }
        false => "",
    }
}

/// Both ends of a long traceback matter: where it started and what was raised.
fn shortened(text: String) -> String {
    if text.len() <= MAX_TRACEBACK {
        return text;
    }
    let boundary = |at: usize| {
        (0..=at)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0)
    };
    let head = boundary(MAX_TRACEBACK / 4);
    let tail = boundary(text.len() - MAX_TRACEBACK / 2);
    format!(
        "{}\n  [... {} bytes left out ...]\n{}",
        &text[..head],
        tail - head,
        &text[tail..]
    )
}
