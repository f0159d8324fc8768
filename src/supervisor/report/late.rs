//! Requests that do not come to an end, one event for each of them, so that they can be searched for.

use tracing::{error, info, warn};

use crate::supervisor::{
    lifecycle::{ExitStatus, Running, WorkerTag},
    memory,
};

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

/// It has crossed the line of `log.slow`; `stack` is what its thread was doing then, empty if it did not say so; `None`: it
/// has ended meanwhile.
pub(in crate::supervisor) fn slow(worker: &WorkerTag, request: &Running, stack: Option<&str>) {
    let WorkerTag {
        slot,
        generation,
        pid,
    } = worker;
    let (method, target) = request.line.split_once(' ').unwrap_or((&request.line, ""));
    let name = (!request.name.is_empty()).then_some(request.name.as_str());
    let hint = stack
        .filter(|stack| stack.is_empty())
        .and_then(|_| memory::why_it_does_not_run(*pid));
    let age = request.age.as_secs_f64();
    warn!(
        worker = slot, generation, pid,
        thread = request.thread,
        http_method = method,
        request_uri = target,
        remote_addr = %request.peer,
        request_id = name,
        age = %format_args!("{age:.1}s"),
        hint,
        traceback = stack.filter(|stack| !stack.is_empty()),
        "a request is slow"
    );
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
