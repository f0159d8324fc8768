//! Each rule of the lifecycle, with invented times.

use std::{collections::BTreeMap, time::Duration};

use super::*;
use crate::ipc::LoadFailure;

const START: Duration = Duration::from_secs(90);
const MERCY: Duration = Duration::from_secs(60);
const WORKER_MERCY: Duration = Duration::from_secs(20);
const CRASH: ExitStatus = ExitStatus::Signal(11);
const CLEAN: ExitStatus = ExitStatus::Code(0);

fn plan(processes: u32) -> Plan {
    Plan {
        processes,
        slots: 2 * processes,
        start: START,
        reload_mercy: MERCY,
        worker_reload_mercy: WORKER_MERCY,
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
        let (lifecycle, actions) = Lifecycle::start(plan(processes), Time::ZERO);
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
        let mut site = Self::new(processes);
        site.load_last_zygote();
        site.make_ready_all();
        assert!(site.did(&Action::Notify(Notice::Ready)));
        site.now += Duration::from_secs(100);
        site.all.clear();
        site
    }

    /// One in the middle of a reload: the new zygote has just been started.
    fn reloading(processes: u32, next: u32) -> Self {
        let mut site = Self::serving(processes);
        site.step(Event::ReloadRequested);
        site.step(Event::SettingsRead(Ok(plan(next))));
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

// Start.

#[test]
fn a_start_begins_with_one_zygote() {
    let site = Site::new(4);
    assert!(site.did(&Action::Spawn {
        zygote: ZygoteId(1),
        generation: 1
    }));
    assert!(site.asked().is_empty());
}

#[test]
fn a_loaded_zygote_is_asked_for_all_workers_each_in_its_slot() {
    let mut site = Site::new(3);
    site.load_last_zygote();
    let slots: Vec<u32> = site.forks.values().map(|(_, slot)| *slot).collect();
    assert_eq!(slots, [0, 1, 2]);
}

#[test]
fn the_service_is_ready_when_the_last_worker_is() {
    let mut site = Site::new(2);
    site.load_last_zygote();
    site.make_ready(WorkerId(1));
    assert!(!site.did(&Action::Notify(Notice::Ready)));
    site.make_ready(WorkerId(2));
    assert!(site.did(&Action::Notify(Notice::Ready)));
    assert!(site.did(&Action::Report(Report::Serving { workers: 2 })));
}

#[test]
fn an_application_that_cannot_be_loaded_ends_the_start() {
    let mut site = Site::new(2);
    site.spawn_last_zygote();
    site.step(Event::LoadFailed {
        zygote: ZygoteId(1),
        failure: failure(),
    });
    assert!(site.did(&Action::Report(Report::LoadFailed(failure()))));
    site.zygote_exits(ZygoteId(1), ExitStatus::Code(1));
    assert!(site.did(&Action::Exit(1)));
}

#[test]
fn an_unsupported_interpreter_is_an_error_of_configuration() {
    let mut site = Site::new(2);
    site.spawn_last_zygote();
    site.step(Event::Unsupported {
        zygote: ZygoteId(1),
        reason: "Python 3.8".into(),
    });
    site.zygote_exits(ZygoteId(1), ExitStatus::Code(1));
    assert!(site.did(&Action::Exit(78)));
}

#[test]
fn an_import_that_takes_too_long_is_killed() {
    let mut site = Site::new(2);
    site.spawn_last_zygote();
    site.wait(START - Duration::from_millis(1));
    assert!(site.killed().is_empty());
    assert_eq!(site.lifecycle.wake_at(), Some(START));
    site.wait(Duration::from_millis(1));
    assert_eq!(site.killed(), [1001]);
    site.zygote_exits(ZygoteId(1), ExitStatus::Signal(9));
    assert!(site.did(&Action::Exit(1)));
}

#[test]
fn a_zygote_that_dies_ends_the_start() {
    let mut site = Site::new(2);
    site.spawn_last_zygote();
    site.zygote_exits(ZygoteId(1), CRASH);
    assert!(site.reported(|report| matches!(report, Report::ZygoteDied { status: CRASH, .. })));
    assert!(site.did(&Action::Exit(1)));
}

#[test]
fn a_zygote_that_cannot_be_started_ends_the_start() {
    let mut site = Site::new(2);
    site.step(Event::SpawnFailed {
        zygote: ZygoteId(1),
        reason: "no memory".into(),
    });
    assert!(site.did(&Action::Exit(1)));
}

#[test]
fn a_lazy_application_that_cannot_be_loaded_ends_the_start() {
    let mut site = Site::new(2);
    site.load_last_zygote();
    site.fork(WorkerId(1));
    site.fork(WorkerId(2));
    site.step(Event::WorkerFailed {
        worker: WorkerId(2),
        failure: failure(),
    });
    assert_eq!(site.killed(), [2001, 2002, 1001]);
    site.worker_exits(WorkerId(1), ExitStatus::Signal(9));
    site.worker_exits(WorkerId(2), ExitStatus::Signal(9));
    assert!(!site.did(&Action::Exit(1)));
    site.zygote_exits(ZygoteId(1), ExitStatus::Signal(9));
    assert!(site.did(&Action::Exit(1)));
}

#[test]
fn a_worker_that_dies_before_it_serves_ends_the_start() {
    let mut site = Site::new(1);
    site.load_last_zygote();
    site.fork(WorkerId(1));
    site.worker_exits(WorkerId(1), CRASH);
    assert_eq!(site.killed(), [1001]);
}

#[test]
fn a_zygote_that_does_not_fork_ends_the_start() {
    let mut site = Site::new(1);
    site.load_last_zygote();
    let reason = "2 threads".to_owned();
    site.step(Event::ForkRefused {
        zygote: ZygoteId(1),
        slot: 0,
        reason,
    });
    assert!(site.did(&Action::Report(Report::StartFailed)));
    assert_eq!(site.killed(), [1001]);
}

#[test]
fn a_worker_that_does_not_serve_in_time_ends_the_start() {
    let mut site = Site::new(1);
    site.load_last_zygote();
    site.fork(WorkerId(1));
    site.wait(START);
    assert_eq!(site.killed(), [2001, 1001]);
}

#[test]
fn a_stop_during_the_start_is_no_failure() {
    let mut site = Site::new(1);
    site.spawn_last_zygote();
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert_eq!(site.killed(), [1001]);
    site.zygote_exits(ZygoteId(1), ExitStatus::Signal(9));
    assert!(site.did(&Action::Exit(0)));
}

// Death and replacement.

#[test]
fn a_worker_that_dies_is_replaced_at_once() {
    let mut site = Site::serving(2);
    site.worker_exits(WorkerId(1), CRASH);
    let worker = WorkerTag {
        slot: 0,
        generation: 1,
        pid: 2001,
    };
    let report = Report::WorkerDied {
        worker,
        status: CRASH,
        serving: true,
    };
    assert!(site.did(&Action::Report(report)));
    assert_eq!(site.asked(), workers(&[3]));
}

#[test]
fn the_slot_of_a_dead_worker_is_used_again() {
    let mut site = Site::serving(2);
    site.worker_exits(WorkerId(1), CRASH);
    assert_eq!(site.forks[&WorkerId(3)].1, 0);
}

#[test]
fn workers_that_die_at_once_are_made_ever_more_slowly() {
    let mut site = Site::serving(1);
    site.worker_exits(WorkerId(1), CRASH);
    for (worker, delay) in [(2, 100), (3, 200), (4, 400)] {
        assert_eq!(site.asked(), workers(&[worker]));
        site.make_ready(WorkerId(worker));
        site.worker_exits(WorkerId(worker), CRASH);
        assert!(site.asked().is_empty());
        assert_eq!(
            site.lifecycle.wake_at(),
            Some(site.now + Duration::from_millis(delay))
        );
        site.wait(Duration::from_millis(delay));
    }
}

#[test]
fn while_backing_off_nothing_is_made_and_it_is_said_once() {
    let mut site = Site::serving(2);
    for worker in [1, 2] {
        site.worker_exits(WorkerId(worker), CRASH);
    }
    site.fork(WorkerId(3));
    site.fork(WorkerId(4));
    site.worker_exits(WorkerId(3), CRASH);
    assert!(site.reported(|report| matches!(report, Report::BackingOff { .. })));
    site.worker_exits(WorkerId(4), CRASH);
    assert!(!site.reported(|report| matches!(report, Report::BackingOff { .. })));
    assert!(site.asked().is_empty());
    site.wait(Duration::from_millis(100));
    assert_eq!(site.asked(), workers(&[5, 6]));
}

#[test]
fn a_worker_that_dies_before_its_zygotes_word_is_read_is_noticed() {
    let mut site = Site::serving(1);
    site.worker_exits(WorkerId(1), CRASH);
    site.step(Event::Exited {
        pid: 2002,
        status: CRASH,
    });
    assert!(!site.reported(|report| matches!(report, Report::WorkerDied { .. })));
    site.fork(WorkerId(2));
    assert!(site.reported(|report| matches!(report, Report::WorkerDied { .. })));
}

#[test]
fn strangers_are_reaped_silently() {
    let mut site = Site::serving(1);
    site.step(Event::Exited {
        pid: 31337,
        status: CRASH,
    });
    assert!(site.last.is_empty());
}

#[test]
fn a_dead_zygote_is_replaced_and_its_workers_serve_on() {
    let mut site = Site::serving(2);
    site.zygote_exits(ZygoteId(1), CRASH);
    assert!(site.did(&Action::Spawn {
        zygote: ZygoteId(2),
        generation: 1
    }));
    assert!(site.drained().is_empty() && site.killed().is_empty());
    site.load_last_zygote();
    assert!(site.asked().is_empty());
    site.worker_exits(WorkerId(1), CRASH);
    assert_eq!(site.forks[&WorkerId(3)].0, ZygoteId(2));
}

#[test]
fn a_zygote_that_dies_again_and_again_backs_off() {
    let mut site = Site::serving(1);
    site.zygote_exits(ZygoteId(1), CRASH);
    site.spawn_last_zygote();
    site.zygote_exits(ZygoteId(2), CRASH);
    assert!(!site.did(&Action::Spawn {
        zygote: ZygoteId(3),
        generation: 1
    }));
    site.wait(Duration::from_millis(100));
    assert!(site.did(&Action::Spawn {
        zygote: ZygoteId(3),
        generation: 1
    }));
}

#[test]
fn an_application_that_cannot_be_loaded_again_stops_nothing() {
    let mut site = Site::serving(1);
    site.zygote_exits(ZygoteId(1), CRASH);
    site.spawn_last_zygote();
    site.step(Event::LoadFailed {
        zygote: ZygoteId(2),
        failure: failure(),
    });
    site.zygote_exits(ZygoteId(2), ExitStatus::Code(1));
    assert!(site.killed().is_empty() && site.drained().is_empty());
    site.wait(Duration::from_millis(100));
    assert!(site.did(&Action::Spawn {
        zygote: ZygoteId(3),
        generation: 1
    }));
    assert!(
        site.lifecycle
            .status()
            .ends_with("last failure: no module named shop")
    );
}

#[test]
fn a_worker_that_its_dead_zygote_never_made_is_asked_for_again() {
    let mut site = Site::serving(1);
    site.worker_exits(WorkerId(1), CRASH);
    site.step(Event::ControlClosed(WorkerId(2)));
    assert!(site.last.is_empty());
    site.zygote_exits(ZygoteId(1), CRASH);
    assert!(site.did(&Action::ForgetWorker(WorkerId(2))));
    site.wait(Duration::from_millis(100));
    site.load_last_zygote();
    assert_eq!(site.asked(), workers(&[3]));
}

#[test]
fn a_worker_that_its_dead_zygote_did_not_tell_of_tells_itself() {
    let mut site = Site::serving(1);
    site.worker_exits(WorkerId(1), CRASH);
    site.zygote_exits(ZygoteId(1), CRASH);
    site.step(Event::WorkerReady {
        worker: WorkerId(2),
        pid: Some(2002),
    });
    assert!(site.reported(|report| matches!(report, Report::WorkerServing { .. })));
    site.worker_exits(WorkerId(2), CRASH);
    assert!(site.reported(|report| matches!(report, Report::WorkerDied { .. })));
}

#[test]
fn a_worker_that_does_not_serve_in_time_is_killed_and_replaced() {
    let mut site = Site::serving(1);
    site.worker_exits(WorkerId(1), CRASH);
    site.fork(WorkerId(2));
    site.wait(START);
    assert_eq!(site.killed(), [2002]);
    site.worker_exits(WorkerId(2), ExitStatus::Signal(9));
    site.wait(Duration::from_millis(100));
    assert_eq!(site.asked(), workers(&[3]));
}

// Reload.

#[test]
fn a_reload_reads_the_settings_first() {
    let mut site = Site::serving(2);
    site.step(Event::ReloadRequested);
    assert!(site.did(&Action::Notify(Notice::Reloading)));
    assert!(site.did(&Action::ReadSettings { generation: 2 }));
}

#[test]
fn bad_settings_change_nothing() {
    let mut site = Site::serving(2);
    site.step(Event::ReloadRequested);
    site.step(Event::SettingsRead(
        Err("shop.toml:3:1: unknown key".into()),
    ));
    let reason = "shop.toml:3:1: unknown key".to_owned();
    assert!(site.did(&Action::Report(Report::ReloadFailed { reason })));
    assert!(site.did(&Action::Notify(Notice::Ready)));
    assert!(site.drained().is_empty());
    assert!(
        site.lifecycle
            .status()
            .ends_with("shop.toml:3:1: unknown key")
    );
}

#[test]
fn good_settings_start_a_second_zygote() {
    let mut site = Site::serving(2);
    site.step(Event::ReloadRequested);
    site.step(Event::SettingsRead(Ok(plan(2))));
    assert!(site.did(&Action::Spawn {
        zygote: ZygoteId(2),
        generation: 2
    }));
    assert!(site.drained().is_empty());
}

#[test]
fn a_worker_goes_when_its_successor_serves() {
    let mut site = Site::reloading(2, 2);
    site.load_last_zygote();
    assert_eq!(site.asked(), workers(&[3, 4]));
    assert!(site.drained().is_empty());
    site.make_ready(WorkerId(4));
    assert_eq!(site.drained(), [1]);
    site.make_ready(WorkerId(3));
    assert_eq!(site.drained(), [2]);
    assert!(site.did(&Action::Report(Report::Reloaded {
        generation: 2,
        workers: 2
    })));
    assert!(site.did(&Action::Notify(Notice::Ready)));
    assert!(site.did(&Action::Stop(ZygoteId(1))));
}

#[test]
fn at_no_time_do_fewer_serve_than_wanted() {
    let mut site = Site::reloading(4, 4);
    site.load_last_zygote();
    for worker in site.asked() {
        site.make_ready(worker);
        let lifecycle = &site.lifecycle;
        assert!(lifecycle.serving(1) + lifecycle.serving(2) >= 4);
    }
    assert_eq!(
        (site.lifecycle.serving(1), site.lifecycle.serving(2)),
        (0, 4)
    );
}

#[test]
fn a_reload_to_fewer_workers_ends_with_fewer() {
    let mut site = Site::reloading(4, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(5));
    assert_eq!(site.drained(), [1, 2, 3, 4]);
}

#[test]
fn a_reload_to_more_workers_ends_with_more() {
    let mut site = Site::reloading(1, 3);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    assert_eq!(site.drained(), [1]);
    assert!(!site.did(&Action::Notify(Notice::Ready)));
    site.make_ready(WorkerId(3));
    site.make_ready(WorkerId(4));
    assert!(site.did(&Action::Notify(Notice::Ready)));
}

#[test]
fn a_generation_is_let_go_with_its_last_process() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    site.worker_exits(WorkerId(1), CLEAN);
    assert!(!site.did(&Action::Retire { generation: 1 }));
    site.zygote_exits(ZygoteId(1), CLEAN);
    assert!(site.did(&Action::Retire { generation: 1 }));
}

#[test]
fn a_draining_worker_is_not_replaced() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    site.worker_exits(WorkerId(1), CLEAN);
    assert!(site.asked().is_empty());
    assert!(site.reported(|report| matches!(report, Report::WorkerEnded { .. })));
}

