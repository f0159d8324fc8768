//! Requests that do not come to an end, one event for each of them, so that they can be searched for.

use tracing::{error, info};

use crate::supervisor::lifecycle::{ExitStatus, Running, WorkerTag};

/// They are past their deadline.
pub(super) fn harakiri(worker: &WorkerTag, requests: &[Running]) {
    let WorkerTag {
        slot,
        generation,
        pid,
    } = worker;
    for request in requests {
        let (age, limit) = (request.age.as_secs_f64(), request.limit.unwrap_or_default());
        error!(
            slot, generation, pid,
            thread = request.thread,
            request = %request.line,
            peer = %request.peer,
            age = %format_args!("{age:.1}s"),
            ?limit,
            "harakiri: a request is past its deadline, its worker is replaced"
        );
    }
}

/// They have no deadline, and nothing else is answered.
pub(super) fn stuck(worker: &WorkerTag, requests: &[Running]) {
    let WorkerTag {
        slot,
        generation,
        pid,
    } = worker;
    for request in requests {
        let age = request.age.as_secs_f64();
        error!(
            slot, generation, pid,
            thread = request.thread,
            request = %request.line,
            peer = %request.peer,
            age = %format_args!("{age:.1}s"),
            "a request does not come to an end"
        );
    }
}

/// What has become of their worker.
pub(super) fn harakiri_ended(worker: &WorkerTag, status: ExitStatus, killed: bool) {
    let WorkerTag {
        slot,
        generation,
        pid,
    } = worker;
    match (killed, status) {
        (true, _) => {
            error!(slot, generation, pid, %status, "harakiri: the worker was killed, its time was over");
        }
        (false, ExitStatus::Code(0)) => {
            info!(
                slot,
                generation, pid, "harakiri: the request came to an end, the worker has left"
            );
        }
        (false, status) => error!(slot, generation, pid, %status, "harakiri: the worker died"),
    }
}
