//! The rules for workers: as many as the settings say, each replaced when it dies, each killed when its time is over.

use crate::ipc::LoadFailure;

use super::{
    Action, Allowance, Cause, ExitStatus, FAILURE, Lifecycle, PATIENCE, Phase, Reason, Report,
    Slow, Time, Worker, WorkerId, WorkerState, WorkerTag, ZygoteId,
};

impl Lifecycle {
    /// Asks for as many workers of a generation as are missing, if it may now.
    pub(super) fn fill(&mut self, number: u32, wanted: u32, now: Time) {
        let Some(generation) = self.generations.get(&number) else {
            return;
        };
        let (slots, limit) = (generation.plan.slots, generation.plan.start);
        let recycling = generation.plan.recycling.clone();
        let Some(zygote) = self
            .ready_zygote(number)
            .filter(|_| !generation.backoff.waits(now))
        else {
            return;
        };
        for _ in self.staying(number)..wanted {
            let taken = |slot: &u32| self.workers_of(number).any(|worker| worker.slot == *slot);
            let Some(slot) = (0..slots).find(|slot| !taken(slot)) else {
                return;
            };
            self.last_worker += 1;
            let id = WorkerId(self.last_worker);
            let state = WorkerState::Starting {
                deadline: now + limit,
            };
            let worker = Worker {
                generation: number,
                slot,
                zygote,
                pid: None,
                cut_off: false,
                quiet: false,
                is_stopped: false,
                state,
                born: now,
                allowance: Allowance::choose(&recycling, &mut self.jitter),
                due: None,
                replacing: false,
                harakiri: None,
                slow: Slow::default(),
                born_heavy: None,
                answered: 0,
                is_busy: false,
                counted: Default::default(),
            };
            self.workers.insert(id, worker);
            self.act(Action::Fork {
                zygote,
                generation: number,
                worker: id,
                slot,
            });
        }
    }

    pub(super) fn forked(&mut self, zygote: ZygoteId, slot: u32, pid: i32, now: Time) {
        let Some(id) = self.requested(zygote, slot) else {
            return;
        };
        self.set_pid(id, pid, now);
    }

    pub(super) fn fork_refused(&mut self, zygote: ZygoteId, slot: u32, reason: String, now: Time) {
        let Some(id) = self.requested(zygote, slot) else {
            return;
        };
        self.report(Report::ForkRefused {
            slot,
            reason: reason.clone(),
        });
        self.worker_lost(id, &reason, None, now);
    }

    pub(super) fn worker_ready(&mut self, id: WorkerId, pid: Option<i32>, now: Time) {
        if let (Some(pid), None) = (pid, self.workers.get(&id).and_then(|worker| worker.pid)) {
            self.set_pid(id, pid, now);
        }
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if matches!(worker.state, WorkerState::Starting { .. }) {
            worker.state = WorkerState::Serving { since: now };
            let worker = worker.tag();
            self.report(Report::WorkerServing { worker });
            self.look_at_newcomers(now);
        }
    }

