//! Processes that die, and their successors.

use super::*;

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
fn while_a_worker_is_stopped_another_one_serves() {
    let mut site = Site::serving(2);
    site.step(Event::Stopped { pid: 2001 });
    assert!(site.reported(|report| matches!(report, Report::WorkerStopped { .. })));
    assert_eq!(site.asked(), workers(&[3]));
    site.make_ready(WorkerId(3));
    assert!(site.drained().is_empty() && site.killed().is_empty());
    site.step(Event::Continued { pid: 2001 });
    assert_eq!(site.drained(), [3]);
}

#[test]
fn a_worker_that_goes_on_before_the_other_one_serves_leaves_one_too_many() {
    let mut site = Site::serving(2);
    site.step(Event::Stopped { pid: 2001 });
    site.step(Event::Continued { pid: 2001 });
    assert!(site.drained().is_empty());
    site.make_ready(WorkerId(3));
    assert_eq!(site.drained(), [3]);
}

#[test]
fn a_service_whose_workers_are_all_stopped_makes_others() {
    let mut site = Site::serving(1);
    site.step(Event::Stopped { pid: 2001 });
    assert!(site.lifecycle.is_alive());
    site.make_ready(WorkerId(2));
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert_eq!(site.drained(), [1, 2]);
}

#[test]
fn strangers_that_are_stopped_are_nobodys_business() {
    let mut site = Site::serving(1);
    site.step(Event::Stopped { pid: 31337 });
    site.step(Event::Continued { pid: 31337 });
    assert!(site.last.is_empty());
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
            .headline()
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
