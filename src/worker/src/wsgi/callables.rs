//! `start_response` and `write` as Python sees them: functions of the interpreter's own kind, which are called with
//! less ado than a class with `__call__`. What they do is in `response`.

use std::{
    ffi::{CStr, c_int},
    mem::transmute,
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::null_mut,
    sync::Arc,
};

use pyo3::{
    PyClass,
    exceptions::{PyAssertionError, PyTypeError},
    ffi,
    prelude::*,
    types::{PyBytes, PyTuple},
};

use super::{exchange_link::Link, response::Response, sending::Lock};

/// The two callables of one serving thread, used for request after request while the application keeps neither.
pub(crate) struct Callables {
    pub(super) start_response: Py<PyAny>,
    start: Py<Start>,
}

/// The `self` of `start_response`, which has to return `write`.
#[pyclass(frozen, module = "_hostler")]
struct Start {
    response: Py<Response>,
    write: Py<PyAny>,
}

/// What the interpreter wants to know of a function, for ever.
struct Definition(ffi::PyMethodDef);

#[expect(unsafe_code, reason = "the pointers in it say nothing of threads")]
// SAFETY: it points to constants of the program, and neither we nor the interpreter write to it.
unsafe impl Sync for Definition {}

/// A function that the interpreter calls with its arguments where they lie, instead of a tuple of them (PEP 590).
type FastFunction = unsafe extern "C" fn(
    context: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// As every CPython since 3.7 has it; the stable interface names it from 3.10 on only, hence not in `pyo3::ffi` for the
/// 3.9 that we build for.
const METH_FASTCALL: c_int = 0x80;

static START_RESPONSE: Definition = Definition::new(c"start_response", start_response);
static WRITE: Definition = Definition::new(c"write", write);

impl Definition {
    const fn new(name: &'static CStr, function: FastFunction) -> Self {
        #[expect(
            unsafe_code,
            reason = "the field for this kind of function is not in `pyo3::ffi`, see above"
        )]
        // SAFETY: all pointers to functions are alike, and the flags below say which kind this one is.
        let function = unsafe { transmute::<FastFunction, ffi::PyCFunctionWithKeywords>(function) };
        Self(ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: ffi::PyMethodDefPointer {
                PyCFunctionWithKeywords: function,
            },
            ml_flags: METH_FASTCALL | ffi::METH_KEYWORDS,
            ml_doc: std::ptr::null(),
        })
    }
}

impl Callables {
    pub(super) fn new(py: Python<'_>, link: &Arc<Link>, lock: Lock) -> PyResult<Self> {
        let response = Py::new(py, Response::new(Arc::clone(link), lock))?;
        let write = function(py, &WRITE, response.as_any())?;
        let start = Py::new(py, Start { response, write })?;
        let start_response = function(py, &START_RESPONSE, start.as_any())?;
        Ok(Self {
            start_response,
            start,
        })
    }

    pub(super) fn response(&self) -> &Response {
        self.start.get().response.get()
    }

    /// Whether the application holds one of them, so that neither may serve another request.
    #[expect(unsafe_code, reason = "pyo3 counts no references")]
    pub(super) fn are_kept(&self) -> bool {
        // SAFETY: both objects are alive, and the interpreter lock is held as `call` holds it.
        unsafe {
            ffi::Py_REFCNT(self.start_response.as_ptr()) > 1
                || ffi::Py_REFCNT(self.start.get().write.as_ptr()) > 1
        }
    }
}

fn function(
    py: Python<'_>,
    definition: &'static Definition,
    context: &Py<PyAny>,
) -> PyResult<Py<PyAny>> {
    let definition = std::ptr::from_ref(&definition.0).cast_mut();
    #[expect(
        unsafe_code,
        reason = "pyo3 makes closures only, which cost more per call"
    )]
    // SAFETY: the definition lives for ever, is only read and its flags fit the function; `context` is alive and is
    // kept alive by the new object. The result is a new reference or null with an error set.
    unsafe {
        let function = ffi::PyCFunction_NewEx(definition, context.as_ptr(), null_mut());
        Bound::from_owned_ptr_or_err(py, function).map(Bound::unbind)
    }
}

