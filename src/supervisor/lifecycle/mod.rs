//! Every rule about start, respawn, reload, drain and kill, as a pure function of what happened and when.
//!
//! [`Lifecycle::step`] takes an event and answers with actions; it knows no process, no socket and no clock, so that
//! each rule is tested with invented times. A generation is the settings and the code of one (re)load: one zygote and
//! the workers forked from it. There is the current one, during a reload the next one, and old ones whose workers
//! still drain. The rules of each part are in the files beside this one; `settle` joins them.

mod backoff;
mod counters;
mod doze;
mod event;
mod harakiri;
mod jitter;
mod look;
mod plan;
mod pressure;
mod recycle;
mod reload;
mod report;
mod settle;
mod slow;
mod status;
mod stop;
mod stuck;
mod succession;
#[cfg(test)]
mod tests;
mod worker;
mod zygote;

use std::{collections::BTreeMap, time::Duration};

use super::cheaper::Cheaper;

use self::{
    backoff::Backoff,
    harakiri::{Harakiri, Stall},
    jitter::Jitter,
    look::Looking,
    recycle::Allowance,
    slow::Slow,
    stuck::Stuck,
    succession::{Before, Heir},
};
pub(super) use self::{
    counters::{Cause, Counters},
    event::{
        Action, Event, Facts, Look, Memory, Notice, Running, StopSignal, Time, WorkerId, ZygoteId,
    },
    plan::{Plan, Recycling},
    report::{ExitStatus, Reason, Report, WorkerTag},
    status::WorkerOverview,
};

/// How long a zygote may take to go, and a process whose application cannot be loaded.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a reload waits for old workers to say that they accept nothing more. A worker that cannot say it in this
/// time has all its threads at work, and so accepts nothing either.
const SETTLING: Duration = Duration::from_secs(2);
/// Exit code of a start that failed for the application's sake.
const FAILURE: u8 = 1;
/// Exit code of a start that failed for the settings' sake (EX_CONFIG of sysexits.h).
const CONFIGURATION: u8 = 78;

/// What the supervisor as a whole is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first generation loads; whatever fails ends the service.
    Starting,
    /// There is a generation that serves; whatever fails is made good.
    Serving,
    /// No process is made any more; with the last one the supervisor ends with this code.
    Stopping { code: u8, killed: u32 },
    /// `Exit` was given out.
    Done,
}

/// How far a reload is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reload {
    /// No reload.
    None,
    /// Another program is starting to take over.
    Heir,
    /// The settings are being read.
    Reading,
    /// The generation of this number is loading, or is taking over worker by worker.
    Next(u32),
    /// The current generation is the new one; workers of the old one may accept a last connection.
    Settling { deadline: Time },
}

#[derive(Debug)]
struct Generation {
    plan: Plan,
    zygote: Option<Zygote>,
    backoff: Backoff,
    /// `None`: there are always as many workers as the plan says.
    cheaper: Option<Cheaper>,
}

impl Generation {
    /// Whether its application is being loaded.
    fn loads(&self) -> bool {
        let state = self.zygote.as_ref().map(|zygote| zygote.state);
        matches!(state, Some(ZygoteState::Loading { .. }))
    }
}