#[test]
fn a_draining_worker_is_killed_when_its_time_is_over() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    site.zygote_exits(ZygoteId(1), CLEAN);
    assert_eq!(site.lifecycle.wake_at(), Some(site.now + WORKER_MERCY));
    site.wait(WORKER_MERCY);
    assert_eq!(site.killed(), [2001]);
    assert!(site.reported(|report| matches!(report, Report::WorkerKilled { .. })));
    assert_eq!(site.lifecycle.wake_at(), None);
}

#[test]
fn a_zygote_that_does_not_go_is_killed() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    site.wait(PATIENCE);
    assert_eq!(site.killed(), [1001]);
}

#[test]
fn new_code_that_cannot_be_loaded_leaves_the_old_serving() {
    let mut site = Site::reloading(2, 2);
    site.step(Event::LoadFailed {
        zygote: ZygoteId(2),
        failure: failure(),
    });
    assert!(site.did(&Action::Report(Report::LoadFailed(failure()))));
    assert!(site.reported(|report| matches!(report, Report::ReloadFailed { .. })));
    assert!(site.did(&Action::Notify(Notice::Ready)));
    assert!(site.drained().is_empty() && site.killed().is_empty());
    site.zygote_exits(ZygoteId(2), ExitStatus::Code(1));
    assert!(site.did(&Action::Retire { generation: 2 }));
    site.wait(START);
    assert!(site.last.is_empty());
}

