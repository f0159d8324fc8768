//! Waiting for one socket: the two places where a thread that runs the application waits for its client.

use std::{io, time::Duration};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use crate::serve::{connection::Connection, watch::Watch};

/// Waits until the connection's socket is ready for `what`, `timeout` at most (zero: for ever). A signal does not
/// count, unless it comes because the request was ended.
///
/// # Errors
/// `TimedOut`, also for a request that was ended; nothing else is expected of poll(2).
pub(super) fn await_socket(
    connection: &Connection,
    watch: &Watch,
    what: PollFlags,
    timeout: Duration,
) -> io::Result<()> {
    let limit = Timespec {
        tv_sec: timeout.as_secs() as i64,
        tv_nsec: i64::from(timeout.subsec_nanos()),
    };
    let limit = (!timeout.is_zero()).then_some(limit);
    loop {
        match poll(&mut [PollFd::new(&connection.socket, what)], limit.as_ref()) {
            Ok(0) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the client was silent for longer than timeouts.socket",
                ));
            }
            Ok(_) => return Ok(()),
            Err(Errno::INTR) if watch.is_ended() => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the request was ended because it took too long",
                ));
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
