//! A terminal with a program in it, as people have it over ssh: tmux(1) draws it, and tells what it shows.

use std::{
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{PATIENCE, site::PROGRAM};

/// One terminal, with a server of tmux of its own that ends with it.
pub(crate) struct Terminal {
    directory: TempDir,
}

impl Terminal {
    /// Runs the program with these arguments and variables in a terminal of this size. When it has ended, the terminal
    /// shows `ended` with its exit code, and then how the terminal is set (stty(1)).
    pub(crate) fn start(
        (width, height): (u16, u16),
        variables: &[(&str, &Path)],
        arguments: &[&str],
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let terminal = Self { directory };
        let quoted = |text: &str| format!("'{text}'");
        let variables = variables.iter();
        let variables: Vec<String> = variables
            .map(|(name, value)| quoted(&format!("{name}={}", value.display())))
            .collect();
        let arguments: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        let script = format!(
            "env {} {PROGRAM} {}; echo ended $?; stty -a; exec cat",
            variables.join(" "),
            arguments.join(" ")
        );
        let size = [width.to_string(), height.to_string()];
        let started = terminal
            .tmux(&[
                "-f",
                "/dev/null",
                "new-session",
                "-d",
                "-x",
                &size[0],
                "-y",
                &size[1],
                &script,
            ])
            .status;
        assert!(started.success(), "{script}");
        terminal
    }

    /// Presses keys, by the names that tmux has for them.
    pub(crate) fn press(&self, keys: &[&str]) {
        for key in keys {
            self.tmux(&["send-keys", key]);
        }
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, width: u16, height: u16) {
        let (width, height) = (width.to_string(), height.to_string());
        self.tmux(&["resize-window", "-x", &width, "-y", &height]);
    }

    /// What it shows now.
    pub(crate) fn screen(&self) -> String {
        self.told(&["capture-pane", "-p"])
    }

    /// What it shows now, with the sequences for colours and the like.
    pub(crate) fn styled(&self) -> String {
        self.told(&["capture-pane", "-e", "-p"])
    }

    /// Whether a program has the screen for itself.
    pub(crate) fn is_taken(&self) -> bool {
        self.told(&["display-message", "-p", "#{alternate_on}"])
            .trim()
            == "1"
    }

    /// Waits until the screen has something on it, and gives the screen.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            assert!(
                Instant::now() < deadline,
                "in vain: {what}; the screen:\n{screen}"
            );
            // tmux announces changes to nobody.
            thread::park_timeout(Duration::from_millis(20));
        }
    }

    /// Waits for a text on the screen.
    #[track_caller]
    pub(crate) fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// The process of the program.
    pub(crate) fn program(&self) -> u64 {
        let shell = self.told(&["display-message", "-p", "#{pane_pid}"]);
        let shell = shell.trim();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        children.unwrap().trim().parse().unwrap()
    }

    fn told(&self, arguments: &[&str]) -> String {
        String::from_utf8(self.tmux(arguments).stdout).unwrap()
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command
            .env_remove("TMUX")
            .env("LC_ALL", "C.UTF-8")
            .arg("-u")
            .arg("-S");
        command
            .arg(self.directory.path().join("socket"))
            .args(arguments);
        command.output().expect("tmux; `make test` installs it")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
