//! `start_response` and the `write` that it returns (PEP 3333): checks what the application says and keeps it until
//! the first bytes of the body go out.

use std::{
    ffi::CStr,
    mem::take,
    ptr::null_mut,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use hostler::{
    protocol::http::response,
    serve::{Exchange, Progress, ResponseHead},
};
use pyo3::{
    PyClass,
    exceptions::{PyAssertionError, PyOSError, PyTypeError, PyValueError},
    ffi,
    prelude::*,
    types::{PyBytes, PyDict, PyList, PyTuple},
};
use tracing::warn;

use super::{exchange_link::Link, text::bytes_of};

/// What the application said of its response; the `self` of `write`.
#[pyclass(frozen, module = "_hostler")]
pub(crate) struct Response {
    /// Locked for moments in which no Python code runs.
    state: Mutex<State>,
    link: Arc<Link>,
}

#[derive(Default)]
struct State {
    /// The request it belongs to; see [`Link`].
    serial: u64,
    head: ResponseHead,
    started: bool,
}

/// The `self` of `start_response`, which has to return `write`.
#[pyclass(frozen, module = "_hostler")]
struct Start {
    response: Py<Response>,
    write: Py<PyAny>,
}

/// The two callables of one serving thread, used for request after request while the application keeps neither.
pub(crate) struct Callables {
    pub(crate) start_response: Py<PyAny>,
    start: Py<Start>,
}

impl Callables {
    pub(crate) fn new(py: Python<'_>, link: &Arc<Link>) -> PyResult<Self> {
        let response = Py::new(
            py,
            Response {
                state: Mutex::default(),
                link: Arc::clone(link),
            },
        )?;
        let write = function(py, c"write", write, response.as_any())?;
        let start = Py::new(py, Start { response, write })?;
        let start_response = function(py, c"start_response", start_response, start.as_any())?;
        Ok(Self {
            start_response,
            start,
        })
    }

    pub(crate) fn response(&self) -> &Response {
        self.start.get().response.get()
    }

    /// Whether the application holds one of them, so that neither may serve another request.
    #[expect(unsafe_code, reason = "pyo3 counts no references")]
    pub(crate) fn are_kept(&self) -> bool {
        // SAFETY: both objects are alive, and the interpreter lock is held as `call` holds it.
        unsafe {
            ffi::Py_REFCNT(self.start_response.as_ptr()) > 1
                || ffi::Py_REFCNT(self.start.get().write.as_ptr()) > 1
        }
    }
}

impl Response {
    /// Forgets the last request; from now on it is about request `serial`.
    pub(crate) fn renew(&self, serial: u64) {
        let mut state = self.state();
        state.serial = serial;
        state.started = false;
        clear(&mut state.head);
    }

    /// Commits what the application said, if that has not happened; `false` when it said nothing yet.
    pub(crate) fn commit(&self, exchange: &mut Exchange<'_>, length: Option<u64>) -> bool {
        let state = self.state();
        if state.started && !exchange.is_committed() {
            exchange.commit(&state.head, length);
        }
        state.started
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(
        &self,
        status: &Bound<'_, PyAny>,
        headers: &Bound<'_, PyAny>,
        again: bool,
    ) -> PyResult<()> {
        let (mut head, started) = {
            let mut state = self.state();
            (take(&mut state.head), state.started)
        };
        if started && !again {
            self.state().head = head;
            return Err(PyAssertionError::new_err(
                "start_response was called twice, the second time without exc_info",
            ));
        }
        clear(&mut head);
        let said = read_head(status, headers, &mut head);
        let mut state = self.state();
        state.started = said.is_ok();
        state.head = head;
        said
    }

    /// PEP 3333: "The write() callable … its single parameter is a bytestring to be written as part of the body".
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyBytes>) -> PyResult<()> {
        let serial = self.state().serial;
        let progress = self.link.with(py, serial, |exchange| {
            self.commit(exchange, None);
            exchange.write(data.as_bytes());
            match exchange.flush() {
                Progress::Full => py.detach(|| exchange.wait()),
                progress => progress,
            }
        });
        match progress {
            None => Err(PyOSError::new_err(
                "write() was called after the request was answered",
            )),
            Some(Progress::Gone) => Err(PyOSError::new_err("the client has gone")),
            Some(_) => Ok(()),
        }
    }
}

fn clear(head: &mut ResponseHead) {
    head.status.clear();
    head.lines.clear();
    head.facts = Default::default();
}

fn read_head(
    status: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    head: &mut ResponseHead,
) -> PyResult<()> {
    read_status(status, head)?;
    if let Ok(list) = headers.cast::<PyList>() {
        for field in list {
            read_header(&field, head)?;
        }
    } else if let Ok(tuple) = headers.cast::<PyTuple>() {
        for field in tuple {
            read_header(&field, head)?;
        }
    } else {
        let class = headers.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "the response headers must be a list of tuples, not {class}"
        )));
    }
    Ok(())
}

