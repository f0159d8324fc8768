//! The lines of one entry on standard error, for people. Pure, so that it can be tested to the letter.

use memchr::memchr;

use super::{Priority, Role, digits::number, targets::Parts};

/// What makes a terminal's letters pale, and what ends all colours.
const PALE: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

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

/// Writes one line, and further ones, indented, for what does not fit into one; `time` writes the time. A message that has a
/// form of its own has nothing in front but what journald takes away again.
pub(super) fn put(
    line: &mut String,
    style: Style,
    parts: Parts<'_>,
    time: impl FnOnce(&mut String),
) {
    let text = parts.message;
    if parts.is_bare {
        if style == Style::Priority {
            line.extend(["<", parts.priority.digit(), ">"]);
        }
        line.extend([text, "\n"]);
        return;
    }
    put_head(line, style, parts, time);
    if memchr(b'\n', text.as_bytes()).is_none() {
        line.extend([text, "\n"]);
        return;
    }
    let mut lines = text.lines();
    line.extend([lines.next().unwrap_or_default(), "\n"]);
    for further in lines {
        if style == Style::Priority {
            line.extend(["<", parts.priority.digit(), ">"]);
        }
        line.extend(["    ", further, "\n"]);
    }
}

/// Writes `worker 3 stdout`.
pub(super) fn put_who(line: &mut String, role: Role, speaker: &str) {
    match role {
        Role::Supervisor => line.push_str("supervisor"),
        Role::Worker(slot) => {
            line.push_str("worker ");
            number(slot, line);
        }
        Role::Zygote => line.push_str("zygote"),
    }
    if !speaker.is_empty() {
        line.extend([" ", speaker]);
    }
}

fn put_head(line: &mut String, style: Style, parts: Parts<'_>, time: impl FnOnce(&mut String)) {
    let Parts {
        priority,
        role,
        speaker,
        ..
    } = parts;
    let name = priority.name();
    let blanks = &"     "[name.len()..];
    match style {
        Style::Coloured => {
            line.push_str(PALE);
            time(line);
            line.extend([PLAIN, " ", colour(priority), name, blanks, PLAIN, " ", PALE]);
            put_who(line, role, speaker);
            line.extend([":", PLAIN, " "]);
        }
        Style::Plain => {
            time(line);
            line.extend([" ", name, blanks, " "]);
            put_who(line, role, speaker);
            line.push_str(": ");
        }
        Style::Priority => {
            line.extend(["<", priority.digit(), ">"]);
            put_who(line, role, speaker);
            line.push_str(": ");
        }
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
        let parts = Parts {
            priority,
            role: Role::Worker(3),
            speaker,
            message: text,
            is_bare: false,
        };
        let mut entry = String::new();
        put(&mut entry, style, parts, |line| line.push_str("TIME"));
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
        let bare = |style| {
            let parts = Parts {
                priority: Priority::ERROR,
                role: Role::Worker(3),
                speaker: "",
                message: "{}",
                is_bare: true,
            };
            let mut entry = String::new();
            put(&mut entry, style, parts, |_| panic!("it has a time"));
            entry
        };
        assert_eq!(bare(Style::Plain), "{}\n");
        assert_eq!(bare(Style::Priority), "<3>{}\n");
    }

    #[test]
    fn a_terminal_gets_colours() {
        let expected = "\x1b[2mTIME\x1b[0m \x1b[34mDEBUG\x1b[0m \x1b[2mworker 3:\x1b[0m step\n";
        check(Style::Coloured, Priority::DEBUG, "", "step", expected);
    }
}
