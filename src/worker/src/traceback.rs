//! Python's exceptions as text for people: one line that says what happened, and the whole traceback as Python itself
//! would print it, with causes, notes and the carets of a syntax error.

use pyo3::{prelude::*, types::PyType};

/// The exception as the last line of its traceback has it, `KeyError: 'SECRET_KEY'`, cut after the first line.
pub(crate) fn summary(py: Python<'_>, error: &PyErr) -> String {
    let name = class_name(&error.get_type(py));
    match error
        .value(py)
        .str()
        .map(|text| text.to_string_lossy().into_owned())
    {
        Ok(text) => match text.lines().next() {
            Some(line) if !line.trim().is_empty() => format!("{name}: {line}"),
            _ => name,
        },
        Err(_) => format!("{name}: <its text cannot be had>"),
    }
}

/// The whole traceback, with a line end at its end. Frames of ours are not in it, because all of our code between the
/// interpreter and the application is native. When the module `traceback` is itself broken: the one line.
pub(crate) fn text(py: Python<'_>, error: &PyErr) -> String {
    format(py, error).unwrap_or_else(|_| summary(py, error) + "\n")
}

fn format(py: Python<'_>, error: &PyErr) -> PyResult<String> {
    let lines = py.import("traceback")?.call_method1(
        "format_exception",
        (error.get_type(py), error.value(py), error.traceback(py)),
    )?;
    lines
        .try_iter()?
        .map(|line| Ok(line?.str()?.to_string_lossy().into_owned()))
        .collect()
}

/// The name with its module, unless it is a builtin.
fn class_name(class: &Bound<'_, PyType>) -> String {
    let name = class
        .qualname()
        .map_or_else(|_| "exception".to_owned(), |name| name.to_string());
    match class.module() {
        Ok(module) if module != "builtins" && module != "__main__" => format!("{module}.{name}"),
        _ => name,
    }
}
