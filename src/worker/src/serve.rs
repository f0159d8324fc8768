//! Serving requests: stands here until the engine does.

use hostler::ipc::{FromWorker, ToWorker};
use pyo3::prelude::*;

use crate::worker::WorkerContext;

/// Waits for the end.
pub(crate) fn run(py: Python<'_>, context: WorkerContext) -> i32 {
    let ready = context.control.send(&FromWorker::Ready, &[]);
    if let Err(error) = ready {
        tracing::error!(error = %crate::chain(&error), "cannot report to the supervisor");
        return 1;
    }
    match py.detach(|| context.control.recv::<ToWorker>()) {
        Ok(_) => 0,
        Err(_) => 1,
    }
}
