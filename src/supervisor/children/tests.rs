//! Channels with the test at their other end.

use super::*;

fn children() -> (Children, Channel) {
    let mut children = Children::new().unwrap();
    let (ours, theirs) = Channel::pair().unwrap();
    children.add_zygote(ZygoteId(1), ours).unwrap();
    (children, theirs)
}

#[test]
fn everything_that_was_said_is_heard_in_order() {
    let (mut children, zygote) = children();
    zygote
        .send(
            &FromZygote::Ready {
                python: "3.13".into(),
            },
            &[],
        )
        .unwrap();
    zygote
        .send(&FromZygote::Forked { slot: 2, pid: 7 }, &[])
        .unwrap();
    drop(zygote);
    let events = children.events().unwrap();
    assert!(matches!(
        &events[..],
        [
            Event::Loaded { .. },
            Event::Forked {
                slot: 2,
                pid: 7,
                ..
            }
        ]
    ));
    assert!(children.events().unwrap().is_empty());
}

#[test]
fn files_that_were_loaded_are_kept_until_they_are_taken() {
    let (mut children, zygote) = children();
    for name in ["/srv/a.py", "/srv/b.py"] {
        let files = vec![PathBuf::from(name)];
        zygote.send(&FromZygote::Modules(files), &[]).unwrap();
    }
    assert!(children.events().unwrap().is_empty());
    let expected = ["/srv/a.py", "/srv/b.py"].map(PathBuf::from);
    assert_eq!(children.take_loaded(), expected);
    assert!(children.take_loaded().is_empty());
}

#[test]
fn a_closed_control_socket_is_told_once() {
    let mut children = Children::new().unwrap();
    let (ours, theirs) = Channel::pair().unwrap();
    let (stacks, _writer) = Stacks::pipe().unwrap();
    children.add_worker(WorkerId(9), ours, stacks).unwrap();
    theirs.send(&FromWorker::Ready, &[]).unwrap();
    drop(theirs);
    let events = children.events().unwrap();
    assert!(matches!(
        &events[..],
        [Event::WorkerReady { .. }, Event::ControlClosed(WorkerId(9))]
    ));
    assert!(children.events().unwrap().is_empty());
}

#[test]
fn stacks_are_told_when_they_are_complete() {
    let mut children = Children::new().unwrap();
    let (ours, _theirs) = Channel::pair().unwrap();
    let (stacks, writer) = Stacks::pipe().unwrap();
    children.add_worker(WorkerId(9), ours, stacks).unwrap();
    rustix::io::write(&writer, b"Thread 1\n").unwrap();
    assert!(children.events().unwrap().is_empty());
    rustix::io::write(&writer, crate::sys::STACKS_END.as_bytes()).unwrap();
    let events = children.events().unwrap();
    assert!(matches!(&events[..], [Event::Dumped(WorkerId(9))]));
    assert_eq!(children.take_stacks(WorkerId(9)), "Thread 1");
}

#[test]
fn a_peer_that_talks_nonsense_is_a_failure() {
    let (mut children, zygote) = children();
    zygote.send(&"nonsense", &[]).unwrap();
    assert!(matches!(
        &children.events().unwrap()[..],
        [Event::LoadFailed { .. }]
    ));
}

#[test]
fn who_is_forgotten_sees_the_end() {
    let (mut children, zygote) = children();
    children.forget_zygote(ZygoteId(1));
    assert!(zygote.recv::<ToZygote>().unwrap().is_none());
    assert!(matches!(
        children.tell_zygote(ZygoteId(1), &ToZygote::Stop, &[]),
        Err(IpcError::Closed)
    ));
}
