//! The text of one event, for people. Pure, so that it can be tested to the letter.

use tracing::Level;

use super::{Role, content::Content};

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

/// One line, and further ones, indented, for what does not fit into one.
pub(super) fn format(
    style: Style,
    level: Level,
    role: Role,
    time: &str,
    content: &Content,
) -> String {
    let mut text = head(style, level, role, time);
    text.push_str(&sentence(content));
    text.push('\n');
    let begin = if style == Style::Priority {
        priority(level)
    } else {
        ""
    };
    content
        .further_lines()
        .for_each(|line| text.extend([begin, "    ", line, "\n"]));
    text
}

/// What is said, with the values that fit into a line.
pub(super) fn sentence(content: &Content) -> String {
    let mut text = content.headline().to_owned();
    for (name, value) in content.short_fields() {
        text.extend([" ", name, "=", &quoted(value)]);
    }
    text
}

fn head(style: Style, level: Level, role: Role, time: &str) -> String {
    let role = match role {
        Role::Supervisor => "supervisor".into(),
        Role::Worker(slot) => format!("worker {slot}"),
        Role::Zygote => "zygote".into(),
    };
    match style {
        Style::Coloured => format!(
            "\x1b[2m{time}\x1b[0m {}{level:<5}\x1b[0m \x1b[2m{role}:\x1b[0m ",
            colour(level)
        ),
        Style::Plain => format!("{time} {level:<5} {role}: "),
        Style::Priority => format!("{}{role}: ", priority(level)),
    }
}

/// Quotes only what could be mistaken for more than one value.
fn quoted(value: &str) -> String {
    let simple = |c: char| !c.is_whitespace() && !c.is_control() && c != '"' && c != '\\';
    let value = value.trim_end_matches('\n');
    if !value.is_empty() && value.chars().all(simple) {
        return value.to_owned();
    }
    format!("{value:?}")
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        _ => "\x1b[34m",
    }
}

fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        Level::INFO => "<6>",
        _ => "<7>",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(style: Style, level: Level, fields: &[(&'static str, &str)], expected: &str) {
        let mut content = Content::default();
        fields
            .iter()
            .for_each(|(name, value)| content.record(name, (*value).to_owned()));
        assert_eq!(
            format(style, level, Role::Worker(3), "TIME", &content),
            expected
        );
    }

    #[test]
    fn a_sentence_and_its_fields_are_one_line() {
        let fields = [
            ("message", "listening"),
            ("protocol", "http"),
            ("address", "127.0.0.1:8000"),
        ];
        let expected = "TIME INFO  worker 3: listening protocol=http address=127.0.0.1:8000\n";
        check(Style::Plain, Level::INFO, &fields, expected);
    }

    #[test]
    fn values_with_blanks_are_quoted() {
        let fields = [
            ("message", "died"),
            ("request", "GET /a \"b\"\t"),
            ("empty", ""),
        ];
        let expected = "TIME WARN  worker 3: died request=\"GET /a \\\"b\\\"\\t\" empty=\"\"\n";
        check(Style::Plain, Level::WARN, &fields, expected);
    }

    #[test]
    fn further_lines_are_indented() {
        let fields = [("message", "failed\nTraceback:\n  File"), ("pid", "7")];
        let expected = "TIME ERROR worker 3: failed pid=7\n    Traceback:\n      File\n";
        check(Style::Plain, Level::ERROR, &fields, expected);
    }

    #[test]
    fn long_values_come_after_the_line() {
        let fields = [
            ("traceback", "Traceback:\n  File\n"),
            ("message", "failed"),
            ("pid", "7"),
        ];
        let expected = "TIME ERROR worker 3: failed pid=7\n    Traceback:\n      File\n";
        check(Style::Plain, Level::ERROR, &fields, expected);
    }

    #[test]
    fn journald_gets_the_priority_on_each_line() {
        let fields = [("message", "failed\nTraceback")];
        check(
            Style::Priority,
            Level::ERROR,
            &fields,
            "<3>worker 3: failed\n<3>    Traceback\n",
        );
    }

    #[test]
    fn a_terminal_gets_colours() {
        let expected = "\x1b[2mTIME\x1b[0m \x1b[34mDEBUG\x1b[0m \x1b[2mworker 3:\x1b[0m step\n";
        check(
            Style::Coloured,
            Level::DEBUG,
            &[("message", "step")],
            expected,
        );
    }
}