/// PEP 3333: "a string of the form "999 Message here"", without control characters.
fn read_status(status: &Bound<'_, PyAny>, head: &mut ResponseHead) -> PyResult<()> {
    let bytes = bytes_of(status, "the response status")?;
    let code = match &*bytes {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']
        | [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..] => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => 0,
    };
    if code == 0 || !response::is_value(&bytes) {
        let text = status.repr()?;
        return Err(PyValueError::new_err(format!(
            "the response status must look like '200 OK', not {text}"
        )));
    }
    head.status.extend_from_slice(&bytes);
    if bytes.len() == 3 {
        // RFC 9112 section 4: the blank after the code stays when there is no reason phrase.
        head.status.push(b' ');
    }
    head.facts.status = code;
    Ok(())
}

fn read_header(field: &Bound<'_, PyAny>, head: &mut ResponseHead) -> PyResult<()> {
    let pair = field.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
    let Some(pair) = pair else {
        let text = field.repr()?;
        return Err(PyTypeError::new_err(format!(
            "a response header must be a tuple of name and value, not {text}"
        )));
    };
    let (name, value) = (pair.get_borrowed_item(0)?, pair.get_borrowed_item(1)?);
    let name_bytes = bytes_of(&name, "the name of a response header")?;
    let value_bytes = bytes_of(&value, "the value of a response header")?;
    if !response::is_name(&name_bytes) {
        return Err(PyValueError::new_err(format!(
            "{} is no name for a response header",
            name.repr()?
        )));
    }
    if !response::is_value(&value_bytes) {
        let (name, value) = (name.repr()?, value.repr()?);
        return Err(PyValueError::new_err(format!(
            "response header {name} has control characters: {value}"
        )));
    }
    if note(&name_bytes, &value_bytes, head)? {
        response::header(&mut head.lines, &name_bytes, &value_bytes);
    }
    Ok(())
}

/// Keeps what the header says about framing; returns whether it is sent as it is.
fn note(name: &[u8], value: &[u8], head: &mut ResponseHead) -> PyResult<bool> {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    match name.len() {
        2 if is("TE") => return Ok(drop_hop_by_hop(name)),
        4 if is("Date") => head.facts.date = true,
        7 if is("Trailer") || is("Upgrade") => return Ok(drop_hop_by_hop(name)),
        10 if is("Connection") => {
            // Persistence is the server's matter, but an application that wants an end of it gets it.
            head.facts.close |= value.eq_ignore_ascii_case(b"close");
            return Ok(false);
        }
        10 if is("Keep-Alive") => return Ok(drop_hop_by_hop(name)),
        14 if is("Content-Length") => return note_length(value, head),
        16 if is("Proxy-Connection") => return Ok(drop_hop_by_hop(name)),
        17 if is("Transfer-Encoding") => head.facts.transfer_encoding = true,
        _ => {}
    }
    Ok(true)
}

fn note_length(value: &[u8], head: &mut ResponseHead) -> PyResult<bool> {
    let digits = std::str::from_utf8(value)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let length = digits.and_then(|text| text.parse().ok());
    match (length, head.facts.content_length) {
        (None, _) => {
            let text = value.escape_ascii();
            Err(PyValueError::new_err(format!(
                "the response's Content-Length is not a number: '{text}'"
            )))
        }
        (Some(length), Some(before)) if length != before => Err(PyValueError::new_err(format!(
            "the response has two different Content-Length headers, {before} and {length}"
        ))),
        (Some(_), Some(_)) => Ok(false),
        (Some(length), None) => {
            head.facts.content_length = Some(length);
            Ok(true)
        }
    }
}

/// PEP 3333, "Other HTTP Features": applications may not use hop-by-hop headers. Always false: it is not sent.
fn drop_hop_by_hop(name: &[u8]) -> bool {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        warn!(
            header = %name.escape_ascii(),
            "the application sets a header that only the server may set; such headers are dropped (told once)"
        );
    }
    false
}

