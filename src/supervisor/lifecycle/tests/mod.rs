//! Each rule of the lifecycle, with invented times; here is the site that they are tried on.

mod adapt;
mod doze;
mod harakiri;
mod pressure;
mod recycle;
mod reload;
mod respawn;
mod slow;
mod start;
mod stop;
mod stuck;
mod succession;

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::{config::Settings, ipc::LoadFailure};

const START: Duration = Duration::from_secs(90);
const MERCY: Duration = Duration::from_secs(60);
const WORKER_MERCY: Duration = Duration::from_secs(20);
const CRASH: ExitStatus = ExitStatus::Signal(11);
const CLEAN: ExitStatus = ExitStatus::Code(0);

fn plan(processes: u32) -> Plan {
    let mut settings = Settings::default();
    settings.workers.processes = processes;
    Plan {
        start: START,
        reload_mercy: MERCY,
        worker_reload_mercy: WORKER_MERCY,
        ..Plan::from(&settings)
    }
}

fn failure() -> LoadFailure {
    LoadFailure {
        reason: "no module named shop".into(),
        traceback: "Traceback".into(),
    }
}

/// A supervisor whose processes are made up: it plays the zygotes' and the workers' part.
struct Site {
    lifecycle: Lifecycle,
    now: Time,
    last: Vec<Action>,
    all: Vec<Action>,
    /// What was asked for: worker, and where.
    forks: BTreeMap<WorkerId, (ZygoteId, u32)>,
    zygotes: Vec<ZygoteId>,
}

impl Site {
    fn new(processes: u32) -> Self {
        Self::of(plan(processes))
    }

    fn of(plan: Plan) -> Self {
        let (lifecycle, actions) = Lifecycle::start(plan, 1, 1, Time::ZERO);
        let mut site = Self {
            lifecycle,
            now: Time::ZERO,
            last: Vec::new(),
            all: Vec::new(),
            forks: BTreeMap::new(),
            zygotes: Vec::new(),
        };
        site.note(actions);
        site
    }

    /// One that serves with all its workers, 100 s after its start.
    fn serving(processes: u32) -> Self {
        Self::serving_with(plan(processes))
    }

    fn serving_with(plan: Plan) -> Self {
        let mut site = Self::of(plan);
        site.load_last_zygote();
        site.make_ready_all();
        assert!(site.did(&Action::Notify(Notice::Ready)));
        site.now += Duration::from_secs(100);
        // A look is being made, and the tests tell what it shows when they want to.
        site.lifecycle.looking = Looking {
            due: None,
            last: site.now,
            cycle: site.now,
            ..Looking::default()
        };
        site.all.clear();
        site
    }

    /// A look, in which these workers are as said.
    fn look(&mut self, workers: &[(u64, Facts)]) {
        let workers = workers.iter().cloned();
        let workers = workers.map(|(id, facts)| (WorkerId(id), facts)).collect();
        self.step(Event::Looked(Look { workers, queue: 0 }));
    }

    /// A second passes, and then comes a look.
    fn next_look(&mut self, workers: &[(u64, Facts)]) {
        self.wait(Duration::from_secs(1));
        self.look(workers);
    }

    /// One in the middle of a reload: the new zygote has just been started.
    fn reloading(processes: u32, next: u32) -> Self {
        let mut site = Self::serving(processes);
        site.step(Event::ReloadRequested);
        site.step(Event::SettingsRead(Ok(Box::new(plan(next)))));
        site.spawn_last_zygote();
        site
    }

    fn note(&mut self, actions: Vec<Action>) {
        for action in &actions {
            match action {
                Action::Fork {
                    zygote,
                    worker,
                    slot,
                    ..
                } => {
                    self.forks.insert(*worker, (*zygote, *slot));
                }
                Action::Spawn { zygote, .. } => self.zygotes.push(*zygote),
                _ => {}
            }
        }
        self.all.extend(actions.iter().cloned());
        self.last = actions;
    }

    fn step(&mut self, event: Event) {
        let actions = self.lifecycle.step(event, self.now);
        self.note(actions);
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.step(Event::Tick);
    }

    fn zygote(&self) -> ZygoteId {
        *self.zygotes.last().unwrap()
    }

    fn zygote_pid(id: ZygoteId) -> i32 {
        1000 + id.0 as i32
    }

    fn worker_pid(id: WorkerId) -> i32 {
        2000 + id.0 as i32
    }

    fn spawn_last_zygote(&mut self) {
        let zygote = self.zygote();
        self.step(Event::Spawned {
            zygote,
            pid: Self::zygote_pid(zygote),
        });
    }

    fn load_last_zygote(&mut self) {
        self.spawn_last_zygote();
        let zygote = self.zygote();
        self.step(Event::Loaded {
            zygote,
            python: "3.13".into(),
        });
    }

    fn fork(&mut self, worker: WorkerId) {
        let (zygote, slot) = self.forks[&worker];
        self.step(Event::Forked {
            zygote,
            slot,
            pid: Self::worker_pid(worker),
        });
    }

    fn make_ready(&mut self, worker: WorkerId) {
        self.fork(worker);
        self.step(Event::WorkerReady { worker, pid: None });
    }

    /// Every worker that was asked for last becomes ready.
    fn make_ready_all(&mut self) {
        for worker in self.asked() {
            self.make_ready(worker);
        }
    }

    /// They say that they accept nothing more.
    fn quiet(&mut self, ids: &[u64]) {
        ids.iter()
            .for_each(|id| self.step(Event::WorkerDraining(WorkerId(*id))));
    }

    fn worker_exits(&mut self, worker: WorkerId, status: ExitStatus) {
        self.step(Event::Exited {
            pid: Self::worker_pid(worker),
            status,
        });
    }

    fn zygote_exits(&mut self, zygote: ZygoteId, status: ExitStatus) {
        self.step(Event::Exited {
            pid: Self::zygote_pid(zygote),
            status,
        });
    }

    /// Workers asked for by the last step.
    fn asked(&self) -> Vec<WorkerId> {
        let forks = self.last.iter().filter_map(|action| match action {
            Action::Fork { worker, .. } => Some(*worker),
            _ => None,
        });
        forks.collect()
    }

    /// Workers told to drain by the last step.
    fn drained(&self) -> Vec<u64> {
        let drains = self.last.iter().filter_map(|action| match action {
            Action::Drain(worker) => Some(worker.0),
            _ => None,
        });
        drains.collect()
    }

    /// Processes killed by the last step.
    fn killed(&self) -> Vec<i32> {
        let kills = self.last.iter().filter_map(|action| match action {
            Action::Kill { pid } => Some(*pid),
            _ => None,
        });
        kills.collect()
    }

    fn did(&self, action: &Action) -> bool {
        self.last.contains(action)
    }

    fn reported(&self, matches: impl Fn(&Report) -> bool) -> bool {
        self.last
            .iter()
            .any(|action| matches!(action, Action::Report(report) if matches(report)))
    }
}

fn workers(ids: &[u64]) -> Vec<WorkerId> {
    ids.iter().copied().map(WorkerId).collect()
}
