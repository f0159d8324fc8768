//! Where readings come from, and what may be wrong with a site that gives none.

use std::path::{Path, PathBuf};

use crate::supervisor::control::Status;

/// Asks sites. Whoever implements it knows sockets; a call may take as long as it has patience for.
pub(crate) trait Source: Send + Sync {
    /// The sockets of the sites that are meant, whether or not somebody listens there.
    fn places(&self) -> Vec<PathBuf>;

    /// What the site there is doing.
    ///
    /// # Errors
    /// It cannot be told.
    fn status(&self, place: &Path) -> Result<Status, Trouble>;

    /// Where the threads of one of its workers are.
    ///
    /// # Errors
    /// One line that says why it cannot be told.
    fn stack(&self, place: &Path, worker: u32, generation: u32) -> Result<String, String>;
}

/// Why there is no reading of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// Its socket is somebody else's.
    #[error("permission denied")]
    Denied,
    /// Nobody listens.
    #[error("not running")]
    Gone,
    /// It answers something else, or not in time; one line.
    #[error("{0}")]
    Other(String),
}

/// A site at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// Its socket, which is what a site is known by.
    pub(super) place: PathBuf,
    pub(super) outcome: Result<Box<Status>, Trouble>,
}

impl Reading {
    /// Asks the site there.
    pub(super) fn take(source: &dyn Source, place: PathBuf) -> Self {
        let outcome = source.status(&place).map(Box::new);
        Self { place, outcome }
    }
}