#[derive(Debug)]
struct Zygote {
    id: ZygoteId,
    pid: Option<i32>,
    state: ZygoteState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ZygoteState {
    Loading { deadline: Time },
    Ready { since: Time },
    Leaving { deadline: Time, killed: bool },
}

#[derive(Debug)]
struct Worker {
    generation: u32,
    slot: u32,
    zygote: ZygoteId,
    /// Unknown until the zygote or the worker tells it.
    pid: Option<i32>,
    /// Nobody holds the other end of its control socket.
    cut_off: bool,
    /// It has said that it accepts no more connections.
    quiet: bool,
    /// A signal has stopped it, and it does nothing until another one continues it.
    is_stopped: bool,
    state: WorkerState,
    /// When it was asked for.
    born: Time,
    allowance: Allowance,
    /// Why it should be replaced, as soon as it is its turn.
    due: Option<Reason>,
    /// It is its turn: there is a successor, or will be; also while it finishes its requests.
    replacing: bool,
    harakiri: Option<Harakiri>,
    slow: Slow,
    /// Whether it took too much memory when it was first weighed.
    born_heavy: Option<bool>,
    /// Requests answered, at the last look.
    answered: u64,
    /// Whether it worked on any, at the last look.
    is_busy: bool,
    /// Requests answered and time spent with them, at the last look that counted for the number of workers.
    counted: (u64, Duration),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WorkerState {
    Starting { deadline: Time },
    Serving { since: Time },
    Leaving { deadline: Time, killed: bool },
}

/// The whole state. Numbers of generations, zygotes and workers are never used twice.
#[derive(Debug)]
pub(super) struct Lifecycle {
    phase: Phase,
    reload: Reload,
    /// Another reload was asked for while one was going on.
    reload_again: bool,
    current: u32,
    last_generation: u32,
    generations: BTreeMap<u32, Generation>,
    workers: BTreeMap<WorkerId, Worker>,
    /// Exits of processes that nobody has told us of yet; a worker may die before its zygote's word is read.
    strays: Vec<(i32, ExitStatus)>,
    last_zygote: u32,
    last_worker: u64,
    last_failure: Option<String>,
    counters: Counters,
    jitter: Jitter,
    looking: Looking,
    stall: Option<Stall>,
    /// When memory was short last; `None`: it never was.
    pressed: Option<Time>,
    stuck: Stuck,
    before: Before,
    heir: Option<Heir>,
    /// Nothing is left to do but to wait for the heir.
    rests: bool,
    actions: Vec<Action>,
}

impl Lifecycle {
    /// The beginning: one generation of this number, whose zygote is to be started. Whatever is left to chance comes from
    /// `seed`.
    pub(super) fn start(plan: Plan, generation: u32, seed: u64, now: Time) -> (Self, Vec<Action>) {
        let mut lifecycle = Self {
            phase: Phase::Starting,
            reload: Reload::None,
            reload_again: false,
            current: generation,
            last_generation: generation,
            generations: BTreeMap::new(),
            workers: BTreeMap::new(),
            strays: Vec::new(),
            last_zygote: 0,
            last_worker: 0,
            last_failure: None,
            counters: Counters::default(),
            jitter: Jitter::new(seed),
            looking: Looking::default(),
            stall: None,
            pressed: None,
            stuck: Stuck::default(),
            before: Before::Nobody,
            heir: None,
            rests: false,
            actions: Vec::new(),
        };
        lifecycle.act(Action::Notify(Notice::Extend(plan.start + PATIENCE)));
        lifecycle.add_generation(generation, plan, now);
        let actions = lifecycle.settle(now);
        (lifecycle, actions)
    }

