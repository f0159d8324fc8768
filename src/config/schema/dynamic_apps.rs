//! `[dynamic-apps]`: applications that the front server names with each request.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[dynamic-apps]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DynamicApps {
    /// Take the application from the variables of a request (`UWSGI_MODULE`, `UWSGI_CALLABLE`, `UWSGI_FILE` ...), if it
    /// is in `allow`.
    pub enabled: bool,
    /// Names of modules, and Python files, that a request may name.
    pub allow: Vec<String>,
}
