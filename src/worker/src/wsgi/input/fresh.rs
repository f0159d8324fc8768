//! `bytes` objects that are filled by whoever has the bytes, without a buffer before them and without zeroes under them.
//!
//! pyo3 zeroes an object before it lets anybody write to it, which is lost time where a system call writes over it all.
//! What the bytes are does not belong here.

use std::{mem::MaybeUninit, ptr, slice};

use hostler::sys::Room;
use pyo3::{ffi, prelude::*, types::PyBytes};

/// An object of what `fill` puts into a room of `size` bytes. A room that was not filled is not kept: a shorter object is
/// made of what is in it.
///
/// # Errors
/// Those of `fill`. Unlike `PyBytes::new` it leaves a lack of memory to the application, whose call asked for so much.
#[expect(unsafe_code, reason = "pyo3 has no safe way to such an object")]
pub(super) fn fresh_bytes<'py>(
    py: Python<'py>,
    size: usize,
    fill: impl FnOnce(&mut Room<'_>) -> PyResult<()>,
) -> PyResult<Bound<'py, PyBytes>> {
    // SAFETY: without a pointer it makes an object of bytes that are not initialised, or none if they are too many; the
    // reference is ours, and the type is the one that the function is named after.
    let object = unsafe {
        let object = ffi::PyBytes_FromStringAndSize(ptr::null(), size as ffi::Py_ssize_t);
        Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyBytes>()
    };
    // SAFETY: so many bytes lie there as long as the object lives, which is longer than the room. Its only reference is
    // ours, so that nobody else reads or writes them; of no bytes there may be other owners, who have nothing to read.
    let memory: &mut [MaybeUninit<u8>] =
        unsafe { slice::from_raw_parts_mut(ffi::PyBytes_AsString(object.as_ptr()).cast(), size) };
    let whole: *const [u8] = ptr::slice_from_raw_parts(memory.as_ptr().cast(), size);
    let mut room = Room::new(memory);
    fill(&mut room)?;
    // Python sees the object only if this very memory is filled to its end.
    match ptr::eq(room.filled(), whole) {
        true => Ok(object),
        false => copied(py, room.filled()),
    }
}

/// An object of bytes that are elsewhere.
///
/// # Errors
/// Memory has run out, see [`fresh_bytes`].
pub(super) fn copied<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    fresh_bytes(py, bytes.len(), |room| {
        room.push(bytes);
        Ok(())
    })
}
