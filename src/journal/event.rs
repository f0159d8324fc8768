//! Events of our own, by way of `tracing`.
//!
//! Fields are `HOSTLER_` and the name in capitals; those that are of a request (`http_...`, `request_uri`, `remote_addr`) need no prefix. The message holds all
//! values too, since `journalctl` shows nothing else.

use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::{Layer, layer::Context};

use super::{
    content::Content,
    entry::{Entry, field_name},
    targets::{Parts, Targets},
};

/// Makes an entry of each event.
pub(super) struct Events<'t>(pub(super) &'t Targets);

impl<S: Subscriber> Layer<S> for Events<'static> {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut content = Content::default();
        event.record(&mut content);
        self.put(event.metadata(), &content);
    }
}

impl Events<'_> {
    fn put(&self, metadata: &Metadata<'_>, content: &Content) {
        let parts = Parts {
            priority: (*metadata.level()).into(),
            role: super::role(),
            speaker: "",
            message: &content.text(),
            is_bare: false,
        };
        let targets = self.0;
        targets.put(&targets.log, parts, |entry| {
            fields(entry, metadata, content)
        });
    }
}

fn fields(entry: &mut Entry, metadata: &Metadata<'_>, content: &Content) {
    if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
        entry.put("CODE_FILE", file);
        entry.put("CODE_LINE", line.to_string());
    }
    for (name, value) in content.fields() {
        entry.put(&field_name(name), value);
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::journal::{fake::Fake, targets};

    /// What the journal receives.
    fn received(event: impl Fn()) -> String {
        let fake = Fake::new();
        let events = Events(Box::leak(Box::new(targets::tests::to(&fake))));
        with_default(tracing_subscriber::registry().with(events), event);
        fake.next()
    }

    #[test]
    fn an_event_is_an_entry_with_fields() {
        let entry = received(|| tracing::warn!(pid = 7, http_status = 500, "died"));
        let lines: Vec<&str> = entry.lines().collect();
        for expected in [
            "MESSAGE=died pid=7 http_status=500",
            "PRIORITY=4",
            "SYSLOG_IDENTIFIER=hostler",
            "HOSTLER_SITE=shop",
            "HOSTLER_PID=7",
            "HTTP_STATUS=500",
            concat!("CODE_FILE=", file!()),
        ] {
            assert!(lines.contains(&expected), "{expected} is not in {entry}");
        }
    }

    #[test]
    fn a_long_value_is_in_the_message() {
        let entry = received(|| tracing::error!(traceback = "Traceback:\n  File\n", "failed"));
        let expected = "MESSAGE\n\u{18}\0\0\0\0\0\0\0failed\nTraceback:\n  File\nPRIORITY=3\n";
        assert!(entry.starts_with(expected), "{entry:?}");
    }
}
