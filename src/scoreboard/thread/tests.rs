//! What a slot says, and that nobody reads half of it.

use super::*;
use crate::scoreboard::Scoreboard;

fn check(run: impl FnOnce(&ThreadSlot), expected: ThreadSnapshot) {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    run(scoreboard.thread(0, 0));
    assert_eq!(scoreboard.thread(0, 0).snapshot(), expected);
}

fn line_of(method: &[u8], target: &[u8]) -> String {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    scoreboard.thread(0, 0).begin(1, 0, method, target, b"");
    scoreboard.thread(0, 0).snapshot().running.unwrap().line
}

fn answered(status: u16, sent: u64) -> Answered {
    Answered {
        status,
        sent,
        asked: None,
    }
}

#[test]
fn a_request_has_its_name_until_the_next_one() {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    let slot = scoreboard.thread(0, 0);
    slot.identify(0x7f);
    let name = || slot.snapshot().running.unwrap().name;
    slot.begin(7, 0, b"GET", b"/a", b"peer");
    assert_eq!(name(), "");
    slot.name(&"4f".repeat(30));
    assert_eq!(name(), "4f".repeat(20));
    let running = slot.snapshot().running.unwrap();
    assert_eq!(
        (running.line.as_str(), running.peer.as_str()),
        ("GET /a", "peer")
    );
    slot.begin(8, 0, b"GET", b"/b", b"peer");
    assert_eq!((name().as_str(), slot.ident()), ("", 0x7f));
}

#[test]
fn a_running_request_is_seen() {
    let running = RunningRequest {
        began_us: 7,
        deadline_us: 30,
        line: "POST /a/b?c=d".into(),
        peer: "[2001:db8::1]:65535".into(),
        name: String::new(),
    };
    check(
        |slot| slot.begin(7, 30, b"POST", b"/a/b?c=d", b"[2001:db8::1]:65535"),
        ThreadSnapshot {
            running: Some(running),
            ..Default::default()
        },
    );
}

#[test]
fn an_answered_request_is_counted() {
    check(
        |slot| {
            slot.accepted();
            slot.begin(1000, 0, b"GET", b"/", b"peer");
            slot.file();
            slot.raised();
            slot.unread();
            slot.end(1100, &answered(404, 512));
            slot.unsent();
            slot.closed();
        },
        ThreadSnapshot {
            running: None,
            accepted: 1,
            closed: 1,
            requests: 1,
            bytes: 512,
            busy_us: 100,
            exceptions: 1,
            files: 1,
            read_errors: 1,
            write_errors: 1,
        },
    );
}

#[test]
fn long_lines_are_cut() {
    assert_eq!(
        line_of(b"GET", &[b'x'; 300]),
        format!("GET {}", "x".repeat(124))
    );
    assert_eq!(line_of(&[b'M'; 300], b"/"), "M".repeat(128));
}

#[test]
fn a_shorter_line_leaves_nothing_of_a_longer_one() {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    let slot = scoreboard.thread(0, 0);
    slot.begin(
        1,
        0,
        b"GET",
        b"/a-long-target-of-many-words",
        b"192.0.2.123:54321",
    );
    slot.end(2, &answered(200, 0));
    slot.begin(3, 0, b"GET", b"/b", b"@");
    let running = slot.snapshot().running.unwrap();
    assert_eq!(
        (running.line.as_str(), running.peer.as_str()),
        ("GET /b", "@")
    );
}

fn is_overdue(deadline_us: u64, now_us: u64) -> bool {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    let slot = scoreboard.thread(0, 0);
    slot.begin(1, deadline_us, b"GET", b"/", b"");
    slot.is_overdue(now_us)
}

#[test]
fn a_request_is_overdue_from_its_deadline_on() {
    assert!(!is_overdue(100, 99));
    assert!(is_overdue(100, 100));
    assert!(!is_overdue(0, u64::MAX));
}

#[test]
fn a_deadline_can_be_moved_and_ends_with_its_request() {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    let slot = scoreboard.thread(0, 0);
    slot.begin(1, 100, b"GET", b"/", b"");
    slot.set_deadline(200);
    assert_eq!(slot.snapshot().running.unwrap().deadline_us, 200);
    assert!(!slot.is_overdue(100));
    slot.end(300, &answered(200, 0));
    assert!(!slot.is_overdue(300));
}

#[test]
fn a_reader_never_sees_half_a_change() {
    let scoreboard = Scoreboard::create(1, 1).unwrap();
    let slot = scoreboard.thread(0, 0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 1..50_000 {
                let letter = [b'a' + (round % 26) as u8; 100];
                slot.begin(round, round, b"GET", &letter, &letter);
                std::thread::yield_now();
            }
        });
        while !writer.is_finished() {
            let Some(seen) = slot.unchanged_words().and_then(|words| words.request()) else {
                continue;
            };
            let letter = char::from(b'a' + (seen.began_us % 26) as u8);
            assert_eq!(seen.deadline_us, seen.began_us);
            assert_eq!(
                seen.line,
                format!("GET {}", String::from(letter).repeat(100))
            );
            assert_eq!(seen.peer, String::from(letter).repeat(48));
        }
    });
}
