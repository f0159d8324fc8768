//! Turns reports into events of the log: a constant sentence, and fields.

use tracing::{debug, error, info, warn};

use crate::{ipc::LoadFailure, scoreboard::Scoreboard};

use super::lifecycle::{ExitStatus, Report, WorkerTag};

/// Logs one report. `running` tells what a worker was doing.
pub(super) fn log(report: &Report, running: impl Fn(&WorkerTag) -> Option<String>) {
    match report {
        Report::BackingOff { generation, delay } => {
            warn!(
                generation,
                ?delay,
                "a process died early, waiting before the next one is made"
            );
        }
        Report::ForkRefused { slot, reason } => error!(slot, %reason, "no worker was made"),
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
        Report::ReloadFailed { reason } => {
            error!(%reason, "the reload failed, the previous generation serves on");
        }
        Report::Reloaded {
            generation,
            workers,
        } => info!(generation, workers, "ready after the reload"),
        Report::Reloading => info!("reloading"),
        Report::Serving { workers } => info!(generation = 1, workers, "ready"),
        Report::StartFailed => error!("the service cannot start"),
        Report::Stopped { killed: 0 } => info!("stopped, every request was finished"),
        Report::Stopped { killed } => warn!(killed, "stopped, workers had to be killed"),
        Report::Stopping { workers, mercy } => info!(workers, ?mercy, "stopping"),
        Report::Unsupported(reason) => error!(%reason, "the interpreter cannot be used"),
        Report::WorkerDied {
            worker,
            status,
            serving,
        } => {
            died(worker, *status, *serving, running(worker));
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
            error!(generation, %status, "the process that loads the application died");
        }
        Report::ZygoteNotStarted { reason } => {
            error!(%reason, "the interpreter cannot be started");
        }
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

fn died(worker: &WorkerTag, status: ExitStatus, serving: bool, requests: Option<String>) {
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
            error!(slot, generation, pid, %status, requests, "a worker died, it is replaced");
        }
        (false, status) => {
            error!(slot, generation, pid, %status, "a worker died before it could serve");
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
