//! What settings and routes change about the head of an answer, whoever it comes from.

use std::borrow::Cow;

use super::{Exchange, ResponseHead};
use crate::{protocol::http::response::Facts, serve::headers};

impl Exchange<'_> {
    /// Header lines as they go out, and what they say about framing. First the site takes out and adds, then each route
    /// that holds, in its order: the last word is the narrowest.
    pub(super) fn amended<'h>(&self, head: &'h ResponseHead) -> (Cow<'h, [u8]>, Facts) {
        let mut facts = head.facts;
        let changes = self.connection.changes.as_deref();
        if self.rules.edits.is_empty() && changes.is_none() {
            return (Cow::Borrowed(&head.lines), facts);
        }
        let mut lines = head.lines.clone();
        self.rules.edits.apply(&mut lines);
        for edits in changes
            .iter()
            .flat_map(|changes| self.rules.router.edits(changes))
        {
            edits.apply(&mut lines);
        }
        // Whose Date was taken out gets ours.
        facts.date = headers::value_of(&lines, "Date").is_some();
        (Cow::Owned(lines), facts)
    }
}
