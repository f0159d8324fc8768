//! The half of hostler that runs inside the site's own Python: the module `_hostler`.
//!
//! The supervisor starts the site's interpreter with a few lines that load this extension and call `zygote` with a
//! socket. From there: `zygote` imports the application and forks, `worker` is what comes of a fork, `serve` and
//! `wsgi` answer requests.

mod allocator;
mod app;
mod control;
mod forked;
mod green;
mod harakiri;
mod https;
mod limits;
mod loaded;
mod module;
mod output;
mod serve;
mod stacks;
mod threads;
mod traceback;
mod worker;
mod wsgi;
mod zygote;

use std::{
    error::Error,
    os::fd::{FromRawFd, IntoRawFd, OwnedFd},
};

use hostler::{ipc::Channel, sys};
use pyo3::{exceptions::PyRuntimeError, prelude::*};
use rustix::io::{FdFlags, fcntl_setfd};

#[pymodule]
fn _hostler(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(zygote_main, module)?)
}

/// Makes this process the zygote that speaks with the supervisor on descriptor `fd`. Returns only with an exception,
/// when it could not even start.
#[pyfunction(name = "zygote")]
fn zygote_main(py: Python<'_>, fd: i32) -> PyResult<()> {
    match zygote::run(py, channel(fd)?) {
        Ok(code) => sys::exit_without_cleanup(code),
        Err((error, channel)) => {
            // The lines that have called us tell the supervisor: the descriptor is theirs again.
            let _ = channel.into_fd().into_raw_fd();
            Err(PyRuntimeError::new_err(chain(&error)))
        }
    }
}

/// The channel that the supervisor left open over the exec; from now on it is close-on-exec like all others.
fn channel(fd: i32) -> PyResult<Channel> {
    if fd < 0 {
        return Err(PyRuntimeError::new_err(format!("{fd} is not a descriptor")));
    }
    #[expect(
        unsafe_code,
        reason = "a descriptor that was inherited has only its number"
    )]
    // SAFETY: the number is not -1, and the supervisor opened it for this process, in which nothing else knows it.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    fcntl_setfd(&fd, FdFlags::CLOEXEC).map_err(std::io::Error::from)?;
    Ok(Channel::from_fd(fd))
}

/// An error with its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
