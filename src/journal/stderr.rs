//! Events on standard error.

use std::io::{self, IsTerminal, Write};

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    Layer,
    fmt::{
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::Context,
};

use super::{
    content::Content,
    line::{self, Style},
};

/// Writes each event with one write(2), so that lines of different processes do not mix.
pub(super) struct StderrLayer {
    style: Style,
}

impl StderrLayer {
    /// `to_journal` when standard error is read by journald.
    pub(super) fn new(to_journal: bool) -> Self {
        let style = match io::stderr().is_terminal() {
            _ if to_journal => Style::Priority,
            true if std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) => {
                Style::Coloured
            }
            _ => Style::Plain,
        };
        Self { style }
    }
}

impl<S: Subscriber> Layer<S> for StderrLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut content = Content::default();
        event.record(&mut content);
        let level = *event.metadata().level();
        let text = line::format(self.style, level, super::role(), &now(), &content);
        // A log that nobody can read has no better place to complain.
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// UTC, to the millisecond (RFC 3339).
fn now() -> String {
    let mut time = String::with_capacity(32);
    let written = SystemTime.format_time(&mut Writer::new(&mut time));
    if written.is_err() || time.len() < "2000-01-01T00:00:00.000".len() {
        return String::new();
    }
    time.truncate("2000-01-01T00:00:00.000".len());
    time.push('Z');
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_has_milliseconds_and_a_zone() {
        let time = now();
        assert_eq!(time.len(), "2000-01-01T00:00:00.000Z".len());
        assert!(time.starts_with("20") && time.as_bytes()[19] == b'.' && time.ends_with('Z'));
    }
}
