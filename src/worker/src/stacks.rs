//! The stacks of all Python threads on demand, for the log of a worker that does not answer any more.
//!
//! `faulthandler` writes them from its own handler, in C and without the interpreter lock: what is wanted is what the
//! threads do just when one of them keeps that lock from everybody.

use std::os::fd::OwnedFd;

use hostler::sys::{self, STACKS_SIGNAL};
use pyo3::{prelude::*, types::PyDict};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// From now on the signal writes the stacks to `pipe`, and a last line after them.
pub(crate) fn write_to(py: Python<'_>, pipe: OwnedFd) -> PyResult<()> {
    // A supervisor that does not read must not make the handler wait.
    let flags = fcntl_getfl(&pipe).map_err(std::io::Error::from)?;
    fcntl_setfl(&pipe, flags | OFlags::NONBLOCK).map_err(std::io::Error::from)?;
    let pipe = sys::end_stacks(pipe)?;
    let options = PyDict::new(py);
    options.set_item("file", pipe)?;
    options.set_item("all_threads", true)?;
    options.set_item("chain", true)?;
    py.import("faulthandler")?
        .call_method("register", (STACKS_SIGNAL.as_raw(),), Some(&options))
        .map(drop)
}
