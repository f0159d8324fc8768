//! `start_response` and `write` as Python sees them: functions of the interpreter's own kind, which are called with
//! less ado than a class with `__call__`. What they do is in `response`.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    ptr::null_mut,
    sync::Arc,
};

use pyo3::{
    PyClass,
    exceptions::{PyAssertionError, PyTypeError},
    ffi,
    prelude::*,
    types::{PyBytes, PyDict, PyTuple},
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

static START_RESPONSE: Definition = Definition(ffi::PyMethodDef {
    ml_name: c"start_response".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer {
        PyCFunctionWithKeywords: start_response,
    },
    ml_flags: ffi::METH_VARARGS | ffi::METH_KEYWORDS,
    ml_doc: std::ptr::null(),
});
static WRITE: Definition = Definition(ffi::PyMethodDef {
    ml_name: c"write".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer {
        PyCFunctionWithKeywords: write,
    },
    ml_flags: ffi::METH_VARARGS | ffi::METH_KEYWORDS,
    ml_doc: std::ptr::null(),
});

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
    args: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls with its lock held, the `context` given to `function` (a `Start`), a tuple, and a
    // dict or null.
    unsafe { answer(context, args, keywords, start) }
}

#[expect(unsafe_code, reason = "called by the interpreter")]
unsafe extern "C" fn write(
    context: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as for `start_response`, with a `Response` as context.
    unsafe { answer(context, args, keywords, write_piece) }
}

/// `start_response(status, headers, exc_info=None)`; the names of the first two are nobody's business (PEP 3333:
/// "applications must invoke … using positional arguments").
fn start(
    start: &Bound<'_, Start>,
    args: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    let wrong =
        || PyTypeError::new_err("start_response takes status, headers and, at most, exc_info");
    let exc_info = match (args.len(), keywords) {
        (3, None) => Some(args.get_item(2)?),
        (2, None) => None,
        (2, Some(keywords)) if keywords.len() == 1 => {
            Some(keywords.get_item("exc_info")?.ok_or_else(wrong)?)
        }
        _ => return Err(wrong()),
    };
    let exc_info = exc_info.filter(|exc_info| !exc_info.is_none());
    let (status, headers) = (args.get_borrowed_item(0)?, args.get_borrowed_item(1)?);
    let own = start.get();
    own.response
        .get()
        .start(&status, &headers, exc_info.as_ref())?;
    Ok(own.write.clone_ref(start.py()))
}

/// `write(data)`.
fn write_piece(
    response: &Bound<'_, Response>,
    args: &Bound<'_, PyTuple>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Py<PyAny>> {
    if keywords.is_some() {
        return Err(PyTypeError::new_err("write() takes no keywords"));
    }
    let (data,): (Bound<'_, PyAny>,) = args.extract()?;
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
/// The interpreter lock is held; `context` is an object of class `T`, `args` a tuple, `keywords` a dict or null.
#[expect(unsafe_code, reason = "called by the interpreter")]
unsafe fn answer<T: PyClass>(
    context: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
    act: impl for<'py> FnOnce(
        &Bound<'py, T>,
        &Bound<'py, PyTuple>,
        Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Py<PyAny>>,
) -> *mut ffi::PyObject {
    // SAFETY: the caller holds the interpreter lock.
    let py = unsafe { Python::assume_attached() };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the caller vouches for the classes of the three; borrowed references are turned into owned ones.
        let (context, args, keywords) = unsafe {
            (
                Bound::from_borrowed_ptr(py, context).cast_into_unchecked::<T>(),
                Bound::from_borrowed_ptr(py, args).cast_into_unchecked::<PyTuple>(),
                Bound::from_borrowed_ptr_or_opt(py, keywords)
                    .map(|dict| dict.cast_into_unchecked::<PyDict>()),
            )
        };
        let keywords = keywords.filter(|keywords| !keywords.is_empty());
        act(&context, &args, keywords.as_ref())
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