#[test]
fn a_new_zygote_that_dies_leaves_the_old_serving() {
    let mut site = Site::reloading(2, 2);
    site.zygote_exits(ZygoteId(2), CRASH);
    assert!(site.reported(|report| matches!(report, Report::ReloadFailed { .. })));
    assert!(site.did(&Action::Retire { generation: 2 }));
    assert!(site.drained().is_empty());
}

#[test]
fn a_new_import_that_takes_too_long_leaves_the_old_serving() {
    let mut site = Site::reloading(2, 2);
    site.wait(START);
    assert_eq!(site.killed(), [1002]);
    assert!(site.reported(|report| matches!(report, Report::ReloadFailed { .. })));
    assert!(site.drained().is_empty());
}

#[test]
fn a_change_that_fails_half_way_is_taken_back() {
    let mut site = Site::reloading(2, 2);
    site.load_last_zygote();
    site.make_ready(WorkerId(3));
    assert_eq!(site.drained(), [1]);
    site.fork(WorkerId(4));
    site.worker_exits(WorkerId(4), CRASH);
    assert!(site.reported(|report| matches!(report, Report::ReloadFailed { .. })));
    assert_eq!(site.drained(), [3]);
    assert_eq!(site.asked(), workers(&[5]));
    assert_eq!(site.forks[&WorkerId(5)].0, ZygoteId(1));
}

