//! `[[mount]]`: further applications of the site, by path or by host.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::app::{Target, callable_name, target};

/// One `[[mount]]`: an application that answers in place of that of `[app]`.
///
/// Of several that fit, one with the host is taken before one without, then the one with the longest path.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mount {
    /// What the paths of its requests begin with, up to a `/` or the end, `"/shop"`; it becomes `SCRIPT_NAME`. Empty:
    /// every path. Give this, or `host`, or both.
    #[serde(default)]
    pub path: String,
    /// The host of its requests, without a port. Without it every host.
    pub host: Option<String>,
    /// The module that holds the application, as in `[app]`. Give this or `file`.
    pub module: Option<String>,
    /// The Python file that holds the application, as in `[app]`. Give this or `module`.
    pub file: Option<PathBuf>,
    /// The WSGI callable in the module or file, as in `[app]`.
    pub callable: Option<String>,
}

impl Mount {
    /// Name of the callable: behind the `:` of `module`, else `callable`, else `application`.
    pub fn callable_name(&self) -> &str {
        callable_name(self.module.as_deref(), self.callable.as_deref())
    }

    /// Where the application is found; `None` only in settings that were not checked and name none.
    pub fn target(&self) -> Option<Target<'_>> {
        target(self.module.as_deref(), self.file.as_deref())
    }
}
