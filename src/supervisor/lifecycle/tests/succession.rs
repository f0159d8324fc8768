//! Another program takes over, or does not.

use rustix::process::Signal;

use super::*;
use crate::supervisor::succession::Accession;

const HEIR: i32 = 77;

fn accession() -> Accession {
    Accession {
        version: "9.9.9".to_owned(),
        generation: 2,
        workers: 2,
    }
}

/// A site whose heir has just been started, as its child or beside it.
fn starting(child: Option<i32>) -> Site {
    let mut site = Site::serving(2);
    site.step(Event::ReloadRequested);
    assert!(site.did(&Action::ReadSettings { generation: 2 }));
    site.step(Event::HeirStarted { child });
    site
}

/// One that has given way.
fn succeeded(child: Option<i32>) -> Site {
    let mut site = starting(child);
    site.step(Event::HeirReady(accession()));
    assert!(site.did(&Action::Abdicate { reload: false }));
    site
}

fn everybody_ends(site: &mut Site) {
    site.zygote_exits(ZygoteId(1), CLEAN);
    site.worker_exits(WorkerId(1), CLEAN);
    site.worker_exits(WorkerId(2), CLEAN);
}

fn failed(site: &Site, text: &str) -> bool {
    site.reported(
        |report| matches!(report, Report::ReloadFailed { reason } if reason.contains(text)),
    )
}

#[test]
fn nothing_changes_before_the_heir_serves() {
    let mut site = starting(None);
    site.step(Event::HeirExtends(START));
    assert!(site.drained().is_empty());
    site.worker_exits(WorkerId(1), CRASH);
    assert_eq!(site.asked().len(), 1);
}

#[test]
fn who_has_given_way_finishes_and_ends() {
    let mut site = succeeded(None);
    assert_eq!(site.drained(), [1, 2]);
    site.quiet(&[1, 2]);
    assert!(site.did(&Action::Report(Report::Succeeded(accession()))));
    everybody_ends(&mut site);
    assert!(site.did(&Action::Retire { generation: 1 }));
    assert!(site.did(&Action::Report(Report::Left { killed: 0 })));
    assert!(site.did(&Action::Exit(0)));
}

#[test]
fn who_does_not_finish_has_the_time_of_a_reload() {
    let mut site = succeeded(None);
    site.wait(WORKER_MERCY - Duration::from_millis(1));
    assert!(!site.killed().contains(&2001));
    site.wait(Duration::from_millis(1));
    assert_eq!(site.killed(), [2001, 2002]);
}

#[test]
fn an_end_of_the_service_hurries_who_has_given_way() {
    let mut site = succeeded(None);
    site.step(Event::HeirStops(Duration::from_secs(1)));
    site.wait(Duration::from_secs(1));
    assert_eq!(site.killed(), [2001, 2002]);
}

#[test]
fn a_parent_ends_as_its_heir() {
    for (status, code) in [(CLEAN, 0), (ExitStatus::Code(78), 78), (CRASH, 139)] {
        let mut site = succeeded(Some(HEIR));
        site.quiet(&[1, 2]);
        everybody_ends(&mut site);
        assert!(site.did(&Action::PartWithHeir));
        assert!(!site.did(&Action::Exit(0)));
        site.step(Event::Exited { pid: HEIR, status });
        assert!(site.did(&Action::Exit(code)));
    }
}

#[test]
fn a_parent_passes_on_what_is_meant_for_its_heir() {
    let mut site = succeeded(Some(HEIR));
    for (event, signal) in [
        (Event::ReloadRequested, Signal::HUP),
        (Event::ReopenRequested, Signal::USR1),
        (Event::StopRequested(StopSignal::Terminate), Signal::TERM),
        (Event::StopRequested(StopSignal::Interrupt), Signal::TERM),
    ] {
        site.step(event);
        assert_eq!(site.last, [Action::SignalHeir(signal)]);
    }
}

