//! From `name`, `object.attribute` or `factory()` in a module to a WSGI callable.

use hostler::ipc::LoadFailure;
use pyo3::{exceptions::PyAttributeError, prelude::*, types::PyModule};

use super::{Wanted, failure, failure_of, suggest};

/// Evaluates `expression` in the module: names joined by dots, each of which may be followed by `()`, which calls it.
pub(super) fn find(
    module: &Bound<'_, PyModule>,
    wanted: &Wanted<'_>,
) -> Result<Py<PyAny>, LoadFailure> {
    let expression = wanted.callable;
    let py = module.py();
    let place = module
        .name()
        .map_or_else(|_| "the module".to_owned(), |name| name.to_string());
    let mut object = module.as_any().clone();
    let mut path = String::new();
    for step in expression.split('.') {
        let (name, is_call) = match step.trim().strip_suffix("()") {
            Some(name) => (name, true),
            None => (step.trim(), false),
        };
        if !is_name(name) {
            return Err(failure(format!(
                "{expression:?} does not name a callable: write name, object.attribute or factory()"
            )));
        }
        object = object.getattr(name).map_err(|error| {
            if error.is_instance_of::<PyAttributeError>(py) {
                missing(module, &place, &path, (name, wanted.section))
            } else {
                failure_of(py, &format!("looking up {expression} in {place}"), &error)
            }
        })?;
        if is_call {
            let doing = format!("calling {name}() of {place}");
            object = object
                .call0()
                .map_err(|error| failure_of(py, &doing, &error))?;
        }
        path = if path.is_empty() {
            step.to_owned()
        } else {
            format!("{path}.{step}")
        };
    }
    check(&object, &place, expression)?;
    Ok(object.unbind())
}

/// The grammar of a name, in ASCII and beyond, without asking Python.
fn is_name(name: &str) -> bool {
    let starts_well = name
        .chars()
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    starts_well
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}

/// Whether it can be called the way PEP 3333 says.
fn check(object: &Bound<'_, PyAny>, place: &str, expression: &str) -> Result<(), LoadFailure> {
    if !object.is_callable() {
        let class = object
            .get_type()
            .qualname()
            .map_or_else(|_| "?".to_owned(), |name| name.to_string());
        return Err(failure(format!(
            "{expression} in {place} is not a WSGI application: it is a {class}, which cannot be called"
        )));
    }
    if suggest::is_asgi(object) {
        return Err(failure(format!(
            "{expression} in {place} is an ASGI application (async), and hostler serves WSGI: name the framework's WSGI callable (Django: wsgi.py instead of asgi.py), or wrap it with a2wsgi.ASGIMiddleware"
        )));
    }
    Ok(())
}

/// `path` is what was found before `name`; in the module itself there may be something that was meant.
fn missing(
    module: &Bound<'_, PyModule>,
    place: &str,
    path: &str,
    (name, section): (&str, &str),
) -> LoadFailure {
    if !path.is_empty() {
        return failure(format!("{path} in {place} has no attribute `{name}`"));
    }
    let candidates = suggest::candidates(module, name);
    let advice = match candidates.split_first() {
        None => format!(
            "define it, or name another one as {section}.callable or behind a colon in {section}.module"
        ),
        Some((first, [])) => format!("did you mean `{first}`?"),
        Some((first, rest)) => format!(
            "did you mean `{first}`? (there is also {})",
            rest.join(", ")
        ),
    };
    failure(format!("{place} has no `{name}`: {advice}"))
}
