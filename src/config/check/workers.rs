//! The rules of `[workers]`.

use super::{cheaper, problem, within};
use crate::config::{
    error::{Part, Problem},
    schema::{EventLoop, Workers},
    value::ByteSize,
};

/// The most greenlets. Each has its place in memory that is shared, and all of them are named in one message when all are
/// past their deadline.
const CONCURRENCY: u32 = 16_384;

pub(super) fn check(workers: &Workers) -> Result<(), Problem> {
    within(&["workers", "processes"], workers.processes, 1..=1024)?;
    within(&["workers", "threads"], workers.threads, 1..=1024)?;
    if workers.thread_stack != ByteSize(0) {
        let sizes = ByteSize(64 << 10)..=ByteSize(1 << 30);
        within(&["workers", "thread-stack"], workers.thread_stack, sizes)?;
    }
    deltas(workers)?;
    memory(workers)?;
    let at_once = workers.recycle_at_once;
    within(&["workers", "recycle-at-once"], at_once, 1..=1024)?;
    within(&["workers", "cpu-affinity"], workers.cpu_affinity, 0..=1024)?;
    let concurrency = workers.concurrency;
    within(&["workers", "concurrency"], concurrency, 1..=CONCURRENCY)?;
    if workers.event_loop == EventLoop::Gevent && workers.threads > 1 {
        let message =
            "gevent runs everything in one thread; remove `threads`, and set `concurrency`";
        return Err(problem(&["workers", "threads"], Part::Key, message));
    }
    if workers.event_loop == EventLoop::Threads
        && workers.concurrency != Workers::default().concurrency
    {
        let message =
            "it is about greenlets: set `loop = \"gevent\"` too, or `threads` instead of this";
        return Err(problem(&["workers", "concurrency"], Part::Key, message));
    }
    cheaper::check(&workers.cheaper, workers.processes)
}

/// A delta says how far apart the workers' limits lie, so it says nothing without one.
fn deltas(workers: &Workers) -> Result<(), Problem> {
    let requests = workers.max_requests_delta > 0 && workers.max_requests == 0;
    let lifetime =
        !workers.max_worker_lifetime_delta.0.is_zero() && workers.max_worker_lifetime.0.is_zero();
    let alone = [
        (requests, "max-requests-delta", "max-requests"),
        (lifetime, "max-worker-lifetime-delta", "max-worker-lifetime"),
    ];
    match alone.into_iter().find(|(alone, ..)| *alone) {
        Some((_, delta, base)) => {
            let message = format!("`{delta}` is added to `{base}`, which is not set; set it too");
            Err(problem(&["workers", delta], Part::Key, message))
        }
        None => Ok(()),
    }
}

/// The limit that lets requests finish is of no use when the other one strikes first.
fn memory(workers: &Workers) -> Result<(), Problem> {
    let (graceful, evil) = (workers.reload_on_rss, workers.evil_reload_on_rss);
    if evil == ByteSize(0) || graceful <= evil {
        return Ok(());
    }
    let message = format!(
        "`evil-reload-on-rss` kills at {evil}, before `reload-on-rss` ({graceful}) can do anything; make it the larger one"
    );
    let key = ["workers", "evil-reload-on-rss"];
    Err(problem(&key, Part::Value, message))
}
