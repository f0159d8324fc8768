//! `[[route]]`: what happens to a request before the application sees it.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{HeaderLine, HeaderName, Network, Pattern};

/// One `[[route]]`: conditions, all of which have to hold, and what to do then.
///
/// They are looked at in the order of the file, until one has answered, or has `last`. `$1` to `$9` in `redirect`,
/// `rewrite` and `env` are the groups of `path`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// The path of the URL, decoded.
    pub path: Option<Pattern>,
    /// The host that was asked for, without a port.
    pub host: Option<Pattern>,
    /// The method is one of these.
    #[serde(default)]
    pub method: Vec<String>,
    /// Headers by name, each with an expression for its value: `{ User-Agent = "curl" }`.
    #[serde(default)]
    pub header: BTreeMap<HeaderName, Pattern>,
    /// The query, not decoded, without the `?`.
    pub query: Option<Pattern>,
    /// The client's address lies in one of these networks.
    #[serde(default)]
    pub remote_addr: Vec<Network>,
    /// Answer with a redirection to this URL.
    pub redirect: Option<String>,
    /// The status of that redirection: 301, 302, 303, 307 or 308.
    #[serde(default = "found")]
    pub status: u16,
    /// Go on with this path, and query if it has one, in place of what the client has sent.
    pub rewrite: Option<String>,
    /// Answer with this file.
    #[serde(rename = "static")]
    pub static_file: Option<PathBuf>,
    /// Answer with this status, from 400 to 599.
    pub deny: Option<u16>,
    /// Add these headers to the response.
    #[serde(default)]
    pub add_headers: Vec<HeaderLine>,
    /// Take these headers out of the response.
    #[serde(default)]
    pub remove_headers: Vec<HeaderName>,
    /// Whether the access log has the request.
    #[serde(default = "yes")]
    pub log: bool,
    /// Variables that are put into the request's environ.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Look at no route behind this one.
    #[serde(default)]
    pub last: bool,
}

/// RFC 9110 section 15.4.3.
fn found() -> u16 {
    302
}

fn yes() -> bool {
    true
}
