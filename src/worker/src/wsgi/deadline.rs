//! `environ["hostler.set_deadline"]`: how long the request may take from now on, said by the request itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
};

use super::exchange_link::Link;
use crate::control::Guard;

/// One per serving thread, used for request after request while the application does not keep it.
#[pyclass(frozen, name = "set_deadline", module = "hostler")]
pub(crate) struct SetDeadline {
    /// The request it belongs to; see [`Link`].
    serial: AtomicU64,
    link: Arc<Link>,
    guard: Arc<Guard>,
}

impl SetDeadline {
    pub(super) fn new(link: &Arc<Link>, guard: &Arc<Guard>) -> Self {
        Self {
            serial: AtomicU64::new(0),
            link: Arc::clone(link),
            guard: Arc::clone(guard),
        }
    }

    /// From now on it is about request `serial`.
    pub(super) fn renew(&self, serial: u64) {
        self.serial.store(serial, Ordering::Relaxed);
    }
}

#[pymethods]
impl SetDeadline {
    /// The request may take so many seconds from now, instead of limits.harakiri; None: as many as it likes.
    #[pyo3(signature = (seconds, /))]
    fn __call__(&self, py: Python<'_>, seconds: Option<f64>) -> PyResult<()> {
        let time = seconds
            .map(Duration::try_from_secs_f64)
            .transpose()
            .map_err(|error| PyValueError::new_err(error.to_string()))?;
        if time.is_some() {
            self.guard.start();
        }
        let serial = self.serial.load(Ordering::Relaxed);
        self.link
            .with(py, serial, |exchange| exchange.set_deadline(time))
            .ok_or_else(|| {
                PyRuntimeError::new_err("the request is over, it has no deadline any more")
            })
    }
}
