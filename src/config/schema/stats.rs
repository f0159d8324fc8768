//! `[stats]`: what the site is doing, as uWSGI's stats server tells it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::Address;

/// `[stats]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Stats {
    /// Where JSON is given out to whoever connects. Without it nowhere; `hostler status --json` does not need it.
    pub address: Option<Address>,
    /// Speak HTTP there.
    pub http: bool,
}
