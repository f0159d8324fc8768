//! Programs that take too long, whose clients go, that crash, or that are too many; and what they leave behind.

use std::{fs, path::Path, process::Command, thread};

use rustix::process::{Pid, Signal, kill_process};

use super::{Programs, write};

/// Writes its number, and that of a child of its own, and waits for ever.
const STUCK: &str = "#!/bin/sh\necho $$ > number\nsleep 1000 &\necho $! > child\nwait\n";
/// The same behind the beginning of an answer.
const HALF: &str = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nbeginning'\necho $$ > number\nexec sleep 1000\n";
/// Answers when there is a file of the name `go`.
const WAITS: &str = "#!/bin/sh\necho $$ > number\nuntil test -e go; do sleep 0.05; done\n\
                     printf 'Content-Type: text/plain\\n\\nok'\n";
const QUICK: &str = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nok'\n";

#[test]
fn one_that_is_silent_for_too_long_is_killed_with_its_children() {
    let cgi = Programs::new(&[("stuck", STUCK)], "timeout = 1");
    assert_eq!(cgi.site.get("/cgi-bin/stuck").status, 504);
    cgi.site
        .process
        .wait_for_text("silent for longer than cgi.timeout");
    for name in ["number", "child"] {
        cgi.wait_for_end_of(cgi.number_in(name));
    }
}

#[test]
fn one_that_does_not_want_to_end_is_made_to() {
    let deaf = "#!/bin/sh\ntrap '' TERM\necho $$ > number\nwhile :; do sleep 1; done\n";
    let cgi = Programs::new(&[("deaf", deaf)], "timeout = 1");
    assert_eq!(cgi.site.get("/cgi-bin/deaf").status, 504);
    cgi.wait_for_end_of(cgi.number_in("number"));
}

#[test]
fn an_answer_that_stops_in_the_middle_is_not_whole() {
    let cgi = Programs::new(&[("half", HALF)], "timeout = 1");
    let mut client = cgi.site.address().connect();
    client.send_get("/cgi-bin/half");
    let answer = client.answer();
    assert_eq!((answer.text().as_str(), answer.whole), ("beginning", false));
    cgi.wait_for_end_of(cgi.number_in("number"));
}

#[test]
fn an_answer_whose_program_crashes_is_not_whole() {
    let crash = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nbeginning'\nkill -SEGV $$\n";
    let cgi = Programs::new(&[("crash", crash)], "");
    let mut client = cgi.site.address().connect();
    client.send_get("/cgi-bin/crash");
    let answer = client.answer();
    assert_eq!((answer.text().as_str(), answer.whole), ("beginning", false));
    cgi.site.process.wait_for_text("has crashed");
}

#[test]
fn one_whose_client_goes_is_killed() {
    for (name, text) in [("stuck", STUCK), ("half", HALF)] {
        let cgi = Programs::new(&[(name, text)], "timeout = 0");
        let mut client = cgi.site.address().connect();
        client.send_get(&format!("/cgi-bin/{name}"));
        let number = cgi.number_in("number");
        drop(client);
        cgi.wait_for_end_of(number);
    }
}

#[test]
fn there_are_no_more_than_the_settings_say() {
    let cgi = Programs::on(&[("waits", WAITS)], "max-processes = 2", |site| {
        site.workers(1, 1)
    });
    let ask = || {
        let mut client = cgi.site.address().connect();
        client.send_get("/cgi-bin/waits");
        client
    };
    // Connections are taken in their order, so that these two have begun when the third one comes.
    let waiting = [ask(), ask()];
    let refused = ask().answer();
    assert_eq!(
        (refused.status, refused.header("Retry-After")),
        (503, Some("1"))
    );
    // The application has its one thread all the while.
    assert_eq!(cgi.site.get("/x").json()["PATH_INFO"], "/x");
    write(cgi.tree.path(), "go", "");
    for mut client in waiting {
        assert_eq!(client.answer().text(), "ok");
    }
    cgi.site
        .wait_until("there is room again", || ask().answer().status == 200);
}

#[test]
fn many_at_once_are_all_answered_and_leave_nothing() {
    let cgi = Programs::on(&[("quick", QUICK)], "", |site| site.workers(2, 1));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    assert_eq!(cgi.site.get("/cgi-bin/quick").text(), "ok");
                }
            });
        }
    });
    let has_no_child = |pid: &u64| {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let children = tasks
            .flatten()
            .map(|task| fs::read_to_string(task.path().join("children")));
        children.flatten().all(|children| children.is_empty())
    };
    cgi.site.wait_until("all are reaped", || {
        cgi.site.children().iter().all(has_no_child)
    });
}

