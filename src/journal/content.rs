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
    /// The first line of the message.
    pub(super) fn headline(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// What takes more than one line: the rest of the message, then values (a traceback, for example).
    pub(super) fn further_lines(&self) -> impl Iterator<Item = &str> {
        let values = self.fields.iter().filter(|(_, value)| is_long(value));
        self.message
            .lines()
            .skip(1)
            .chain(values.flat_map(|(_, value)| value.lines()))
    }

    /// Names and values of one line.
    pub(super) fn short_fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
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
