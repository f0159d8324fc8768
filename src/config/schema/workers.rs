//! `[workers]`: how many processes and threads run the application.

use serde::{Deserialize, Serialize};

use crate::config::value::ByteSize;

/// `[workers]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workers {
    /// Worker processes, from 1 to 1024.
    pub processes: u32,
    /// Python threads of each worker, from 1 to 1024. As many requests run in one worker at a time.
    pub threads: u32,
    /// Stack of each thread but the first, from 64K to 1G; 0: the system's default.
    pub thread_stack: ByteSize,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            processes: 1,
            threads: 1,
            thread_stack: ByteSize(0),
        }
    }
}