#[test]
fn what_runs_is_finished_when_the_site_ends() {
    let mut cgi = Programs::new(&[("waits", WAITS)], "");
    let mut client = cgi.site.address().connect();
    client.send_get("/cgi-bin/waits");
    let number = cgi.number_in("number");
    cgi.site.process.signal(Signal::TERM);
    cgi.site.process.wait_for_text("stop");
    write(cgi.tree.path(), "go", "");
    assert_eq!(client.answer().text(), "ok");
    assert!(cgi.site.process.wait().success());
    assert!(!Path::new(&format!("/proc/{number}")).exists());
}

#[test]
fn no_thread_of_python_is_needed() {
    let cgi = Programs::on(&[("quick", QUICK)], "", |site| site.workers(1, 2).bare());
    let fifo = cgi.tree.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    let kept = [1, 2].map(|number| {
        let mut client = cgi.site.address().connect();
        client.send_get(&format!("/wait?{}", fifo.display()));
        let is_waiting = |line: &str| line.ends_with("waiting").then_some(());
        cgi.site
            .process
            .wait_for_nth("that it waits", number, is_waiting);
        client
    });
    for _ in 0..10 {
        assert_eq!(cgi.site.get("/cgi-bin/quick").text(), "ok");
    }
    fs::write(&fifo, "released").unwrap();
    for mut client in kept {
        assert_eq!(client.answer().status, 200);
    }
}

/// All of Python is kept when a program sends its request there: it waits, and the program is not run again.
#[test]
fn what_waits_for_python_waits_with_what_its_program_has_said() {
    let leads = "#!/bin/sh\necho run >>runs\nprintf 'Location: /app\\n\\n'\n";
    let cgi = Programs::on(&[("leads", leads)], "", |site| site.workers(1, 1).bare());
    let fifo = cgi.tree.path().join("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    let mut kept = cgi.site.address().connect();
    kept.send_get(&format!("/wait?{}", fifo.display()));
    cgi.site.process.wait_for_text("waiting");
    let mut client = cgi.site.address().connect();
    client.send_get("/cgi-bin/leads");
    let runs = || fs::read_to_string(cgi.tree.path().join("runs")).unwrap_or_default();
    cgi.site
        .wait_until("the program has run", || !runs().is_empty());
    // Whoever stands by looks every some hundredths of a second.
    for _ in 0..20 {
        assert_eq!(cgi.site.get("/cgi-bin/none").status, 404);
    }
    fs::write(&fifo, "released").unwrap();
    assert_eq!(kept.answer().status, 200);
    assert_eq!(client.answer().json()["PATH_INFO"], "/app");
    assert_eq!(runs(), "run\n");
}

#[test]
fn one_that_has_closed_its_output_has_answered_and_may_go_on() {
    let busy = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nok'\nexec >&-\n\
                until test -e go; do sleep 0.05; done\necho 1 > number\n";
    let cgi = Programs::new(&[("busy", busy)], "");
    assert_eq!(cgi.site.get("/cgi-bin/busy").text(), "ok");
    write(cgi.tree.path(), "go", "");
    assert_eq!(cgi.number_in("number"), 1);
}

#[test]
fn a_client_that_reads_slowly_gets_everything_and_keeps_nobody() {
    let large = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nhead -c 20000000 /dev/zero\n";
    let cgi = Programs::on(&[("large", large)], "timeout = 1", |site| {
        site.workers(1, 1)
    });
    let mut slow = cgi.site.address().connect();
    slow.send_get("/cgi-bin/large");
    assert_eq!(slow.head().status, 200);
    for _ in 0..20 {
        assert_eq!(cgi.site.get("/x").status, 200);
    }
    let mut length = 0;
    while let Some(chunk) = slow.chunk().filter(|chunk| !chunk.is_empty()) {
        length += chunk.len();
    }
    assert_eq!(length, 20_000_000);
}

/// Nobody but the kernel is there to end it.
#[test]
fn one_whose_worker_is_killed_is_killed_too() {
    let cgi = Programs::new(&[("waits", WAITS)], "");
    let mut client = cgi.site.address().connect();
    client.send_get("/cgi-bin/waits");
    let number = cgi.number_in("number");
    let status = fs::read_to_string(format!("/proc/{number}/status")).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
    let parent = Pid::from_raw(parent.unwrap().trim().parse().unwrap()).unwrap();
    kill_process(parent, Signal::KILL).unwrap();
    cgi.wait_for_end_of(number);
}