/// A callable of the interpreter's own kind, which is called with less ado than a class with `__call__`.
fn function(
    py: Python<'_>,
    name: &'static CStr,
    call: ffi::PyCFunctionWithKeywords,
    context: &Py<PyAny>,
) -> PyResult<Py<PyAny>> {
    let definition = Box::leak(Box::new(ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer {
            PyCFunctionWithKeywords: call,
        },
        ml_flags: ffi::METH_VARARGS | ffi::METH_KEYWORDS,
        ml_doc: std::ptr::null(),
    }));
    #[expect(
        unsafe_code,
        reason = "pyo3 makes closures only, which cost more per call"
    )]
    // SAFETY: the definition lives for ever and its flags fit the function; `context` is alive and is kept alive by
    // the new object. The result is a new reference or null with an error set.
    unsafe {
        Bound::from_owned_ptr_or_err(
            py,
            ffi::PyCFunction_NewEx(definition, context.as_ptr(), null_mut()),
        )
        .map(Bound::unbind)
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
    unsafe {
        answer(
            context,
            args,
            keywords,
            |start: &Bound<'_, Start>, args, keywords| {
                let py = start.py();
                let wrong = || {
                    PyTypeError::new_err(
                        "start_response takes status, headers and, at most, exc_info",
                    )
                };
                if args.len() < 2 || args.len() > 3 {
                    return Err(wrong());
                }
                let exc_info = match (args.len(), keywords) {
                    (3, None) => Some(args.get_item(2)?),
                    (2, None) => None,
                    (2, Some(keywords)) if keywords.len() == 1 => {
                        Some(keywords.get_item("exc_info")?.ok_or_else(wrong)?)
                    }
                    _ => return Err(wrong()),
                };
                let exc_info = exc_info.filter(|exc_info| !exc_info.is_none());
                let (start, status, headers) = (
                    start.get(),
                    args.get_borrowed_item(0)?,
                    args.get_borrowed_item(1)?,
                );
                let response = start.response.get();
                if let Some(exc_info) = &exc_info {
                    response.raise_if_committed(py, exc_info)?;
                }
                response.start(&status, &headers, exc_info.is_some())?;
                Ok(start.write.clone_ref(py))
            },
        )
    }
}

impl Response {
    /// PEP 3333: "If exc_info is provided, and no HTTP headers have been output yet, start_response should replace
    /// the currently-stored HTTP response headers … if the headers have already been sent, it must raise".
    fn raise_if_committed(&self, py: Python<'_>, exc_info: &Bound<'_, PyAny>) -> PyResult<()> {
        let serial = self.state().serial;
        if !self
            .link
            .with(py, serial, |exchange| exchange.is_committed())
            .unwrap_or(true)
        {
            return Ok(());
        }
        let (_, value, traceback): (Bound<'_, PyAny>, Bound<'_, PyAny>, Bound<'_, PyAny>) =
            exc_info.extract()?;
        if value.is_none() {
            return Err(PyTypeError::new_err(
                "exc_info of start_response holds no exception",
            ));
        }
        Err(PyErr::from_value(
            value.call_method1("with_traceback", (traceback,))?,
        ))
    }
}

#[expect(unsafe_code, reason = "called by the interpreter")]
unsafe extern "C" fn write(
    context: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: as for `start_response`, with a `Response` as context.
    unsafe {
        answer(
            context,
            args,
            keywords,
            |response: &Bound<'_, Response>, args, keywords| {
                let py = response.py();
                let (data,) = match keywords {
                    None => args.extract::<(Bound<'_, PyAny>,)>()?,
                    Some(_) => return Err(PyTypeError::new_err("write() takes no keywords")),
                };
                let Ok(data) = data.cast::<PyBytes>() else {
                    let class = data.get_type().name()?.to_string();
                    return Err(PyTypeError::new_err(format!(
                        "write() takes bytes, not {class}"
                    )));
                };
                response.get().write(py, data)?;
                Ok(py.None())
            },
        )
    }
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
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: the caller vouches for the classes of the three; borrowed references are turned into owned ones.
        let (context, args, keywords) = unsafe {
            (
                Bound::from_borrowed_ptr(py, context).cast_into_unchecked::<T>(),
                Bound::from_borrowed_ptr(py, args).cast_into_unchecked::<PyTuple>(),
                Bound::from_borrowed_ptr_or_opt(py, keywords)
                    .map(|dict| dict.cast_into_unchecked::<PyDict>()),
            )
        };
        act(
            &context,
            &args,
            keywords.as_ref().filter(|keywords| !keywords.is_empty()),
        )
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
