//! What the program tells its caller when it ends.

use std::process::ExitCode;

/// How a command ended; the numbers above 2 are those of sysexits.h, which systemd names in its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    /// It did what it was asked to do.
    Success = 0,
    /// It could not; the message says why. Trying again may help.
    Failure = 1,
    /// It did, and a person has to look at what it made before it is used.
    NeedsHuman = 2,
    /// The command line makes no sense (EX_USAGE).
    Usage = 64,
    /// The settings cannot be used (EX_CONFIG); trying again helps only after an edit.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
