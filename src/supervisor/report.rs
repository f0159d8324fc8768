//! Turns reports into events of the log: a constant sentence, and fields.

mod late;

use std::time::Duration;

use tracing::{debug, error, info, warn};

use crate::{config::ByteSize, ipc::LoadFailure, scoreboard::Scoreboard};

pub(super) use late::slow;

use super::{
    lifecycle::{ExitStatus, Reason, Report, WorkerTag},
    memory,
    succession::Accession,
};

/// Logs one report. `running` tells what a worker was doing; `out_of_memory` that the kernel has just killed a process
/// of the service for want of memory.
pub(super) fn log(
    report: &Report,
    running: impl Fn(&WorkerTag) -> Option<String>,
    out_of_memory: bool,
) {
    match report {
        Report::Adapting { from, to } => info!(from, to, "the number of workers changes"),
        Report::BackingOff { generation, delay } => {
            warn!(
                generation,
                ?delay,
                "a process died early, waiting before the next one is made"
            );
        }
        Report::EvilReload { worker, rss, limit } => {
            let WorkerTag {
                slot,
                generation,
                pid,
            } = worker;
            let (rss, limit, requests) = (ByteSize(*rss), ByteSize(*limit), running(worker));
            error!(
                slot, generation, pid, %rss, %limit, requests,
                "a worker was killed, it had reached workers.evil-reload-on-rss"
            );
        }
        Report::Harakiri { worker, requests } => late::harakiri(worker, requests),
        Report::HarakiriEnded {
            worker,
            status,
            killed,
        } => late::harakiri_ended(worker, *status, *killed),
        Report::Idle { idle } => {
            info!(
                ?idle,
                "nothing to do, the service ends until the next connection"
            );
        }
        Report::ForkRefused { slot, reason } => error!(slot, %reason, "no worker was made"),
        // It has logged why, and the end of the reload tells it again.
        Report::HeirFailed(LoadFailure { reason, .. }) => {
            debug!(%reason, "the new supervisor cannot begin");
        }
        Report::Left { killed: 0 } => info!("this supervisor has finished, every request was"),
        Report::Left { killed } => warn!(
            killed,
            "this supervisor has finished, workers had to be killed"
        ),
        Report::LoadFailed(failure) => load_failed(failure),
        Report::LoadTimedOut { generation, limit } => {
            error!(
                generation,
                ?limit,
                "the application was not loaded within timeouts.start"
            );
        }
        Report::Loaded { generation, python } => {
            info!(generation, %python, "the zygote is ready");
        }
        Report::MemoryPressure { from, to } => warn!(from, to, "memory is short, a worker goes"),
        Report::Recycled { worker, reason } => recycled(worker, *reason),
        Report::ReloadFailed { reason } => {
            error!(%reason, "the reload failed, the previous generation serves on");
        }
        Report::Reloaded {
            generation,
            workers,
        } => info!(generation, workers, "ready after the reload"),
        Report::Reloading => info!("reloading"),
        Report::Serving {
            generation,
            workers,
        } => info!(generation, workers, "ready"),
        Report::Stuck { time } => {
            error!(
                ?time,
                "the site hangs: all threads are busy, and nothing was answered for timeouts.stuck"
            );
        }
        Report::StuckWorker { worker, requests } => late::stuck(worker, requests),
        Report::StartFailed { reason: _ } => error!("the service cannot start"),
        Report::Stopped { killed: 0 } => info!("stopped, every request was finished"),
        Report::Stopped { killed } => warn!(killed, "stopped, workers had to be killed"),
        Report::Stopping { workers, mercy } => info!(workers, ?mercy, "stopping"),
        Report::Succeeded(Accession {
            version,
            generation,
            workers,
        }) => info!(%version, generation, workers, "another supervisor has taken over"),
        Report::Unsupported(reason) => error!(%reason, "the interpreter cannot be used"),
        Report::WorkerDied {
            worker,
            status,
            serving,
        } => {
            died(worker, *status, *serving, running(worker), out_of_memory);
        }
        Report::WorkerEnded { worker, status } => {
            let WorkerTag {
                slot,
                generation,
                pid,
            } = worker;
            debug!(slot, generation, pid, %status, "a worker has ended as it was asked to");
        }
        Report::WorkerKilled { worker } => {
            let WorkerTag {
                slot,
                generation,
                pid,
            } = worker;
            let requests = running(worker);
            warn!(
                slot,
                generation, pid, requests, "a worker was killed, its time was over"
            );
        }
        Report::WorkerLeaves { worker } => {
            let WorkerTag {
                slot,
                generation,
                pid,
            } = worker;
            info!(
                slot,
                generation, pid, "a worker leaves by itself, it is replaced"
            );
        }
        Report::WorkerStopped { worker } => {
            let WorkerTag {
                slot,
                generation,
                pid,
            } = worker;
            let requests = running(worker);
            warn!(
                slot,
                generation,
                pid,
                requests,
                "a worker was stopped by a signal, its requests stand still until it gets SIGCONT"
            );
        }
        Report::WorkerContinued { worker } => {
            let WorkerTag {
                slot,
                generation,
                pid,
            } = worker;
            info!(slot, generation, pid, "a worker that was stopped goes on");
        }
        Report::WorkerServing {
            worker:
                WorkerTag {
                    slot,
                    generation,
                    pid,
                },
        } => {
            debug!(slot, generation, pid, "a worker serves");
        }
        Report::WorkerStartTimedOut {
            worker:
                WorkerTag {
                    slot,
                    generation,
                    pid,
                },
            limit,
        } => {
            error!(
                slot,
                generation,
                pid,
                ?limit,
                "a worker did not serve within timeouts.start"
            );
        }
        Report::ZygoteDied { generation, status } => {
            let hint = killer(*status, out_of_memory);
            error!(generation, %status, hint, "the process that loads the application died");
        }
        Report::ZygoteNotStarted { reason } => error!(%reason, "the interpreter cannot be started"),
    }
}

