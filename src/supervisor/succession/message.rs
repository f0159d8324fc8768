//! What a supervisor and its heir say to each other.
//!
//! They are programs of different versions, so neither may change what a word means: words and fields may be added, what is
//! unknown is ignored, and everything else is a new number in [`GREETING`].

use serde::{Deserialize, Serialize};

use crate::{ipc::LoadFailure, supervisor::control::Reply};

use super::estate::Estate;

/// Every message begins with it; who says another one is not understood.
pub(super) const GREETING: &str = "hostler succession 1";

/// Tells a program that it is an heir, and that its standard input is the way to its predecessor.
pub(crate) const VARIABLE: &str = "HOSTLER_SUCCESSION";

/// To the heir.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::supervisor) enum ToHeir {
    /// The first message. Descriptors: each socket, and the keys of session tickets.
    Estate(Box<Estate>),
    /// It is in charge.
    Reign {
        /// Another reload was asked for while it was starting, which is its to do; who asked waits for the outcome.
        reload: bool,
    },
}

/// To the predecessor.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::supervisor) enum FromHeir {
    /// It needs at most so many milliseconds more.
    Extend {
        /// From now.
        ms: u64,
    },
    /// It cannot begin; it ends by itself.
    Failed(LoadFailure),
    /// How the reload has ended that it was given to do.
    Outcome(Box<Reply>),
    /// It serves, and may reign.
    Ready(Accession),
    /// The service is to end: whoever is still there has at most so many milliseconds.
    Stop {
        /// From now.
        mercy_ms: u64,
    },
}

/// An heir that serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Accession {
    /// Version of the program.
    pub(crate) version: String,
    /// The generation that serves.
    pub(crate) generation: u32,
    /// How many do.
    pub(crate) workers: u32,
}
