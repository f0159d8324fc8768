//! A terminal that is taken is given back. script(1) has one for each of these.

use std::{env, process::Command};

use super::*;

/// Runs a test that is ignored otherwise in a terminal of its own: what it writes there, and what the terminal is like
/// afterwards.
fn in_terminal(test: &str) -> (String, String) {
    let program = env::current_exe().unwrap();
    let command = format!(
        "{} --exact top::screen::tests::{test} --ignored --nocapture; echo AFTERWARDS; stty -a",
        program.display()
    );
    let output = Command::new("script")
        .args(["--quiet", "--command", &command, "/dev/null"])
        .env("TERM", "xterm")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (before, after) = text.split_once("AFTERWARDS").unwrap();
    (before.to_owned(), after.to_owned())
}

/// The terminal of whoever runs the tests is left alone.
#[test]
#[ignore = "it takes the terminal: a_panic_is_read_on_a_terminal_as_it_was gives it one"]
fn a_panic() {
    let _screen = Screen::take().unwrap();
    panic!("what has happened");
}

#[test]
fn a_panic_is_read_on_a_terminal_as_it_was() {
    let (written, terminal) = in_terminal("a_panic");
    let (_, after) = written.split_once("\u{1b}[?1049l").unwrap();
    assert!(written.contains("\u{1b}[?1049h") && after.contains("what has happened"));
    let modes: Vec<&str> = terminal.split_whitespace().collect();
    for mode in ["icanon", "echo", "isig"] {
        assert!(modes.contains(&mode), "{terminal}");
    }
}
