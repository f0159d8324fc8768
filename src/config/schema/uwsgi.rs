//! `[uwsgi]`: what holds for every listener that speaks the uwsgi protocol.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::ByteSize;

/// `[uwsgi]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Uwsgi {
    /// Largest packet of variables that is taken, from 4K to 64K. The protocol itself cannot say more than 64K.
    pub buffer_size: ByteSize,
}

impl Default for Uwsgi {
    fn default() -> Self {
        Self {
            buffer_size: ByteSize(32 << 10),
        }
    }
}