/// What the threads of a worker work on; `None` when that is nothing.
pub(super) fn running(scoreboard: &Scoreboard, slot: u32, now_us: u64) -> Option<String> {
    let threads = scoreboard.threads(slot).iter();
    let requests = threads
        .filter_map(|thread| thread.snapshot().running)
        .map(|request| {
            let seconds = now_us.saturating_sub(request.began_us) as f64 / 1e6;
            format!("{} from {} for {seconds:.1}s", request.line, request.peer)
        });
    let requests: Vec<String> = requests.collect();
    (!requests.is_empty()).then(|| requests.join("; "))
}

fn load_failed(LoadFailure { reason, traceback }: &LoadFailure) {
    let traceback = traceback.trim_end();
    let separator = if traceback.is_empty() { "" } else { "\n" };
    error!("the application cannot be loaded: {reason}{separator}{traceback}");
}

/// Logs the stacks that a worker has written, or why it has written none.
pub(super) fn stacks(worker: &WorkerTag, stacks: &str) {
    let WorkerTag {
        slot,
        generation,
        pid,
    } = worker;
    if stacks.is_empty() {
        let hint = memory::why_it_does_not_run(*pid);
        warn!(
            slot,
            generation, pid, hint, "a worker does not write the stacks of its threads"
        );
    } else {
        warn!(
            slot,
            generation,
            pid,
            traceback = stacks,
            "stacks of a worker's threads"
        );
    }
}

fn recycled(worker: &WorkerTag, reason: Reason) {
    let WorkerTag {
        slot,
        generation,
        pid,
    } = worker;
    match reason {
        Reason::AddressSpace { bytes, limit } => {
            let (bytes, limit) = (ByteSize(bytes), ByteSize(limit));
            info!(slot, generation, pid, %bytes, %limit, "a worker is replaced, it has reached workers.reload-on-as");
        }
        Reason::Asked => info!(slot, generation, pid, "a worker is replaced as asked"),
        Reason::Exhausted => {
            warn!(
                slot,
                generation, pid, "a worker is replaced, it was refused memory (limits.limit-as)"
            );
        }
        Reason::Lifetime { age, limit } => {
            let age = Duration::from_secs(age.as_secs());
            info!(
                slot,
                generation,
                pid,
                ?age,
                ?limit,
                "a worker is replaced, it has reached workers.max-worker-lifetime"
            );
        }
        Reason::Raised => info!(
            slot,
            generation,
            pid,
            "a worker is replaced, the application has raised an exception (workers.reload-on-exception)"
        ),
        Reason::Requests { count, limit } => {
            info!(
                slot,
                generation,
                pid,
                count,
                limit,
                "a worker is replaced, it has reached workers.max-requests"
            );
        }
        Reason::Rss { bytes, limit } => {
            let (bytes, limit) = (ByteSize(bytes), ByteSize(limit));
            info!(slot, generation, pid, %bytes, %limit, "a worker is replaced, it has reached workers.reload-on-rss");
        }
        Reason::Surplus => debug!(slot, generation, pid, "a worker is not needed any more"),
    }
}

/// What else can be said of a SIGKILL that we have not sent.
fn killer(status: ExitStatus, out_of_memory: bool) -> Option<&'static str> {
    match (status, out_of_memory) {
        (ExitStatus::Signal(libc::SIGKILL), true) => {
            Some("the kernel was out of memory (OOM killer)")
        }
        (ExitStatus::Signal(libc::SIGKILL), false) => {
            Some("somebody has sent it, or the kernel was out of memory: see its log")
        }
        _ => None,
    }
}

fn died(
    worker: &WorkerTag,
    status: ExitStatus,
    serving: bool,
    requests: Option<String>,
    out_of_memory: bool,
) {
    let hint = killer(status, out_of_memory);
    let WorkerTag {
        slot,
        generation,
        pid,
    } = worker;
    match (serving, status) {
        // Somebody has sent it SIGTERM, or the application has asked for its end.
        (true, ExitStatus::Code(0)) => {
            info!(
                slot,
                generation, pid, "a worker has ended by itself, it is replaced"
            );
        }
        (true, status) => {
            error!(slot, generation, pid, %status, hint, requests, "a worker died, it is replaced");
        }
        (false, status) => {
            error!(slot, generation, pid, %status, hint, "a worker died before it could serve");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_requests_are_listed_with_their_age() {
        let scoreboard = Scoreboard::create(2, 3).unwrap();
        assert_eq!(running(&scoreboard, 1, 0), None);
        scoreboard
            .thread(1, 0)
            .begin(1_000_000, 0, b"GET", b"/a", b"127.0.0.1:1");
        scoreboard
            .thread(1, 2)
            .begin(2_500_000, 0, b"POST", b"/b", b"@");
        let expected = "GET /a from 127.0.0.1:1 for 2.0s; POST /b from @ for 0.5s";
        assert_eq!(
            running(&scoreboard, 1, 3_000_000).as_deref(),
            Some(expected)
        );
    }
}
