//! The uwsgi protocol.
