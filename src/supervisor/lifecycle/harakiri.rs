//! The rules for requests past their deadline: told at length, with the stacks of all threads; the worker stops
//! accepting while its successor is made; its other requests may finish; then SIGKILL.
//!
//! The stacks are written before anything is done about them, since an exception in the stuck thread would change what
//! they show. Nobody is killed for a time in which this process itself did not run: then the workers probably did not
//! run either (a stopped process group, a machine that was paused). CLOCK_MONOTONIC, which all deadlines are of, does
//! not count the time that a machine is suspended.

use std::{collections::BTreeSet, time::Duration};

use super::{
    Action, Cause, Facts, Lifecycle, PATIENCE, Report, Running, Time, WorkerId, WorkerState,
};

/// How long a worker may take to write its stacks. It writes them in a signal handler, so that one which takes longer
/// does not run at all.
pub(super) const DUMPING: Duration = Duration::from_millis(500);

/// A worker with a request past its deadline.
#[derive(Debug)]
pub(super) struct Harakiri {
    /// Threads with such a request.
    threads: BTreeSet<u32>,
    /// Until when its stacks are waited for; `None`: it was told what to do.
    dump_until: Option<Time>,
    /// Its successor serves, so its time runs.
    is_hastened: bool,
}

/// A time in which this process did not run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stall {
    pub(super) end: Time,
    pub(super) length: Duration,
}

impl Stall {
    /// How much of a request's age it is.
    fn pardons(self, request: &Running, now: Time) -> Duration {
        let began = now.saturating_sub(request.age);
        match began < self.end {
            true => self.length,
            false => Duration::ZERO,
        }
    }
}

impl Lifecycle {
    /// Finds requests past their deadline.
    pub(super) fn judge(&mut self, id: WorkerId, facts: &Facts, now: Time) {
        let stall = self.stall;
        let pardon =
            |request: &Running| stall.map_or(Duration::ZERO, |it| it.pardons(request, now));
        let Some(worker) = self
            .workers
            .get_mut(&id)
            .filter(|worker| !worker.is_killed())
        else {
            return;
        };
        let known = worker.harakiri.as_ref().map(|known| &known.threads);
        let late: Vec<Running> = facts
            .running
            .iter()
            .filter(|request| {
                let limit = request.limit.map(|limit| limit + pardon(request));
                limit.is_some_and(|limit| request.age >= limit)
            })
            .filter(|request| known.is_none_or(|threads| !threads.contains(&request.thread)))
            .cloned()
            .collect();
        if !late.is_empty() {
            self.condemn(id, late, now);
        }
    }

    /// A worker has written its stacks, or has had the time to. Whoever sends it the signal may have them, too.
    pub(super) fn dumped(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let tag = worker.tag();
        let threads = worker.harakiri.as_mut().and_then(|harakiri| {
            harakiri.dump_until.take()?;
            Some(harakiri.threads.iter().copied().collect())
        });
        if self.tell_slow(id, threads.is_some()) {
            return;
        }
        self.act(Action::LogStacks { worker: id, tag });
        if let Some(threads) = threads {
            self.act(Action::Harakiri {
                worker: id,
                threads,
            });
        }
    }

    /// What follows from time, and from the successors being there.
    pub(super) fn continue_harakiri(&mut self, now: Time) {
        let over = self.workers.iter().filter(|(_, worker)| {
            let harakiri = worker.harakiri.as_ref();
            let slow = worker.slow.until();
            let due = harakiri
                .and_then(|it| it.dump_until)
                .into_iter()
                .chain(slow);
            due.min().is_some_and(|until| until <= now)
        });
        for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.dumped(id);
        }
        let number = self.current;
        if self.serving(number) < self.target(number) {
            return;
        }
        for worker in self.workers.values_mut() {
            let graceful = self.generations.get(&worker.generation);
            let graceful = graceful.map_or(Duration::ZERO, |found| found.plan.harakiri_graceful);
            if let (Some(harakiri), WorkerState::Leaving { deadline, .. }) =
                (&mut worker.harakiri, &mut worker.state)
                && harakiri.dump_until.is_none()
                && !harakiri.is_hastened
            {
                harakiri.is_hastened = true;
                *deadline = (now + graceful).min(*deadline);
            }
        }
    }

    fn condemn(&mut self, id: WorkerId, late: Vec<Running>, now: Time) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let (tag, number) = (worker.tag(), worker.generation);
        let threads: Vec<u32> = late.iter().map(|request| request.thread).collect();
        self.report(Report::Harakiri {
            worker: tag,
            requests: late,
        });
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if let Some(harakiri) = &mut worker.harakiri {
            harakiri.threads.extend(&threads);
            if harakiri.dump_until.is_none() {
                self.act(Action::Harakiri {
                    worker: id,
                    threads,
                });
            }
            return;
        }
        worker.harakiri = Some(Harakiri {
            threads: threads.into_iter().collect(),
            dump_until: Some(now + DUMPING),
            is_hastened: false,
        });
        worker.replacing = false;
        let graceful = self.generations.get(&number);
        let graceful = graceful.map_or(Duration::ZERO, |found| found.plan.harakiri_graceful);
        // At the latest: the successor may take its time, or never come.
        let latest = now + DUMPING + graceful + PATIENCE;
        worker.state = match worker.state {
            WorkerState::Leaving { deadline, killed } => WorkerState::Leaving {
                deadline: deadline.min(latest),
                killed,
            },
            WorkerState::Serving { .. } | WorkerState::Starting { .. } => WorkerState::Leaving {
                deadline: latest,
                killed: false,
            },
        };
        self.counters.add(Cause::Harakiri);
        self.act(Action::Dump {
            worker: id,
            pid: tag.pid,
        });
    }

    /// Whether a worker writes its stacks for this.
    pub(super) fn is_dumping_for_harakiri(&self, id: WorkerId) -> bool {
        let worker = self.workers.get(&id);
        let harakiri = worker.and_then(|worker| worker.harakiri.as_ref());
        harakiri.is_some_and(|harakiri| harakiri.dump_until.is_some())
    }

    /// When the next stacks are due.
    pub(super) fn dumps_due(&self) -> impl Iterator<Item = Time> {
        self.workers.values().flat_map(|worker| {
            let harakiri = worker.harakiri.as_ref();
            let harakiri = harakiri.and_then(|it| it.dump_until);
            harakiri.into_iter().chain(worker.slow.until())
        })
    }
}
