//! What is remembered of reports, and what is not.

use super::*;

const WORKER: WorkerTag = WorkerTag {
    slot: 3,
    generation: 2,
    pid: 4711,
};

fn at(seconds: u64) -> Moment {
    Moment {
        uptime_us: seconds * 1_000_000,
        unix: 1_700_000_000 + seconds,
    }
}

/// The history of these reports, a second apart.
fn after(reports: &[Report]) -> History {
    recorder(reports).history
}

/// What has recorded them.
fn recorder(reports: &[Report]) -> Recorder {
    let mut recorder = Recorder::default();
    for (second, report) in (1..).zip(reports) {
        recorder.note(report, at(second), |_| Some("GET / from x for 1.0s".into()));
    }
    recorder
}

fn load_failed(reason: &str, traceback: &str) -> Report {
    Report::LoadFailed(LoadFailure {
        reason: reason.to_owned(),
        traceback: traceback.to_owned(),
    })
}

fn failed(reason: &str) -> Report {
    Report::ReloadFailed {
        reason: reason.to_owned(),
    }
}

fn harakiri(worker: WorkerTag, requests: usize) -> Report {
    let request = Running {
        thread: 1,
        began_us: 1_000_000,
        name: String::new(),
        age: Duration::from_secs(30),
        limit: Some(Duration::from_secs(30)),
        line: "GET /slow".to_owned(),
        peer: "127.0.0.1".to_owned(),
    };
    Report::Harakiri {
        worker,
        requests: vec![request; requests],
    }
}

fn died(status: ExitStatus) -> Report {
    Report::WorkerDied {
        worker: WORKER,
        status,
        serving: true,
    }
}

#[test]
fn a_reload_is_remembered_with_its_time() {
    let reloaded = Report::Reloaded {
        generation: 2,
        workers: 4,
    };
    let last = after(&[Report::Reloading, died(ExitStatus::Code(0)), reloaded]);
    let expected = Reload {
        at: at(3),
        took_us: 2_000_000,
        generation: Some(2),
        ..Reload::default()
    };
    assert_eq!(last.reload, Some(expected));
    assert_eq!(last.crash, None);
}

#[track_caller]
fn check_traceback(reports: &[Report], expected: &str) {
    let reload = after(reports).reload.unwrap();
    assert_eq!(
        (reload.failure.as_deref(), reload.generation),
        (Some("no"), None)
    );
    assert_eq!(reload.traceback, expected);
}

#[test]
fn a_reload_that_failed_has_its_own_traceback_only() {
    let own = [
        Report::Reloading,
        load_failed("no", "Traceback"),
        failed("no"),
    ];
    check_traceback(&own, "Traceback");
    let other = [
        Report::Reloading,
        load_failed("x", "Traceback"),
        failed("no"),
    ];
    check_traceback(&other, "");
    let earlier = [
        load_failed("no", "Traceback"),
        Report::Reloading,
        failed("no"),
    ];
    check_traceback(&earlier, "");
    check_traceback(&[failed("no")], "");
}

#[test]
fn a_harakiri_has_the_stacks_of_its_own_worker() {
    let mut recorder = recorder(&[harakiri(WORKER, 1)]);
    let other = WorkerTag { pid: 1, ..WORKER };
    recorder.note_stacks(&other, "of another");
    recorder.note_stacks(&WORKER, "Thread 1");
    recorder.note_stacks(&WORKER, "later ones");
    let ended = Report::HarakiriEnded {
        worker: WORKER,
        status: ExitStatus::Signal(libc::SIGKILL),
        killed: true,
    };
    recorder.note(&ended, at(9), |_| None);
    let last = recorder.history.harakiri.unwrap();
    assert_eq!((last.at, last.worker, last.pid), (at(1), 3, 4711));
    assert_eq!(last.requests[0].request, "GET /slow");
    assert_eq!(last.requests[0].age_us, 30_000_000);
    assert_eq!(last.traceback, "Thread 1");
    assert_eq!(last.ended.as_deref(), Some("killed by SIGKILL"));
}

#[test]
fn a_crash_is_remembered_with_what_ran() {
    let last = after(&[died(ExitStatus::Signal(libc::SIGSEGV))])
        .crash
        .unwrap();
    assert_eq!((last.at, last.worker), (at(1), 3));
    assert_eq!(last.status, "killed by SIGSEGV");
    assert_eq!(last.requests.as_deref(), Some("GET / from x for 1.0s"));
}

#[test]
fn whatever_is_told_there_is_a_limit() {
    let mut recorder = recorder(&[harakiri(WORKER, 1000)]);
    recorder.note_stacks(&WORKER, &"ä".repeat(LONGEST));
    let last = recorder.history.harakiri.unwrap();
    assert_eq!(last.requests.len(), REQUESTS);
    assert_eq!(last.traceback.len(), LONGEST);
    let long = [
        Report::Reloading,
        load_failed("no", &"x".repeat(2 * LONGEST)),
        failed("no"),
    ];
    assert_eq!(after(&long).reload.unwrap().traceback.len(), LONGEST);
}
