//! `[request]`: how request bodies are taken in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::ByteSize;

/// `[request]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Request {
    /// Bodies up to this size are read before a thread is taken; larger ones are read while the application runs.
    pub post_buffering: ByteSize,
    /// Bodies read beforehand that are larger than this wait in a temporary file; 0: always in memory.
    pub spool_above: ByteSize,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            post_buffering: ByteSize(64 << 10),
            spool_above: ByteSize(1 << 20),
        }
    }
}
