//! `[response]`: how responses are given out, and what is added to them.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{ByteSize, ErrorStatus, HeaderLine, HeaderName, MediaType};

/// `[response]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Response {
    /// How much of a response is kept for a slow client before the application has to wait for it.
    pub buffering: ByteSize,
    /// Headers that are added to every response, `"X-Frame-Options: DENY"`.
    pub add_headers: Vec<HeaderLine>,
    /// Headers that are taken out of every response, before others are added.
    pub remove_headers: Vec<HeaderName>,
    /// Pages for errors that hostler answers itself, by status: `{ "503" = "pages/503.html" }`.
    pub error_pages: BTreeMap<ErrorStatus, PathBuf>,
    /// Media types that are compressed for clients that can read it: `["text/*", "application/json"]`.
    pub compress: Vec<MediaType>,
    /// Responses that are known to be smaller than this are not compressed.
    pub compress_above: ByteSize,
    /// Send the file that the application names in `X-Sendfile` or `X-Accel-Redirect`, below the directories of
    /// `[static]`.
    pub x_sendfile: bool,
    /// Directories for `X-Accel-Redirect`, by what its value begins with: `{ "/protected" = "/srv/files" }`.
    pub internal: BTreeMap<String, PathBuf>,
}

impl Default for Response {
    fn default() -> Self {
        Self {
            buffering: ByteSize(1 << 20),
            add_headers: Vec::new(),
            remove_headers: Vec::new(),
            error_pages: BTreeMap::new(),
            compress: Vec::new(),
            compress_above: ByteSize(1 << 10),
            x_sendfile: false,
            internal: BTreeMap::new(),
        }
    }
}
