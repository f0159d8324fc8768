//! What the application did wrong, or had done to it, in one request: as text for the log, and as the status for the client.

use hostler::{journal, serve::Exchange};
use pyo3::{
    exceptions::{PyMemoryError, PyOSError},
    prelude::*,
};
use tracing::{error, info, warn};

use crate::{harakiri::HarakiriError, limits::Memory, traceback};

/// An exception of the application as text, so that it can be told of without the interpreter lock.
pub(super) enum Failure {
    /// The client has gone, and reading or writing said so: one line, since nobody is to blame.
    Deserted(String),
    /// The request was ended because it took too long; the traceback shows where the application was.
    Ended(String),
    /// The client has spoilt the request, and reading said so: one line, and the status that the client gets.
    Spoilt(String, u16),
    /// The worker can have no more memory, with the traceback.
    Exhausted(String),
    /// Anything else, with its traceback.
    Raised(String),
}

impl Failure {
    /// To be called with the interpreter lock; a worker without memory gets some for what follows.
    pub(super) fn new(
        py: Python<'_>,
        error: &PyErr,
        exchange: &Exchange<'_>,
        memory: &Memory,
    ) -> Self {
        if error.is_instance_of::<PyMemoryError>(py) {
            memory.make_room();
            Self::Exhausted(traceback::text(py, error))
        } else if error.is_instance_of::<HarakiriError>(py) {
            Self::Ended(traceback::text(py, error))
        } else if exchange.is_deserted() && error.is_instance_of::<PyOSError>(py) {
            Self::Deserted(traceback::summary(py, error))
        } else if let Some(status) = exchange.peers_fault()
            && error.is_instance_of::<PyOSError>(py)
        {
            Self::Spoilt(traceback::summary(py, error), status)
        } else {
            Self::Raised(traceback::text(py, error))
        }
    }

    /// The client gets it if it got nothing yet, else a connection that ends too early.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Spoilt(_, status) => *status,
            _ => 500,
        }
    }

    /// Says what happened, under the name of the request where a log has room for that.
    pub(super) fn report(&self, exchange: &mut Exchange<'_>) {
        let has_name = journal::has_fields() || exchange.names_requests();
        let request_id = has_name.then(|| exchange.request_id().to_owned());
        let request_id = request_id.as_deref();
        let request = exchange.request();
        let (method, target) = (
            request.method().escape_ascii(),
            request.target().escape_ascii(),
        );
        let peer = exchange.remote_addr();
        match self {
            Self::Deserted(error) => {
                info!(%method, %target, peer, request_id, error, "the client left before the application was done");
            }
            Self::Ended(traceback) => {
                error!(%method, %target, peer, request_id, traceback, "a request was ended because it took too long");
            }
            Self::Exhausted(traceback) | Self::Raised(traceback) => {
                error!(%method, %target, peer, request_id, traceback, "the application raised an exception");
            }
            Self::Spoilt(error, status) => {
                warn!(%method, %target, peer, request_id, error, status, "the client has spoilt its request");
            }
        }
    }
}
