//! `[[cgi]]`: programs that answer requests (RFC 3875).

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::TimeSpan;

/// One `[[cgi]]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cgi {
    /// What the paths of its requests begin with, `"/cgi-bin"`.
    pub path: String,
    /// The directory whose programs answer. Give this or `file`.
    pub directory: Option<PathBuf>,
    /// The one program that answers. Give this or `directory`.
    pub file: Option<PathBuf>,
    /// Endings of the names of programs that may run, with their dot: `[".cgi"]`. Empty: all may.
    #[serde(default)]
    pub allowed_ext: Vec<String>,
    /// Interpreters by the ending of the program's name: `{ ".pl" = "perl" }`. Programs with other endings are run
    /// themselves.
    #[serde(default)]
    pub helpers: BTreeMap<String, String>,
    /// Names of the programs that answer for a directory.
    #[serde(default)]
    pub index: Vec<String>,
    /// How long a program may neither say anything nor take any of its input before it is killed; the answer is 504 if
    /// it has said nothing yet. 0: as long as it wants.
    #[serde(default = "timeout")]
    pub timeout: TimeSpan,
    /// Variables of the programs, beside those of RFC 3875. Of hostler's own environment they see `LANG`, `PATH`
    /// and `TZ` alone.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Most programs of each worker that run at a time; 0: 32. A request for one more is answered with 503.
    #[serde(default)]
    pub max_processes: u32,
}

/// Most programs of a worker for each `[[cgi]]` that says nothing of it. A program is a process, and what one may take
/// of memory the site's unit limits, not this.
const PROCESSES: u32 = 32;

impl Cgi {
    /// Most programs of each worker that run at a time.
    pub fn processes(&self) -> u32 {
        match self.max_processes {
            0 => PROCESSES,
            given => given,
        }
    }
}

fn timeout() -> TimeSpan {
    TimeSpan(Duration::from_secs(60))
}
