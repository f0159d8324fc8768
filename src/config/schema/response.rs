//! `[response]`: how responses are given out.

use serde::{Deserialize, Serialize};

use crate::config::value::ByteSize;

/// `[response]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Response {
    /// How much of a response is kept for a slow client before the application has to wait for it.
    pub buffering: ByteSize,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            buffering: ByteSize(1 << 20),
        }
    }
}
