//! Between bytes of the wire and Python's `str`, which in WSGI holds Latin-1 (PEP 3333, "Unicode Issues").

use std::{borrow::Cow, ffi::c_char, ptr::null};

use pyo3::{exceptions::PyTypeError, ffi, prelude::*, types::PyBytes};

#[expect(unsafe_code, reason = "declares a function of the interpreter")]
unsafe extern "C" {
    // Every CPython since 3.3 exports it; the stable interface names it from 3.10 on only, hence not in `pyo3::ffi`
    // for the 3.9 that we build for. For ASCII, which nearly every header is, it hands out the string's own memory.
    fn PyUnicode_AsUTF8AndSize(
        unicode: *mut ffi::PyObject,
        size: *mut ffi::Py_ssize_t,
    ) -> *const c_char;
}

/// A new `str` with one character for each byte.
#[expect(unsafe_code, reason = "the hot path of every request")]
pub(crate) fn latin1<'py>(py: Python<'py>, bytes: &[u8]) -> Bound<'py, PyAny> {
    // SAFETY: pointer and length are those of a slice, errors may be null (strict; Latin-1 has none). The result is a
    // new reference; it is null only when memory has run out, which panics, as everywhere in Rust.
    unsafe {
        let length = bytes.len() as ffi::Py_ssize_t;
        Bound::from_owned_ptr(
            py,
            ffi::PyUnicode_DecodeLatin1(bytes.as_ptr().cast(), length, null()),
        )
    }
}

/// The bytes of a `str`, borrowed from it where it is ASCII.
///
/// # Errors
/// It is no `str` (`TypeError`, with `what` in the message), or it has characters above U+00FF (`UnicodeEncodeError`).
pub(crate) fn bytes_of<'a>(text: &'a Bound<'_, PyAny>, what: &str) -> PyResult<Cow<'a, [u8]>> {
    let py = text.py();
    if !is_str(text) {
        let class = text.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "{what} must be a str, not {class}"
        )));
    }
    let mut size = 0;
    #[expect(unsafe_code, reason = "the hot path of every request")]
    // SAFETY: `text` is a str. The memory that is handed out belongs to it, and it is borrowed for as long.
    unsafe {
        let utf8 = PyUnicode_AsUTF8AndSize(text.as_ptr(), &mut size);
        if !utf8.is_null() && size == ffi::PyUnicode_GetLength(text.as_ptr()) {
            return Ok(Cow::Borrowed(std::slice::from_raw_parts(
                utf8.cast(),
                size as usize,
            )));
        }
        // Lone surrogates have no UTF-8; Latin-1 says below what is wrong with them.
        ffi::PyErr_Clear();
        let encoded =
            Bound::from_owned_ptr_or_err(py, ffi::PyUnicode_AsLatin1String(text.as_ptr()))?;
        Ok(Cow::Owned(
            encoded.cast_into_unchecked::<PyBytes>().as_bytes().to_vec(),
        ))
    }
}

#[expect(unsafe_code, reason = "the hot path of every request")]
fn is_str(text: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the object is alive.
    unsafe { ffi::PyUnicode_Check(text.as_ptr()) != 0 }
}