#[expect(unsafe_code, reason = "called by the interpreter")]
unsafe extern "C" fn start_response(
    context: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls with its lock held, the `context` given to `function` (a `Start`), and arguments as
    // PEP 590 has them.
    unsafe { answer(context, args, count, keywords, start) }
}

#[expect(unsafe_code, reason = "called by the interpreter")]
unsafe extern "C" fn write(
    context: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as for `start_response`, with a `Response` as context.
    unsafe { answer(context, args, count, keywords, write_piece) }
}

/// What a function is called with: values, and the names of the last of them where they have names.
struct Arguments<'a, 'py> {
    values: &'a [Bound<'py, PyAny>],
    names: Option<Bound<'py, PyTuple>>,
}

/// `start_response(status, headers, exc_info=None)`; the names of the first two are nobody's business (PEP 3333:
/// "applications must invoke … using positional arguments").
fn start(start: &Bound<'_, Start>, arguments: &Arguments<'_, '_>) -> PyResult<Py<PyAny>> {
    let has_exc_info = |names: &Bound<'_, PyTuple>| {
        let name = names.get_item(0).ok().filter(|_| names.len() == 1);
        name.is_some_and(|name| name.eq("exc_info").unwrap_or(false))
    };
    let (status, headers, exc_info) = match (arguments.values, &arguments.names) {
        ([status, headers], None) => (status, headers, None),
        ([status, headers, exc_info], None) => (status, headers, Some(exc_info)),
        ([status, headers, exc_info], Some(names)) if has_exc_info(names) => {
            (status, headers, Some(exc_info))
        }
        _ => {
            return Err(PyTypeError::new_err(
                "start_response takes status, headers and, at most, exc_info",
            ));
        }
    };
    let exc_info = exc_info.filter(|exc_info| !exc_info.is_none());
    let own = start.get();
    own.response.get().start(status, headers, exc_info)?;
    Ok(own.write.clone_ref(start.py()))
}

/// `write(data)`.
fn write_piece(
    response: &Bound<'_, Response>,
    arguments: &Arguments<'_, '_>,
) -> PyResult<Py<PyAny>> {
    let ([data], None) = (arguments.values, &arguments.names) else {
        return Err(PyTypeError::new_err(
            "write() takes bytes, and nothing else",
        ));
    };
    let Ok(data) = data.cast::<PyBytes>() else {
        let class = data.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "write() takes bytes, not {class}"
        )));
    };
    response.get().write(data)?;
    Ok(response.py().None())
}

/// The frame around a callable: borrows what the interpreter hands over, and turns errors and panics into exceptions.
///
/// # Safety
/// The interpreter lock is held; `context` is an object of class `T`, `args` points to `count` objects and one more for
/// each name in `keywords`, which is a tuple or null.
#[expect(unsafe_code, reason = "called by the interpreter")]
unsafe fn answer<T: PyClass>(
    context: *mut ffi::PyObject,
    args: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
    act: impl for<'a, 'py> FnOnce(&Bound<'py, T>, &Arguments<'a, 'py>) -> PyResult<Py<PyAny>>,
) -> *mut ffi::PyObject {
    // SAFETY: the caller holds the interpreter lock.
    let py = unsafe { Python::assume_attached() };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller vouches for the class of the context and for a tuple; borrowed references are turned into
        // owned ones.
        let (context, names) = unsafe {
            (
                Bound::from_borrowed_ptr(py, context).cast_into_unchecked::<T>(),
                Bound::from_borrowed_ptr_or_opt(py, keywords)
                    .map(|names| names.cast_into_unchecked::<PyTuple>()),
            )
        };
        let names = names.filter(|names| !names.is_empty());
        let count = count as usize + names.as_ref().map_or(0, PyTupleMethods::len);
        let values: &[Bound<'_, PyAny>] = match count {
            // There may be no array then.
            0 => &[],
            // SAFETY: the caller vouches for so many objects, which the interpreter keeps for the call; `Bound` has
            // the layout of a pointer to an object.
            _ => unsafe { std::slice::from_raw_parts(args.cast(), count) },
        };
        act(&context, &Arguments { values, names })
    }));
    match outcome {
        Ok(Ok(result)) => result.into_ptr(),
        Ok(Err(error)) => {
            error.restore(py);
            null_mut()
        }
        Err(_) => {
            PyAssertionError::new_err("a fault of the server's own, see its log").restore(py);
            null_mut()
        }
    }
}