#[test]
fn a_lazy_application_that_fails_in_a_new_worker_is_taken_back() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.fork(WorkerId(2));
    site.step(Event::WorkerFailed {
        worker: WorkerId(2),
        failure: failure(),
    });
    assert!(site.reported(|report| matches!(report, Report::ReloadFailed { .. })));
    assert!(site.drained().is_empty());
    assert!(site.did(&Action::Stop(ZygoteId(2))));
}

#[test]
fn an_old_worker_that_dies_during_a_reload_is_replaced_from_the_old_zygote() {
    let mut site = Site::reloading(2, 2);
    site.worker_exits(WorkerId(1), CRASH);
    assert_eq!(site.forks[&WorkerId(3)].0, ZygoteId(1));
}

#[test]
fn a_reload_asked_for_during_a_reload_comes_after_it() {
    let mut site = Site::reloading(1, 1);
    site.step(Event::ReloadRequested);
    site.step(Event::ReloadRequested);
    assert!(site.last.is_empty());
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    assert!(site.did(&Action::ReadSettings { generation: 3 }));
    site.step(Event::SettingsRead(Err("bad".into())));
    assert!(!site.did(&Action::ReadSettings { generation: 3 }));
}

#[test]
fn a_reload_asked_for_during_the_start_comes_after_it() {
    let mut site = Site::new(1);
    site.step(Event::ReloadRequested);
    assert!(site.last.is_empty());
    site.load_last_zygote();
    site.make_ready(WorkerId(1));
    assert!(site.did(&Action::ReadSettings { generation: 2 }));
}

