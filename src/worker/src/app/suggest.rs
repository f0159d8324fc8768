//! Guesses about objects of a module: which of them look like WSGI applications. Only for messages; nothing is ever
//! served because of a guess.

use pyo3::{
    prelude::*,
    types::{PyModule, PyTuple, PyType},
};

/// How many names a message offers.
const MOST: usize = 5;
/// Names that applications usually have, likeliest first.
const USUAL: [&str; 5] = ["application", "app", "wsgi_app", "wsgi", "api"];
/// Functions that usually make one.
const FACTORIES: [&str; 4] = ["create_app", "make_app", "get_app", "build_app"];

/// What the code of an `async def` has among its flags (`inspect.CO_COROUTINE`).
const CO_COROUTINE: u32 = 0x80;

/// What could have been meant by `wanted`, likeliest first, as it would be written in the settings.
pub(super) fn candidates(module: &Bound<'_, PyModule>, wanted: &str) -> Vec<String> {
    let names = public_names(module);
    let similar = most_similar(module.py(), wanted, &names);
    let mut found: Vec<(usize, String)> = names
        .into_iter()
        .filter_map(|name| {
            let object = module.getattr(name.as_str()).ok()?;
            let rank = if similar.as_ref() == Some(&name) && takes(&object, 2) {
                0
            } else {
                rank(module, &name, &object)?
            };
            let call = if FACTORIES.contains(&name.as_str()) {
                "()"
            } else {
                ""
            };
            Some((rank, name + call))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).take(MOST).collect()
}

/// Whether calling it gives a coroutine, as ASGI applications do.
pub(super) fn is_asgi(object: &Bound<'_, PyAny>) -> bool {
    let call = || object.get_type().getattr("__call__");
    is_async(object)
        || (!object.is_instance_of::<PyType>() && call().is_ok_and(|call| is_async(&call)))
}

/// Whether it is an `async def`, as it is, bound to an object or to arguments. `inspect.iscoroutinefunction` says the same,
/// but every site asks this, and that module costs each of them 2.4 MB.
fn is_async(object: &Bound<'_, PyAny>) -> bool {
    let follow = |name| object.getattr(name).is_ok_and(|inner| is_async(&inner));
    match object.get_type().fully_qualified_name() {
        Ok(class) if class == "function" => has_flag(object).unwrap_or(false),
        Ok(class) if class == "functools.partial" => follow("func"),
        Ok(class) if class == "method" => follow("__func__"),
        _ => false,
    }
}

fn has_flag(function: &Bound<'_, PyAny>) -> PyResult<bool> {
    let flags: u32 = function
        .getattr("__code__")?
        .getattr("co_flags")?
        .extract()?;
    Ok(flags & CO_COROUTINE != 0)
}

/// Smaller is likelier; `None`: it does not look like an application.
fn rank(module: &Bound<'_, PyModule>, name: &str, object: &Bound<'_, PyAny>) -> Option<usize> {
    if !object.is_callable() || is_asgi(object) {
        return None;
    }
    if let Some(place) = FACTORIES.iter().position(|factory| *factory == name) {
        return takes(object, 0).then_some(30 + place);
    }
    let usual = USUAL.iter().position(|usual| *usual == name);
    // Most functions of two arguments are something else, and most classes and functions with the right ones were
    // imported from elsewhere; instances do not say where they were made.
    let is_instance = !object.hasattr("__qualname__").unwrap_or(true);
    let is_likely = usual.is_some()
        || is_instance
        || (is_defined_in(object, module) && takes_start_response(object));
    (is_likely && takes(object, 2)).then(|| usual.map_or(20, |place| 1 + place))
}

fn is_defined_in(object: &Bound<'_, PyAny>, module: &Bound<'_, PyModule>) -> bool {
    let same = || object.getattr("__module__")?.eq(module.name()?);
    same().unwrap_or(false)
}

/// Whether one of the arguments has the name that PEP 3333 uses.
fn takes_start_response(object: &Bound<'_, PyAny>) -> bool {
    let contains = || {
        signature(object)?
            .getattr("parameters")?
            .contains("start_response")
    };
    contains().unwrap_or(false)
}

/// Whether it can be called with so many positional arguments.
fn takes(object: &Bound<'_, PyAny>, count: usize) -> bool {
    let bind = || {
        let arguments = PyTuple::new(object.py(), (0..count).map(|_| object.py().None()))?;
        signature(object)?.call_method1("bind", arguments)
    };
    bind().is_ok()
}

fn signature<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    object
        .py()
        .import("inspect")?
        .call_method1("signature", (object,))
}

/// The name that `wanted` is a misspelling of, if it is one.
fn most_similar(py: Python<'_>, wanted: &str, names: &[String]) -> Option<String> {
    let close = py
        .import("difflib")
        .ok()?
        .call_method1("get_close_matches", (wanted, names, 1, 0.8))
        .ok()?;
    close.extract::<Vec<String>>().ok()?.pop()
}

fn public_names(module: &Bound<'_, PyModule>) -> Vec<String> {
    let names = module.dict().keys();
    names
        .iter()
        .filter_map(|name| name.extract::<String>().ok())
        .filter(|name| !name.starts_with('_'))
        .collect()
}
