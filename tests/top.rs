//! `hostler top`: the real program in a real terminal, and without one.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    sync::mpsc::{self, TryRecvError},
    thread,
};

use rustix::process::Signal;
use serde_json::Value;

use crate::{
    process::Held,
    support::{
        process::{Process, Watched},
        site::{PROGRAM, Running, Site, program, serves},
        terminal::Terminal,
    },
};

const FAST: [&str; 2] = ["--interval", "100ms"];

fn site() -> Site {
    Site::app("process").workers(2, 1)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    text(&output.stdout)
}

/// `top` of this site, in a terminal.
fn watched(site: &Running, size: (u16, u16)) -> Terminal {
    let directory = site.directory.path();
    Terminal::start(
        size,
        &[("RUNTIME_DIRECTORY", directory)],
        &["top", FAST[0], FAST[1]],
    )
}

/// The program has ended with code 0, and the terminal is as it was.
#[track_caller]
fn check_given_back(terminal: &Terminal) {
    let screen = terminal.wait_for_text("-echoprt");
    assert!(screen.contains("ended 0"), "{screen}");
    for mode in [" icanon", " echo ", "isig "] {
        assert!(screen.contains(mode), "{mode} in {screen}");
    }
    assert!(!terminal.is_taken());
}

#[test]
fn a_table_is_printed_without_a_terminal() {
    let site = site().start();
    let held = Held::begin_nth(&site, 1);
    let table = done(&site.control(&["top", "--once", FAST[0], FAST[1]]));
    held.end();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("SITE "), "{table}");
    assert!(
        lines[1].starts_with("site ") && lines[1].contains(" serving "),
        "{table}"
    );
    assert!(
        lines[1].contains(" 1/2 "),
        "a thread of two is busy: {table}"
    );
    assert!(table.contains("GET /wait?"), "{table}");
}

/// As programs read it: with requests between two readings, and without a site.
#[test]
fn documents_tell_of_rates_and_latencies() {
    let mut site = site().start();
    let mut command = program();
    command.env("RUNTIME_DIRECTORY", site.directory.path());
    let follower = Process::start("top", command.args(["top", "--json", FAST[0], FAST[1]]));
    let document = |line: &str| -> Value { serde_json::from_str(line).unwrap() };
    let busy = thread::scope(|scope| {
        let address = site.address().clone();
        let (stop, stopped) = mpsc::channel::<()>();
        scope.spawn(move || {
            while stopped.try_recv() != Err(TryRecvError::Disconnected) {
                address.get("/pid");
            }
        });
        let answered = |line: &str| {
            let site = document(line)["sites"][0].clone();
            (site["latency_us"]["p99"].as_u64() > Some(0)).then_some(site)
        };
        let busy = follower.wait_for("requests", answered);
        drop(stop);
        busy
    });
    assert!(busy["requests_per_second"].as_f64() > Some(0.0), "{busy}");
    assert_eq!(
        (&busy["threads"], &busy["error"]),
        (&2.into(), &Value::Null)
    );
    assert_eq!(busy["workers"].as_array().unwrap().len(), 2);
    site.process.stop();
    let gone = |line: &str| (document(line)["sites"][0]["error"] == "not running").then_some(());
    follower.wait_for("that it is gone", gone);
}

