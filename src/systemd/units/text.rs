//! The text of a unit, and what has to be escaped in it (systemd.syntax(7), systemd.unit(5)).

use std::{fmt::Write, path::Path};

/// A unit that is being written.
pub(super) struct Text {
    text: String,
    /// A section whose first setting is still to come.
    pending: Option<&'static str>,
}

impl Text {
    /// Begins with a comment.
    pub(super) fn new(comment: &str) -> Self {
        let mut text = Self {
            text: String::new(),
            pending: None,
        };
        text.comment(comment);
        text
    }

    /// The comment that tells where a unit comes from.
    /// It is also told to systemd, which then says so when the settings are newer than the units.
    pub(super) fn from(source: &Path) -> Self {
        let path = source.display();
        let mut text = Self::new(&format!(
            "Made by hostler from {path}: edit that and run `systemctl daemon-reload`. Changes here are lost."
        ));
        text.section("Unit");
        text.set("SourcePath", &line(&path.to_string()));
        text
    }

    /// One line; what could end it is shown as an escape.
    pub(super) fn comment(&mut self, comment: &str) {
        let escape = |c: char| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        };
        let mut line: String = comment.chars().map(escape).collect();
        // A backslash at the end would take in the next line.
        line.truncate(line.trim_end_matches('\\').len());
        self.begin_section();
        self.line(&format!("# {line}"));
    }

    /// What follows belongs to this section; it is not written when nothing follows.
    pub(super) fn section(&mut self, name: &'static str) {
        self.pending = Some(name);
    }

    /// A setting whose value stands as it should.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        self.begin_section();
        self.line(&format!("{key}={value}"));
    }

    /// A setting, if there is a value.
    pub(super) fn set_some(&mut self, key: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.set(key, value.as_ref());
        }
    }

    /// A list of words, in one line; nothing for an empty one.
    pub(super) fn set_words(&mut self, key: &str, words: impl IntoIterator<Item: AsRef<str>>) {
        let words = words.into_iter().map(|each| word(each.as_ref()));
        let words: Vec<String> = words.collect();
        if !words.is_empty() {
            self.set(key, &words.join(" "));
        }
    }

    /// Lines that come from a unit as they are.
    pub(super) fn copy(&mut self, lines: impl IntoIterator<Item: AsRef<str>>) {
        for line in lines {
            if let Some((key, value)) = line.as_ref().split_once('=') {
                self.set(key, value);
            }
        }
    }

    /// All of it.
    pub(super) fn finish(self) -> String {
        self.text
    }

    fn begin_section(&mut self) {
        if let Some(section) = self.pending.take() {
            self.line(&format!("\n[{section}]"));
        }
    }

    fn line(&mut self, line: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

/// A value that systemd takes to the end of the line, where only specifiers (`%i`) mean something.
pub(super) fn line(value: &str) -> String {
    value.replace('%', "%%")
}

/// A value that is one of several words: in quotes, with C's escapes, when it is not plain.
pub(super) fn word(value: &str) -> String {
    let is_plain = |c: char| {
        c.is_ascii_alphanumeric()
            || matches!(c, '/' | '.' | '_' | '-' | '+' | '@' | ':' | ',' | '=')
    };
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    let mut quoted = String::from('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '%' => quoted.push_str("%%"),
            // Writing to a string cannot fail.
            c if c.is_ascii_control() => _ = write!(quoted, "\\x{:02x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// An argument of a command, in which systemd would also replace `$NAME` (systemd.service(5)).
pub(super) fn argument(value: &str) -> String {
    word(value).replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(escape: fn(&str) -> String, value: &str, expected: &str) {
        assert_eq!(escape(value), expected);
    }

    #[test]
    fn words_are_quoted_when_they_have_to_be() {
        check(word, "/srv/shop-1/media_a", "/srv/shop-1/media_a");
        check(word, "A=b", "A=b");
        check(word, "", "\"\"");
        check(word, "a b", "\"a b\"");
        check(word, "100%", "\"100%%\"");
        check(word, "say \"\\\"", "\"say \\\"\\\\\\\"\"");
        check(word, "a\nb\tc\u{7}", "\"a\\nb\\tc\\x07\"");
        check(word, "ümlaut", "\"ümlaut\"");
        check(word, ";", "\";\"");
        check(word, "$HOME", "\"$HOME\"");
    }

    #[test]
    fn arguments_keep_their_dollars() {
        check(argument, "$HOME", "\"$$HOME\"");
        check(argument, "-v", "-v");
    }

    #[test]
    fn lines_have_specifiers_alone() {
        check(line, "/run/100%/a b.sock", "/run/100%%/a b.sock");
    }

    #[test]
    fn a_comment_is_one_line() {
        let text = Text::new("a\nb\\");
        assert_eq!(text.finish(), "# a\\nb\n");
    }

    #[test]
    fn sections_without_settings_are_left_out() {
        let mut text = Text::new("a");
        text.section("Unit");
        text.section("Service");
        text.set_words("After", [] as [&str; 0]);
        text.set("Nice", "1");
        assert_eq!(text.finish(), "# a\n\n[Service]\nNice=1\n");
    }
}
