//! What a supervisor and its heir say to each other.
//!
//! They are programs of different versions, so neither may change what a word means: words and fields may be added, what is
//! unknown is ignored, and everything else is a new number in [`GREETING`].

use serde::{Deserialize, Serialize};

use crate::{ipc::LoadFailure, listener::Heirloom, supervisor::control::Reply};

/// Every message begins with it; who says another one is not understood.
pub(super) const GREETING: &str = "hostler succession 1";

/// Tells a program that it is an heir, and that its standard input is the way to its predecessor.
pub(crate) const VARIABLE: &str = "HOSTLER_SUCCESSION";

/// To the heir.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::supervisor) enum ToHeir {
    /// The first message. Descriptors: one for each heirloom, those of listeners first, then of stats, of metrics, of the
    /// control socket; then the keys of session tickets.
    Estate(Box<Estate>),
    /// It is in charge.
    Reign {
        /// Another reload was asked for while it was starting, which is its to do; who asked waits for the outcome.
        reload: bool,
    },
}

/// What an heir gets.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(in crate::supervisor) struct Estate {
    /// Version of the program before it.
    pub(super) version: String,
    /// Number of its first generation: they are counted on.
    pub(super) generation: u32,
    /// Its predecessor stays its parent, and ends with it.
    pub(super) is_child: bool,
    /// Those that applications serve.
    pub(super) listeners: Vec<Heirloom>,
    /// Those where stats are given out.
    pub(super) stats: Vec<Heirloom>,
    /// Those where metrics are given out.
    pub(super) metrics: Vec<Heirloom>,
    /// The control socket, if there is one.
    pub(super) control: Vec<Heirloom>,
    /// The directory of the control socket was made for it, and goes with it.
    pub(super) made_directory: bool,
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
