//! A greenlet waits for the client of its request, and lets the hub run meanwhile.
//!
//! No lock is held, and no exchange borrowed, while it waits: whatever else happens to the request meanwhile is seen
//! after, since the request is looked up anew.

use std::{
    io,
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hostler::{
    scoreboard::now_us,
    serve::{Exchange, Progress},
};
use pyo3::{intern, prelude::*};

use super::hub;
use crate::wsgi::{Link, StreamedBody};

/// How many greenlets wait for a client.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// Waits until the client has taken enough of what is kept for it, as [`Exchange::wait`] does.
///
/// # Errors
/// What was raised in the greenlet while it waited.
pub(crate) fn await_room(py: Python<'_>, link: &Arc<Link>, serial: u64) -> PyResult<Progress> {
    loop {
        let Some(client) = link.with(py, serial, |exchange| Client::of(exchange)) else {
            return Ok(Progress::Gone);
        };
        let since = now_us();
        let is_ready = client.wait(py, true)?;
        let progress = link.with(py, serial, |exchange| {
            exchange.note_client(since);
            match is_ready {
                true => exchange.go_on(),
                false => exchange.give_up(silent()),
            }
        });
        match progress {
            Some(Progress::Full) => {}
            progress => return Ok(progress.unwrap_or(Progress::Gone)),
        }
    }
}

/// Waits until the client has sent more of its body, or is gone. When the request is over it comes back at once.
///
/// # Errors
/// The outer one is what was raised in the greenlet while it waited, the inner one is the client's.
pub(crate) fn await_body(py: Python<'_>, body: &StreamedBody) -> PyResult<io::Result<()>> {
    let StreamedBody { link, serial, .. } = body;
    let Some(client) = link.with(py, *serial, |exchange| Client::of(exchange)) else {
        return Ok(Ok(()));
    };
    let since = now_us();
    let is_ready = client.wait(py, false)?;
    let outcome = match is_ready {
        true => Ok(()),
        false => Err(silent()),
    };
    link.with(py, *serial, |exchange| {
        exchange.note_client(since);
        if let Err(error) = &outcome {
            exchange.give_up_body(error);
        }
    });
    Ok(outcome)
}

/// The request is over: a greenlet of the application's that still waits for its client is told so.
pub(crate) fn end_waiting(py: Python<'_>, exchange: &Exchange<'_>) {
    if WAITING.load(Ordering::Relaxed) == 0 {
        return;
    }
    let client = Client::of(exchange);
    let ended =
        hub(py).and_then(|hub| hub.call_method1(intern!(py, "end_waiting"), (client.socket,)));
    if let Err(error) = ended {
        tracing::error!(%error, "a greenlet waits for a client that another request may have");
    }
}

struct Client {
    socket: i32,
    patience: Duration,
}

impl Client {
    fn of(exchange: &Exchange<'_>) -> Self {
        let (socket, patience) = exchange.client();
        Self {
            socket: socket.as_raw_fd(),
            patience,
        }
    }

    /// Gives whether the client was ready in time.
    fn wait(&self, py: Python<'_>, for_room: bool) -> PyResult<bool> {
        let arguments = (self.socket, for_room, self.patience.as_secs_f64());
        WAITING.fetch_add(1, Ordering::Relaxed);
        let waited =
            hub(py).and_then(|hub| hub.call_method1(intern!(py, "await_client"), arguments));
        WAITING.fetch_sub(1, Ordering::Relaxed);
        waited?.extract()
    }
}

fn silent() -> io::Error {
    io::Error::new(
        io::ErrorKind::TimedOut,
        "the client was silent for longer than timeouts.socket",
    )
}
