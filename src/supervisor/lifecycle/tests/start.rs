//! What ends a start, and what makes it one.

use super::*;

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
fn the_service_manager_is_asked_for_time_for_each_import() {
    let mut site = Site::new(1);
    assert!(site.did(&Action::Notify(Notice::Extend(START + PATIENCE))));
    site.load_last_zygote();
    assert!(site.did(&Action::Notify(Notice::Extend(START + PATIENCE))));
}

#[test]
fn the_service_is_ready_when_the_last_worker_is() {
    let mut site = Site::new(2);
    site.load_last_zygote();
    site.make_ready(WorkerId(1));
    assert!(!site.did(&Action::Notify(Notice::Ready)));
    site.make_ready(WorkerId(2));
    assert!(site.did(&Action::Notify(Notice::Ready)));
    assert!(site.did(&Action::Report(Report::Serving {
        generation: 1,
        workers: 2
    })));
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
        unusable: false,
    });
    assert!(site.did(&Action::Exit(1)));
}

#[test]
fn a_zygote_that_can_never_be_started_is_an_error_of_configuration() {
    let mut site = Site::new(2);
    site.step(Event::SpawnFailed {
        zygote: ZygoteId(1),
        reason: "no directory".into(),
        unusable: true,
    });
    assert!(site.did(&Action::Exit(78)));
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
    assert!(site.did(&Action::Report(Report::StartFailed {
        reason: "2 threads".to_owned()
    })));
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
