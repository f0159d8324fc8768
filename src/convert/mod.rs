//! From the configuration of another server to a settings file of ours, with an account of every line of it.
//!
//! Each server has a folder of its own; what they share is the account and the file that is being written. Nothing
//! here prints, and nothing is decided by this machine but what the configuration itself asks of it.

pub(crate) mod account;
pub(crate) mod draft;
pub(crate) mod gunicorn;
pub(crate) mod uwsgi;

/// For `tests/convert` and the fuzz target.
pub use uwsgi::outside;