#[test]
fn an_heir_that_cannot_begin_changes_nothing() {
    let mut site = starting(None);
    site.step(Event::HeirFailed(failure()));
    assert!(failed(&site, "no module named shop"));
    assert!(site.did(&Action::Notify(Notice::Ready)));
    assert!(site.drained().is_empty());
    site.step(Event::HeirGone);
    assert!(site.last.is_empty());
    site.step(Event::ReloadRequested);
    assert!(site.did(&Action::ReadSettings { generation: 3 }));
}

#[test]
fn an_heir_that_ends_without_a_word_changes_nothing() {
    let mut site = starting(None);
    site.step(Event::HeirGone);
    assert!(failed(&site, "without a word"));
    site.step(Event::ReloadRequested);
    assert!(site.did(&Action::ReadSettings { generation: 3 }));
}

#[test]
fn an_heir_that_hangs_is_killed() {
    let mut site = starting(None);
    site.wait(START + PATIENCE);
    assert!(failed(&site, "in time"));
    assert!(site.did(&Action::PartWithHeir));
    site.wait(PATIENCE);
    assert!(site.did(&Action::SignalHeir(Signal::KILL)));
    site.step(Event::HeirReady(accession()));
    assert!(site.last.is_empty());
}

#[test]
fn an_heir_that_has_spoken_may_have_requests_to_finish() {
    let mut site = starting(None);
    site.step(Event::HeirExtends(Duration::ZERO));
    site.wait(PATIENCE);
    assert!(failed(&site, "in time"));
    site.wait(WORKER_MERCY);
    assert!(site.last.is_empty());
    site.wait(PATIENCE);
    assert!(site.did(&Action::SignalHeir(Signal::KILL)));
}

#[test]
fn a_reload_meanwhile_is_the_heirs() {
    let mut site = starting(None);
    site.step(Event::ReloadRequested);
    site.step(Event::HeirReady(accession()));
    assert!(site.did(&Action::Abdicate { reload: true }));
    site.quiet(&[1, 2]);
    everybody_ends(&mut site);
    assert!(!site.did(&Action::Exit(0)));
    site.step(Event::HeirAnswered);
    assert!(site.did(&Action::Exit(0)));
}

#[test]
fn a_stop_meanwhile_ends_the_heir_first() {
    let mut site = starting(None);
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert!(site.did(&Action::PartWithHeir));
    everybody_ends(&mut site);
    assert!(!site.did(&Action::Exit(0)));
    site.step(Event::HeirGone);
    assert!(site.did(&Action::Exit(0)));
}

/// A site that takes over and serves.
fn heir() -> Site {
    let mut site = Site::new(2);
    site.lifecycle.await_reign();
    site.load_last_zygote();
    site.make_ready_all();
    site
}

#[test]
fn an_heir_does_not_reload_before_it_reigns() {
    let mut site = heir();
    site.step(Event::ReloadRequested);
    assert!(site.last.is_empty());
    site.step(Event::Crowned { reload: false });
    assert!(site.did(&Action::ReadSettings { generation: 2 }));
}

#[test]
fn an_heir_that_is_not_wanted_any_more_finishes_its_requests() {
    for load in [false, true] {
        let mut site = Site::new(2);
        site.lifecycle.await_reign();
        site.load_last_zygote();
        let asked = site.asked();
        site.make_ready(asked[0]);
        if load {
            site.make_ready(asked[1]);
        }
        site.step(Event::PredecessorGone);
        assert!(site.drained().contains(&1));
        assert!(!site.killed().contains(&2001));
    }
}

#[test]
fn the_end_waits_for_who_has_given_way() {
    let mut site = heir();
    site.step(Event::Crowned { reload: false });
    site.step(Event::StopRequested(StopSignal::Terminate));
    assert!(site.did(&Action::HurryPredecessor(MERCY)));
    everybody_ends(&mut site);
    assert!(!site.did(&Action::Exit(0)));
    site.step(Event::PredecessorGone);
    assert!(site.did(&Action::Exit(0)));
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let mut site = heir();
    site.step(Event::Crowned { reload: false });
    site.step(Event::StopRequested(StopSignal::Terminate));
    everybody_ends(&mut site);
    site.wait(MERCY + PATIENCE);
    assert!(site.did(&Action::Exit(0)));
}
