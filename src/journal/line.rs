//! The lines of one entry on standard error, for people. Pure, so that it can be tested to the letter.

use super::{Priority, Role};

/// Who reads the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A person at a terminal.
    Coloured,
    /// A file or a pipe.
    Plain,
    /// journald, which takes `<3>` at the beginning of a line as its priority (sd-daemon(3)) and knows the time.
    Priority,
}

/// One line, and further ones, indented, for what does not fit into one. `speaker` is who says it within the process,
/// empty for hostler itself.
pub(super) fn format(
    style: Style,
    priority: Priority,
    role: Role,
    speaker: &str,
    time: &str,
    text: &str,
) -> String {
    let mut lines = text.lines();
    let mut entry = head(style, priority, role, speaker, time);
    entry.extend([lines.next().unwrap_or_default(), "\n"]);
    for line in lines {
        if style == Style::Priority {
            entry.extend(["<", priority.digit(), ">"]);
        }
        entry.extend(["    ", line, "\n"]);
    }
    entry
}

/// A line that has a form of its own: only journald is told more, which takes it away again.
pub(super) fn bare(style: Style, priority: Priority, line: &str) -> String {
    match style {
        Style::Coloured | Style::Plain => format!("{line}\n"),
        Style::Priority => format!("<{}>{line}\n", priority.digit()),
    }
}

/// `worker 3 stdout`
pub(super) fn who(role: Role, speaker: &str) -> String {
    let mut who = match role {
        Role::Supervisor => "supervisor".into(),
        Role::Worker(slot) => format!("worker {slot}"),
        Role::Zygote => "zygote".into(),
    };
    if !speaker.is_empty() {
        who.extend([" ", speaker]);
    }
    who
}

fn head(style: Style, priority: Priority, role: Role, speaker: &str, time: &str) -> String {
    let who = who(role, speaker);
    let name = priority.name();
    match style {
        Style::Coloured => format!(
            "\x1b[2m{time}\x1b[0m {}{name:<5}\x1b[0m \x1b[2m{who}:\x1b[0m ",
            colour(priority)
        ),
        Style::Plain => format!("{time} {name:<5} {who}: "),
        Style::Priority => format!("<{}>{who}: ", priority.digit()),
    }
}

fn colour(priority: Priority) -> &'static str {
    match priority.name() {
        "ERROR" => "\x1b[31m",
        "WARN" => "\x1b[33m",
        "INFO" => "\x1b[32m",
        _ => "\x1b[34m",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: Style, priority: Priority, speaker: &str, text: &str, expected: &str) {
        let entry = format(style, priority, Role::Worker(3), speaker, "TIME", text);
        assert_eq!(entry, expected);
    }

    #[test]
    fn an_entry_is_a_line_and_further_lines_are_indented() {
        let expected = "TIME ERROR worker 3: failed pid=7\n    Traceback:\n      File\n";
        let text = "failed pid=7\nTraceback:\n  File\n";
        check(Style::Plain, Priority::ERROR, "", text, expected);
    }

    #[test]
    fn who_speaks_within_the_process_is_named() {
        let expected = "TIME INFO  worker 3 stdout: hello\n";
        check(
            Style::Plain,
            Priority::NOTICE,
            "stdout",
            "hello\n",
            expected,
        );
    }

    #[test]
    fn journald_gets_the_priority_on_each_line() {
        let expected = "<3>worker 3: failed\n<3>    Traceback\n";
        check(
            Style::Priority,
            Priority::ERROR,
            "",
            "failed\nTraceback",
            expected,
        );
    }

    #[test]
    fn a_line_with_a_form_of_its_own_stays_as_it_is() {
        assert_eq!(bare(Style::Plain, Priority::ERROR, "{}"), "{}\n");
        assert_eq!(bare(Style::Priority, Priority::ERROR, "{}"), "<3>{}\n");
    }

    #[test]
    fn a_terminal_gets_colours() {
        let expected = "\x1b[2mTIME\x1b[0m \x1b[34mDEBUG\x1b[0m \x1b[2mworker 3:\x1b[0m step\n";
        check(Style::Coloured, Priority::DEBUG, "", "step", expected);
    }
}