#[test]
fn nobody_to_watch_is_an_error() {
    let empty = tempfile::tempdir().unwrap();
    let mut command = program();
    command.env("XDG_RUNTIME_DIR", empty.path());
    let output = command
        .args(["top", "--once", "no-such-site"])
        .output()
        .unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no-such-site: not running"), "{said}");
    let output = program().args(["top"]).output().unwrap();
    assert!(text(&output.stderr).contains("--once"), "{output:?}");
    let output = program()
        .args(["top", "--interval", "1ms"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(64));
}

/// Another user is told that there is a site, and why no more.
#[test]
fn the_sites_of_others_are_named() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("only root can be somebody else");
        return;
    }
    let site = site().start();
    fs::set_permissions(site.directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut nobody = Command::new("setpriv");
    nobody.args(["--reuid=65534", "--clear-groups", PROGRAM, "top", "--once"]);
    nobody.env("RUNTIME_DIRECTORY", site.directory.path());
    let output = nobody.output().unwrap();
    let said = text(&output.stderr);
    assert!(said.contains("permission denied"), "{output:?}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_site_is_watched_in_a_terminal() {
    let site = site().start();
    let held = Held::begin_nth(&site, 1);
    let terminal = watched(&site, (80, 24));
    let screen = terminal.wait_for_text("1/2");
    assert!(
        terminal.is_taken() && screen.contains("1 request runs"),
        "{screen}"
    );
    assert!(screen.lines().all(|line| line.chars().count() <= 80));
    terminal.press(&["Enter"]);
    terminal.wait_for_text("site: serving with 2 of 2 workers");
    // The request leads to its worker, whose stack is shown.
    terminal.press(&["Tab", "d"]);
    let screen = terminal.wait_for_text("app.py\"");
    assert!(screen.contains("stacks of worker"), "{screen}");
    terminal.press(&["Escape", "?"]);
    terminal.wait_for_text("threads of Python at work");
    // Escape and a letter at once would be one key.
    terminal.press(&["Escape"]);
    terminal.wait_for_text("WORKER");
    terminal.press(&["/", "n", "o", "n", "e"]);
    terminal.wait_for_text("show only: none");
    terminal.press(&["Enter"]);
    terminal.wait_for_text("no request runs");
    terminal.press(&["Escape"]);
    terminal.wait_for_text("GET /wait");
    held.end();
    terminal.wait_for_text("no request runs");
    terminal.press(&["q"]);
    check_given_back(&terminal);
}

#[test]
fn a_terminal_may_change_its_size() {
    let site = site().start();
    let terminal = watched(&site, (80, 24));
    terminal.wait_for_text("RESPAWN");
    for (width, height) in [(30, 6), (10, 3), (200, 50)] {
        terminal.resize(width, height);
        let is_drawn = |screen: &str| {
            let lines: Vec<&str> = screen.lines().collect();
            lines
                .first()
                .is_some_and(|line| line.starts_with("hostler"))
                && lines
                    .iter()
                    .all(|line| line.chars().count() <= width.into())
                && screen.contains("CAUSES") == (width > 100)
        };
        terminal.wait_for("the new size", is_drawn);
    }
    terminal.press(&["C-c"]);
    check_given_back(&terminal);
}

#[test]
fn a_site_that_goes_and_comes_back_is_followed() {
    let mut site = site().start();
    let terminal = watched(&site, (80, 24));
    terminal.wait_for_text(" serving ");
    site.process.stop();
    terminal.wait_for_text(" gone ");
    let again = Process::start(
        "hostler",
        program()
            .env("RUNTIME_DIRECTORY", site.directory.path())
            .arg("serve")
            .arg(site.file()),
    );
    again.wait_for("that it serves", |line| serves(line).then_some(()));
    terminal.wait_for_text(" serving ");
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    let site = site().start();
    for signal in [Signal::TERM, Signal::HUP] {
        let terminal = watched(&site, (80, 24));
        terminal.wait_for_text(" serving ");
        Watched::new(terminal.program()).signal(signal);
        check_given_back(&terminal);
    }
}

#[test]
fn who_wants_no_colours_gets_none() {
    let site = Site::app("process").workers(1, 1).start();
    let held = Held::begin_nth(&site, 1);
    let coloured = |variables: &[(&str, &Path)]| {
        let terminal = Terminal::start((80, 24), variables, &["top", FAST[0], FAST[1]]);
        // All threads are busy, which is set apart.
        terminal.wait_for_text("1/1");
        terminal.styled().contains("\u{1b}[38;5;")
    };
    let directory = ("RUNTIME_DIRECTORY", site.directory.path());
    assert!(coloured(&[directory]));
    assert!(!coloured(&[directory, ("NO_COLOR", Path::new("1"))]));
    held.end();
}
