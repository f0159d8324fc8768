//! Message and fields of one event, taken out of it once for whoever writes it.

use std::{error::Error, fmt, iter};

use tracing::field::{Field, Visit};

/// What an event says.
#[derive(Debug, Default)]
pub(super) struct Content {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Content {
    /// What people read: the message with the values that fit into its line, then what takes more than one line.
    pub(super) fn text(&self) -> String {
        let mut text = self.headline().to_owned();
        for (name, value) in self.short_fields() {
            text.extend([" ", name, "=", &quoted(value)]);
        }
        text.extend(self.further_lines().flat_map(|line| ["\n", line]));
        text
    }

    /// The first line of the message.
    fn headline(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// What takes more than one line: the rest of the message, then values (a traceback, for example).
    fn further_lines(&self) -> impl Iterator<Item = &str> {
        let values = self.fields.iter().filter(|(_, value)| is_long(value));
        self.message
            .lines()
            .skip(1)
            .chain(values.flat_map(|(_, value)| value.lines()))
    }

    /// Names and values of one line.
    fn short_fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields().filter(|(_, value)| !is_long(value))
    }

    /// All names and values but the message.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
    }

    pub(super) fn record(&mut self, name: &'static str, value: String) {
        if name == "message" {
            self.message = value;
        } else {
            self.fields.push((name, value));
        }
    }
}

impl Visit for Content {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record(field.name(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record(field.name(), format!("{value:?}"));
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        let causes = iter::successors(error.source(), |cause| (*cause).source());
        let text = causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"));
        self.record(field.name(), text);
    }
}

fn is_long(value: &str) -> bool {
    value.trim_end().contains('\n')
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

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[(&'static str, &str)], expected: &str) {
        let mut content = Content::default();
        fields
            .iter()
            .for_each(|(name, value)| content.record(name, (*value).to_owned()));
        assert_eq!(content.text(), expected);
    }

    #[test]
    fn a_sentence_and_its_values_are_one_line() {
        let address = ("address", "127.0.0.1:8000");
        let fields = [("message", "listening"), ("protocol", "http"), address];
        check(&fields, "listening protocol=http address=127.0.0.1:8000");
    }

    #[test]
    fn values_with_blanks_are_quoted() {
        let request = ("request", "GET /a \"b\"\t");
        let fields = [("message", "died"), request, ("empty", "")];
        check(&fields, "died request=\"GET /a \\\"b\\\"\\t\" empty=\"\"");
    }

    #[test]
    fn what_is_long_comes_after_the_line() {
        let fields = [("message", "failed\nTraceback:\n  File"), ("pid", "7")];
        check(&fields, "failed pid=7\nTraceback:\n  File");
        let traceback = ("traceback", "Traceback:\n  File\n");
        let fields = [traceback, ("message", "failed"), ("pid", "7")];
        check(&fields, "failed pid=7\nTraceback:\n  File");
    }
}