#[test]
fn numbers_of_failed_generations_are_not_used_again() {
    let mut site = Site::reloading(1, 1);
    site.zygote_exits(ZygoteId(2), CRASH);
    site.step(Event::ReloadRequested);
    assert!(site.did(&Action::ReadSettings { generation: 3 }));
}

#[test]
fn a_late_word_of_a_dismissed_zygote_is_ignored() {
    let mut site = Site::reloading(1, 1);
    site.wait(START);
    site.step(Event::Loaded {
        zygote: ZygoteId(2),
        python: "3.13".into(),
    });
    assert!(site.last.is_empty());
}

// Stop.

#[test]
fn a_stop_lets_every_request_finish() {
    let mut site = Site::serving(2);
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert!(site.did(&Action::Notify(Notice::Stopping)));
    assert!(site.did(&Action::Stop(ZygoteId(1))));
    assert_eq!(site.drained(), [1, 2]);
    site.zygote_exits(ZygoteId(1), CLEAN);
    site.worker_exits(WorkerId(2), CLEAN);
    assert!(!site.did(&Action::Exit(0)));
    site.worker_exits(WorkerId(1), CLEAN);
    assert!(site.did(&Action::Report(Report::Stopped { killed: 0 })));
    assert!(site.did(&Action::Exit(0)));
}

