//! `[metrics]`: numbers for Prometheus and its like.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::Address;

/// `[metrics]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Metrics {
    /// Where `/metrics` is served over HTTP, in the OpenMetrics format, `/healthz` and `/readyz`. Without it nowhere.
    pub address: Option<Address>,
    /// Serve a page for people at `/` there. It shows running requests.
    pub page: bool,
}