    /// What is to be done now that `event` has happened, in this order.
    pub(super) fn step(&mut self, event: Event, now: Time) -> Vec<Action> {
        match event {
            Event::Continued { pid } => self.continued(pid),
            Event::ControlClosed(worker) => self.control_closed(worker),
            Event::Dumped(worker) => self.dumped(worker),
            Event::Exited { pid, status } => self.exited(pid, status, now),
            Event::ForkRefused {
                zygote,
                slot,
                reason,
            } => {
                self.fork_refused(zygote, slot, reason, now);
            }
            Event::Forked { zygote, slot, pid } => self.forked(zygote, slot, pid, now),
            Event::LoadFailed { zygote, failure } => {
                self.act(Action::Report(Report::LoadFailed(failure.clone())));
                self.zygote_failed(zygote, &failure.reason, FAILURE, now);
            }
            Event::Loaded { zygote, python } => self.zygote_ready(zygote, python, now),
            Event::Crowned { reload } => self.crowned(reload),
            Event::HeirAnswered => self.heir_answered(),
            Event::HeirExtends(time) => self.heir_extends(time, now),
            Event::HeirFailed(failure) => self.heir_failed(failure, now),
            Event::HeirGone => self.heir_gone(now),
            Event::HeirReady(accession) => self.heir_ready(accession, now),
            Event::HeirStarted { child } => self.heir_started(child, now),
            Event::HeirStops(mercy) => self.heir_stops(mercy, now),
            Event::Looked(look) => self.looked(&look, now),
            Event::MemoryPressure => self.memory_pressure(now),
            Event::PredecessorGone => self.predecessor_gone(now),
            Event::RecycleRequested { slot } => self.recycle_requested(slot),
            Event::ReloadRequested => self.reload_requested(),
            Event::Rung { ago } => self.rung(ago, now),
            Event::ReopenRequested => self.reopen_requested(),
            Event::SettingsRead(result) => self.settings_read(result, now),
            Event::SpawnFailed {
                zygote,
                reason,
                unusable,
            } => self.spawn_failed(zygote, reason, unusable, now),
            Event::Spawned { zygote, pid } => self.spawned(zygote, pid),
            Event::Stopped { pid } => self.stopped(pid),
            Event::StopRequested(signal) => self.stop_requested(signal, now),
            Event::Tick => {}
            Event::Unsupported { zygote, reason } => {
                self.act(Action::Report(Report::Unsupported(reason.clone())));
                self.zygote_failed(zygote, &reason, CONFIGURATION, now);
            }
            Event::WorkerDraining(worker) => self.worker_draining(worker, now),
            Event::WorkerExhausted(worker) => self.worker_is_due(worker, Reason::Exhausted),
            Event::WorkerFailed { worker, failure } => self.worker_failed(worker, failure, now),
            Event::WorkerRaised(worker) => self.worker_is_due(worker, Reason::Raised),
            Event::WorkerReady { worker, pid } => self.worker_ready(worker, pid, now),
        }
        self.settle(now)
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn report(&mut self, report: Report) {
        self.act(Action::Report(report));
    }

    fn add_generation(&mut self, number: u32, plan: Plan, now: Time) {
        let before = self.generations.get(&self.current);
        let before = before.and_then(|current| Some(current.cheaper.as_ref()?.target()));
        let generation = Generation {
            cheaper: Cheaper::new(&plan.cheaper, plan.processes, before),
            plan,
            zygote: None,
            backoff: Backoff::default(),
        };
        self.generations.insert(number, generation);
        self.spawn_zygote(number, now);
    }

    /// How many workers a generation should have.
    fn target(&self, generation: u32) -> u32 {
        let Some(generation) = self.generations.get(&generation) else {
            return 0;
        };
        let adapted = generation.cheaper.as_ref().map(Cheaper::target);
        adapted.unwrap_or(generation.plan.processes)
    }

    /// How many workers of a generation are on their way.
    fn starting(&self, generation: u32) -> u32 {
        let starting = |worker: &&Worker| matches!(worker.state, WorkerState::Starting { .. });
        self.workers_of(generation).filter(starting).count() as u32
    }

    /// How many workers of a generation accept connections.
    fn serving(&self, generation: u32) -> u32 {
        let serving = self.workers_of(generation);
        serving.filter(|worker| worker.accepts()).count() as u32
    }

    /// How many workers of a generation serve or will.
    fn staying(&self, generation: u32) -> u32 {
        self.serving(generation) + self.starting(generation)
    }

    fn workers_of(&self, generation: u32) -> impl Iterator<Item = &Worker> {
        self.workers
            .values()
            .filter(move |worker| worker.generation == generation)
    }

    fn is_next(&self, generation: u32) -> bool {
        self.reload == Reload::Next(generation)
    }

    fn exited(&mut self, pid: i32, status: ExitStatus, now: Time) {
        if self.heir_exited(pid, status) {
            return;
        }
        let worker = self
            .workers
            .iter()
            .find(|(_, worker)| worker.pid == Some(pid));
        let zygote = self.generations.iter().find(|(_, generation)| {
            generation
                .zygote
                .as_ref()
                .is_some_and(|zygote| zygote.pid == Some(pid))
        });
        if let Some((id, _)) = worker {
            self.worker_exited(*id, status, now);
        } else if let Some((number, _)) = zygote {
            self.zygote_exited(*number, status, now);
        } else if self.workers.values().any(|worker| worker.pid.is_none()) {
            self.strays.push((pid, status));
        }
    }
}
