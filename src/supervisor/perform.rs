//! Carries out what the lifecycle has decided.

use std::{collections::VecDeque, io, os::fd::AsFd, time::Instant};

use rustix::process::{Pid, Signal, kill_process};
use tracing::{debug, warn};

use crate::{
    ipc::{Channel, LoadFailure, ToWorker, ToZygote},
    journal::{self, Role},
    scoreboard,
    sys::{STACKS_SIGNAL, forget_code},
};

use super::{
    control::Moment,
    generation::one_line,
    interpreter::directory,
    lifecycle::{
        Action, Event, ExitStatus, Notice, Plan, Report, Running, WorkerId, WorkerTag, ZygoteId,
    },
    metrics,
    output::Output,
    report,
    run::Supervisor,
    spawn::{self, SpawnError},
    stacks::{self, Stacks},
    stats,
};

impl Supervisor {
    /// Tells the lifecycle of `event` and of everything that follows at once from what it wants done. Gives the exit
    /// code when that was the end.
    pub(super) fn happen(&mut self, event: Event) -> Option<u8> {
        let mut exit = None;
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let event = self.complete(event);
            debug!(?event, "event");
            let now = self.started.elapsed();
            for action in self.lifecycle.step(event, now) {
                exit = exit.or(self.perform(action, &mut events));
            }
        }
        let status = self.lifecycle.headline();
        self.notifier.status(status, Instant::now());
        if exit.is_some() {
            self.notifier.finish();
        }
        exit
    }

    /// Does one thing; what comes of it is added to `events`. Gives the exit code when it is the end.
    pub(super) fn perform(&mut self, action: Action, events: &mut VecDeque<Event>) -> Option<u8> {
        match action {
            Action::Abdicate { reload } => self.abdicate(reload),
            Action::AskToRing => {
                let all = self.generations.values();
                all.for_each(|generation| generation.scoreboard.ask_to_ring());
                forget_code();
            }
            Action::Drain(worker) => {
                // Who does not listen any more is gone, and seen by its exit.
                let _ = self.children.tell_worker(worker, &ToWorker::Drain);
            }
            Action::Dump { worker, pid } => {
                if self.dumps.for_rules(worker, Instant::now()) {
                    signal(pid, STACKS_SIGNAL);
                }
            }
            Action::Exit(code) => return Some(code),
            Action::ForgetWorker(worker) => {
                self.save_lines(worker);
                self.children.forget_worker(worker);
                self.dumps.forget(worker);
                self.workers.remove(&worker);
            }
            Action::ForgetZygote(zygote) => self.children.forget_zygote(zygote),
            Action::Fork {
                zygote,
                generation,
                worker,
                slot,
            } => {
                self.workers.insert(worker, (generation, slot));
                if let Err(reason) = self.fork(zygote, generation, worker, slot) {
                    events.push_back(Event::ForkRefused {
                        zygote,
                        slot,
                        reason,
                    });
                }
            }
            Action::Harakiri { worker, threads } => {
                let _ = self
                    .children
                    .tell_worker(worker, &ToWorker::Harakiri { threads });
            }
            Action::HurryPredecessor(mercy) => self.hurry_predecessor(mercy),
            Action::Kill { pid } => signal(pid, Signal::KILL),
            Action::LogSlow {
                worker,
                tag,
                requests,
                keep,
            } => {
                let stacks = match keep {
                    true => self.children.stacks(worker),
                    false => {
                        let stacks = self.children.take_stacks(worker);
                        // Clients that wait for them have them too; the log has what it wants of them.
                        self.dumps.answer(worker, &stacks);
                        stacks
                    }
                };
                if !keep {
                    // Clients may have asked for the same.
                    self.dumps.answer(worker, &stacks);
                }
                self.log_slow(&tag, &requests, &stacks);
            }
            Action::LogStacks { worker, tag } => {
                let stacks = self.children.take_stacks(worker);
                if self.dumps.answer(worker, &stacks) {
                    report::stacks(&tag, &stacks);
                    self.recorder.note_stacks(&tag, &stacks);
                }
            }
            Action::Look { memory } => {
                self.write_old_lines();
                events.push_back(Event::Looked(self.look(memory)));
            }
            Action::Notify(notice) => {
                self.notify(notice);
                if notice == Notice::Ready {
                    // Reading settings and starting processes take far more code than what follows.
                    forget_code();
                }
            }
            Action::PartWithHeir => self.part_with_heir(),
            Action::Promote { generation } => self.promote(generation),
            Action::ReadSettings { generation } => {
                let heir = self.start_heir(generation);
                events.push_back(heir.unwrap_or_else(|| {
                    let result = self.read_settings(generation);
                    Event::SettingsRead(result.map(Box::new))
                }));
            }
            Action::ReopenLog => _ = self.reopen_log(),
            Action::Report(report) => self.report(&report),
            Action::Retire { generation } => {
                if let Some(gone) = self.generations.remove(&generation) {
                    self.past.bury(&gone);
                }
            }
            Action::SignalHeir(signal) => self.signal_heir(signal),
            Action::Spawn { zygote, generation } => {
                events.extend(self.spawn(zygote, generation));
            }
            Action::Stop(zygote) => {
                let _ = self.children.tell_zygote(zygote, &ToZygote::Stop, &[]);
            }
        }
        None
    }

    /// A worker that says that it serves may be one whose zygote died before it could tell its process; the worker has
    /// written it into its slot.
    fn complete(&self, event: Event) -> Event {
        let Event::WorkerReady { worker, pid: None } = event else {
            return event;
        };
        let slot = self.workers.get(&worker).and_then(|(generation, slot)| {
            Some(
                self.generations
                    .get(generation)?
                    .scoreboard
                    .worker(*slot)
                    .snapshot(),
            )
        });
        let pid = slot.map(|slot| slot.pid).filter(|pid| *pid != 0);
        Event::WorkerReady { worker, pid }
    }

    fn fork(
        &mut self,
        zygote: ZygoteId,
        generation: u32,
        worker: WorkerId,
        slot: u32,
    ) -> Result<(), String> {
        let Some(parts) = self.generations.get_mut(&generation) else {
            return Ok(());
        };
        parts.clear(slot);
        let (ours, theirs) = Channel::pair().map_err(|error| one_line(&error))?;
        let (stacks, writer) = Stacks::pipe().map_err(|error| one_line(&error))?;
        let role = Role::Worker(slot);
        let (output, stdout) = Output::pipe(role).map_err(|error| one_line(&error))?;
        self.children
            .add_worker(worker, ours, stacks)
            .and_then(|()| self.children.add_output(output))
            .map_err(|error| one_line(&error))?;
        let fds = [theirs.as_fd(), writer.as_fd(), stdout.as_fd()];
        self.children
            .tell_zygote(zygote, &ToZygote::Fork { slot }, &fds)
            .map_err(|error| one_line(&error))
    }

    fn spawn(&mut self, zygote: ZygoteId, generation: u32) -> Vec<Event> {
        let Some(parts) = self.generations.get(&generation) else {
            return Vec::new();
        };
        if let Err(error) = directory(&parts.settings.app) {
            let reason = one_line(&error);
            return vec![Event::SpawnFailed {
                zygote,
                reason,
                unusable: true,
            }];
        }
        let started = Channel::pair().map_err(SpawnError::from);
        let started = started.and_then(|(ours, theirs)| {
            let (output, stdout) = Output::pipe(Role::Zygote)?;
            let pid = spawn::spawn(
                &parts.interpreter,
                &parts.settings,
                &theirs,
                stdout,
                spawn::Surroundings::Ours,
            )?;
            self.children.add_output(output)?;
            self.children.add_zygote(zygote, ours)?;
            Ok(pid)
        });
        let pid = match started {
            Ok(pid) => pid,
            Err(error) => {
                let (reason, unusable) = match &error {
                    SpawnError::System(error) => {
                        (not_started(&parts.interpreter.python, error), false)
                    }
                    error => (one_line(error), true),
                };
                return vec![Event::SpawnFailed {
                    zygote,
                    reason,
                    unusable,
                }];
            }
        };
        let mut events = vec![Event::Spawned { zygote, pid }];
        let message = parts.start_message(&self.site, generation, &self.log.files);
        let fds = parts.fds(&self.log.files);
        if let Err(error) = self.children.tell_zygote(zygote, &message, &fds) {
            let failure = LoadFailure {
                reason: one_line(&error),
                traceback: String::new(),
            };
            events.push(Event::LoadFailed { zygote, failure });
        }
        events
    }

    fn read_settings(&mut self, number: u32) -> Result<Plan, String> {
        let settings = (self.reread)()?;
        let stats = stats::rebind(self.generations.values(), &settings);
        let stats = stats.map_err(|error| one_line(&error))?;
        let metrics = metrics::rebind(self.generations.values(), &settings);
        let metrics = metrics.map_err(|error| one_line(&error))?;
        let newest = self.generations.values().next_back();
        let newest = newest.ok_or("no generation is left")?;
        let generation = newest.successor(settings, (stats, metrics))?;
        let log_files = self.log.files.add(&generation.settings.log);
        log_files.map_err(|error| one_line(&error))?;
        let plan = generation.plan();
        self.generations.insert(number, generation);
        Ok(plan)
    }

    /// From here on the settings of this generation are those of the service.
    pub(super) fn promote(&mut self, generation: u32) {
        self.promoted = Some(generation);
        self.serve_sides(generation);
        let Some(generation) = self.generations.get(&generation) else {
            return;
        };
        journal::set_level(generation.settings.log.level);
        let settings = &generation.settings;
        let defer = settings.timeouts.socket.0;
        for error in generation.listeners.apply(&settings.listen, defer) {
            tracing::error!(error = %one_line(&error), "a listening socket stays as it was");
        }
    }

    fn report(&mut self, report: &Report) {
        self.waiting.note(report);
        self.tell_predecessor(report);
        self.count(report);
        self.past.note(report);
        let out_of_memory = match report {
            Report::WorkerDied { status, .. } | Report::ZygoteDied { status, .. } => {
                *status == ExitStatus::Signal(libc::SIGKILL) && self.oom_kills.has_struck()
            }
            _ => false,
        };
        let running = |worker: &WorkerTag| {
            let generation = self.generations.get(&worker.generation)?;
            report::running(&generation.scoreboard, worker.slot, scoreboard::now_us())
        };
        let at = Moment::now(self.started.elapsed());
        self.recorder.note(report, at, running);
        report::log(report, running, out_of_memory);
    }

    /// Each request with the stack of its thread, unless that works on another one by now.
    fn log_slow(&self, worker: &WorkerTag, requests: &[Running], stacks: &str) {
        let board = self.generations.get(&worker.generation);
        for request in requests {
            let thread = board.map(|found| found.scoreboard.thread(worker.slot, request.thread));
            let thread = thread.filter(|thread| {
                let running = thread.snapshot().running;
                running.is_some_and(|running| running.began_us == request.began_us)
            });
            let stack = thread.map(|thread| stacks::of_thread(stacks, thread.ident()));
            report::slow(worker, request, stack);
        }
    }
}

/// The process is our child and not yet reaped, so its number is nobody else's.
pub(super) fn signal(pid: i32, signal: Signal) {
    let sent = Pid::from_raw(pid).map(|pid| kill_process(pid, signal));
    if let Some(Err(error)) = sent {
        warn!(pid, ?signal, %error, "a process cannot be signalled");
    }
}

fn not_started(python: &std::path::Path, error: &io::Error) -> String {
    format!("cannot run {}: {error}", python.display())
}
