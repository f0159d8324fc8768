//! The end, gentle or not.

use super::*;

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
