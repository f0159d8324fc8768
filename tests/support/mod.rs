//! What the tests share: servers and peers that are started, waited for and ended; clients that speak plainly.
//!
//! Nothing here sleeps: a start is awaited by its line in the log, an end by the process itself, an answer by a read
//! with a deadline. Whatever takes longer than [`PATIENCE`] fails, with what was seen so far.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) mod address;
pub(crate) mod answer;
pub(crate) mod apache;
pub(crate) mod browser;
pub(crate) mod certificates;
pub(crate) mod chromium;
pub(crate) mod client;
pub(crate) mod fastcgi;
pub(crate) mod haproxy;
pub(crate) mod journal;
pub(crate) mod lighttpd;
pub(crate) mod load;
pub(crate) mod nginx;
pub(crate) mod package;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod python;
pub(crate) mod scgi;
pub(crate) mod site;
pub(crate) mod terminal;
mod tls;
pub(crate) mod uwsgi;

/// How long anything may take on a small and busy machine. Reached only by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The virtual environment with the frameworks, made by `make venvs`.
pub(crate) fn venv() -> PathBuf {
    let venv = root().join("target/venv/test");
    assert!(
        venv.join("done").exists(),
        "{} is missing or half made: run `make venvs` first",
        venv.display()
    );
    venv
}
