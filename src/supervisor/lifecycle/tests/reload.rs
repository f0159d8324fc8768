//! The change from one generation to the next.

use super::*;

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
            .headline()
            .ends_with("shop.toml:3:1: unknown key")
    );
}

#[test]
fn good_settings_start_a_second_zygote() {
    let mut site = Site::serving(2);
    site.step(Event::ReloadRequested);
    site.step(Event::SettingsRead(Ok(Box::new(plan(2)))));
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
    assert!(site.did(&Action::Stop(ZygoteId(1))));
}

#[test]
fn a_reload_is_complete_when_the_old_workers_accept_nothing_more() {
    let mut site = Site::reloading(2, 2);
    site.load_last_zygote();
    site.make_ready(WorkerId(3));
    site.make_ready(WorkerId(4));
    site.quiet(&[1]);
    assert!(!site.did(&Action::Notify(Notice::Ready)));
    site.quiet(&[2]);
    assert!(site.did(&Action::Report(Report::Reloaded {
        generation: 2,
        workers: 2
    })));
    assert!(site.did(&Action::Notify(Notice::Ready)));
}

#[test]
fn a_reload_is_complete_when_the_old_workers_are_gone() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    site.worker_exits(WorkerId(1), CLEAN);
    assert!(site.did(&Action::Notify(Notice::Ready)));
}

#[test]
fn a_reload_does_not_wait_for_old_workers_that_are_too_busy_to_answer() {
    let mut site = Site::reloading(1, 1);
    site.load_last_zygote();
    site.make_ready(WorkerId(2));
    assert_eq!(site.lifecycle.wake_at(), Some(site.now + SETTLING));
    site.wait(SETTLING);
    assert!(site.did(&Action::Notify(Notice::Ready)));
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
    site.quiet(&[1]);
    site.make_ready(WorkerId(3));
    assert!(!site.did(&Action::Notify(Notice::Ready)));
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
    site.quiet(&[1]);
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
    site.quiet(&[1]);
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