#[test]
fn a_stop_kills_who_does_not_finish_in_time() {
    let mut site = Site::serving(2);
    site.step(Event::StopRequested(StopSignal::Interrupt));
    site.zygote_exits(ZygoteId(1), CLEAN);
    site.worker_exits(WorkerId(1), CLEAN);
    site.wait(MERCY - Duration::from_millis(1));
    assert!(site.killed().is_empty());
    site.wait(Duration::from_millis(1));
    assert_eq!(site.killed(), [2002]);
    site.worker_exits(WorkerId(2), ExitStatus::Signal(9));
    assert!(site.did(&Action::Report(Report::Stopped { killed: 1 })));
    assert!(site.did(&Action::Exit(0)));
}

#[test]
fn a_second_interrupt_kills_at_once() {
    let mut site = Site::serving(2);
    site.step(Event::StopRequested(StopSignal::Interrupt));
    site.step(Event::StopRequested(StopSignal::Interrupt));
    assert_eq!(site.killed(), [2001, 2002, 1001]);
}

#[test]
fn a_second_terminate_changes_nothing() {
    let mut site = Site::serving(2);
    site.step(Event::StopRequested(StopSignal::Terminate));
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert!(site.last.is_empty());
}

#[test]
fn nothing_is_made_while_stopping() {
    let mut site = Site::serving(2);
    site.step(Event::StopRequested(StopSignal::Terminate));
    site.worker_exits(WorkerId(1), CRASH);
    site.zygote_exits(ZygoteId(1), CRASH);
    site.step(Event::ReloadRequested);
    assert!(site.last.is_empty());
}

#[test]
fn a_stop_during_a_reload_ends_both_generations() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.fork(WorkerId(2));
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert_eq!(site.drained(), [1, 2]);
    let zygotes = [ZygoteId(1), ZygoteId(2)];
    assert!(
        zygotes
            .iter()
            .all(|zygote| site.did(&Action::Stop(*zygote)))
    );
    zygotes
        .iter()
        .for_each(|zygote| site.zygote_exits(*zygote, CLEAN));
    site.worker_exits(WorkerId(1), CLEAN);
    site.worker_exits(WorkerId(2), CLEAN);
    assert!(site.did(&Action::Exit(0)));
}

#[test]
fn a_stop_does_not_wait_for_an_import() {
    let mut site = Site::reloading(1, 1);
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert_eq!(site.killed(), [1002]);
}

#[test]
fn a_stop_takes_away_time_from_workers_that_drain_already_but_gives_none() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    site.step(Event::StopRequested(StopSignal::Terminate));
    site.wait(WORKER_MERCY);
    assert_eq!(site.killed(), [2001, 1001, 1002]);
}
