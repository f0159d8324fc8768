//! One event as fields for the journal, or as one line on stderr.