    /// It ends by itself now.
    pub(super) fn worker_failed(&mut self, id: WorkerId, failure: LoadFailure, now: Time) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let number = worker.generation;
        worker.state = WorkerState::Leaving {
            deadline: now + PATIENCE,
            killed: false,
        };
        let reason = failure.reason.clone();
        self.report(Report::LoadFailed(failure));
        self.generation_failed(number, &reason, FAILURE, now);
        self.back_off(number, None, now);
    }

    pub(super) fn worker_exited(&mut self, id: WorkerId, status: ExitStatus, now: Time) {
        let Some(worker) = self.workers.get(&id) else {
            return;
        };
        let tag = worker.tag();
        match worker.state {
            WorkerState::Leaving { killed, .. } => {
                let was_harakiri = worker.harakiri.is_some();
                let worker = tag;
                self.report(match was_harakiri {
                    true => Report::HarakiriEnded {
                        worker,
                        status,
                        killed,
                    },
                    false => Report::WorkerEnded { worker, status },
                });
                self.forget_worker(id);
            }
            WorkerState::Serving { since } => {
                self.count_death(status);
                self.report(Report::WorkerDied {
                    worker: tag,
                    status,
                    serving: true,
                });
                let lived = now.saturating_sub(since);
                self.forget_worker(id);
                self.back_off(tag.generation, Some(lived), now);
            }
            WorkerState::Starting { .. } => {
                self.count_death(status);
                self.report(Report::WorkerDied {
                    worker: tag,
                    status,
                    serving: false,
                });
                let reason = format!("a worker died before it could serve ({status})");
                self.worker_lost(id, &reason, None, now);
            }
        }
    }

    /// It accepts nothing, so that there is one too few. Its requests have their deadlines.
    pub(super) fn stopped(&mut self, pid: i32) {
        if let Some(worker) = self.set_stopped(pid, true) {
            self.report(Report::WorkerStopped { worker });
        }
    }

    /// Now there may be one too many.
    pub(super) fn continued(&mut self, pid: i32) {
        if let Some(worker) = self.set_stopped(pid, false) {
            self.report(Report::WorkerContinued { worker });
        }
    }

    fn set_stopped(&mut self, pid: i32, is_stopped: bool) -> Option<WorkerTag> {
        let mut workers = self.workers.values_mut();
        let worker = workers.find(|worker| worker.pid == Some(pid))?;
        worker.is_stopped = is_stopped;
        Some(worker.tag())
    }

    pub(super) fn control_closed(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.cut_off = true;
        }
    }

    /// One that was not asked to has had a signal, or its application wants it to end: the successor need not wait
    /// until the last request is finished.
    pub(super) fn worker_draining(&mut self, id: WorkerId, now: Time) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        worker.quiet = true;
        let WorkerState::Serving { since } = worker.state else {
            return;
        };
        let number = worker.generation;
        let mercy = self.generations.get(&number);
        let mercy = mercy.map_or(PATIENCE, |found| found.plan.worker_reload_mercy);
        worker.state = WorkerState::Leaving {
            deadline: now + mercy,
            killed: false,
        };
        worker.replacing = false;
        let reason = worker.due.unwrap_or(Reason::Asked);
        let worker = worker.tag();
        self.counters.add(reason.cause());
        self.report(Report::WorkerLeaves { worker });
        self.back_off(number, Some(now.saturating_sub(since)), now);
    }

    /// A worker whose process was not told, and whose zygote can tell it no more, does not exist when its control
    /// socket is closed.
    pub(super) fn forget_unmade(&mut self, now: Time) {
        let zygotes: Vec<ZygoteId> = self
            .generations
            .values()
            .filter_map(|generation| Some(generation.zygote.as_ref()?.id))
            .collect();
        let unmade = |worker: &Worker| {
            worker.pid.is_none() && worker.cut_off && !zygotes.contains(&worker.zygote)
        };
        let ids = self
            .workers
            .iter()
            .filter(|(_, worker)| unmade(worker))
            .map(|(id, _)| *id);
        for id in ids.collect::<Vec<_>>() {
            self.worker_lost(id, "a worker was not made, its zygote died", None, now);
        }
    }

    /// Lets a worker finish its requests, until `deadline` at the latest.
    pub(super) fn drain(&mut self, id: WorkerId, deadline: Time) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        match &mut worker.state {
            WorkerState::Leaving {
                deadline: earlier, ..
            } => *earlier = deadline.min(*earlier),
            state => {
                *state = WorkerState::Leaving {
                    deadline,
                    killed: false,
                };
                self.act(Action::Drain(id));
            }
        }
    }

    /// Gives up on workers that take too long to serve.
    pub(super) fn expire_starts(&mut self, now: Time) {
        let late = self
            .workers
            .iter()
            .filter_map(|(id, worker)| match worker.state {
                WorkerState::Starting { deadline } if deadline <= now => Some((*id, worker.tag())),
                _ => None,
            });
        for (id, tag) in late.collect::<Vec<_>>() {
            self.start_timed_out(id, tag, now);
        }
    }

    /// Kills whoever was asked to go and has had its time.
    pub(super) fn kill_overdue_workers(&mut self, now: Time) {
        let overdue = self
            .workers
            .iter()
            .filter_map(|(id, worker)| match worker.state {
                WorkerState::Leaving {
                    deadline,
                    killed: false,
                } if deadline <= now => Some(*id),
                _ => None,
            });
        for id in overdue.collect::<Vec<_>>() {
            self.kill_worker(id);
        }
    }

    fn start_timed_out(&mut self, id: WorkerId, worker: WorkerTag, now: Time) {
        let number = worker.generation;
        let limit = self
            .generations
            .get(&number)
            .map_or(PATIENCE, |found| found.plan.start);
        self.report(Report::WorkerStartTimedOut { worker, limit });
        self.drain(id, now);
        let reason = format!("a worker did not serve within {limit:?}");
        self.generation_failed(number, &reason, FAILURE, now);
        self.back_off(number, None, now);
    }

    /// A worker without a known process is told by the end of its control socket.
    fn kill_worker(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        let WorkerState::Leaving { deadline, .. } = worker.state else {
            return;
        };
        worker.state = WorkerState::Leaving {
            deadline,
            killed: true,
        };
        let tag = worker.tag();
        let Some(pid) = worker.pid else {
            return self.forget_worker(id);
        };
        let was_harakiri = worker.harakiri.is_some();
        self.act(Action::Kill { pid });
        // The end of the other kind is told when it has come.
        if !was_harakiri {
            self.report(Report::WorkerKilled { worker: tag });
        }
        if let Phase::Stopping { killed, .. } = &mut self.phase {
            *killed += 1;
        }
    }

    fn worker_lost(&mut self, id: WorkerId, reason: &str, lived: Option<Time>, now: Time) {
        let Some(number) = self.workers.get(&id).map(|worker| worker.generation) else {
            return;
        };
        self.forget_worker(id);
        self.generation_failed(number, reason, FAILURE, now);
        self.back_off(number, lived, now);
    }

    /// A death that nobody has asked for.
    fn count_death(&mut self, status: ExitStatus) {
        self.counters.add(match status {
            ExitStatus::Code(0) => Cause::Asked,
            ExitStatus::Code(_) | ExitStatus::Signal(_) => Cause::Crash,
        });
    }

    fn forget_worker(&mut self, id: WorkerId) {
        self.workers.remove(&id);
        self.act(Action::ForgetWorker(id));
    }

    /// The worker may be dead already: then its exit was taken for a stranger's.
    fn set_pid(&mut self, id: WorkerId, pid: i32, now: Time) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.pid = Some(pid);
        }
        if let Some(at) = self.strays.iter().position(|(stray, _)| *stray == pid) {
            let (_, status) = self.strays.swap_remove(at);
            self.worker_exited(id, status, now);
        }
    }

    fn requested(&self, zygote: ZygoteId, slot: u32) -> Option<WorkerId> {
        let asked = |worker: &Worker| worker.zygote == zygote && worker.slot == slot;
        let found = self
            .workers
            .iter()
            .find(|(_, worker)| asked(worker) && worker.pid.is_none());
        found.map(|(id, _)| *id)
    }
}

impl Worker {
    /// Whether it takes its share of the connections.
    pub(super) fn accepts(&self) -> bool {
        matches!(self.state, WorkerState::Serving { .. }) && !self.is_stopped
    }

    /// Whether SIGKILL is on its way.
    pub(super) fn is_killed(&self) -> bool {
        matches!(self.state, WorkerState::Leaving { killed: true, .. })
    }

    pub(super) fn tag(&self) -> WorkerTag {
        WorkerTag {
            slot: self.slot,
            generation: self.generation,
            pid: self.pid.unwrap_or_default(),
        }
    }
}
