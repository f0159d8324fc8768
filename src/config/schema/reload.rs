//! `[reload]`: files whose change asks for a reload.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[reload]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reload {
    /// Reload when one of these files is touched, made or removed.
    pub touch_reload: Vec<PathBuf>,
    /// uWSGI's name for a reload that goes worker by worker, as every reload of hostler does.
    pub touch_chain_reload: Vec<PathBuf>,
    /// Recycle the workers, one after the other, without importing the application anew in the zygote.
    pub touch_workers_reload: Vec<PathBuf>,
    /// Open the log anew.
    pub touch_logreopen: Vec<PathBuf>,
    /// For development: reload when a module that the application has loaded changes.
    pub py_autoreload: bool,
}
