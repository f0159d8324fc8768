//! `[static]`: files that are served without the application.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{MediaType, OneOrMore, Pattern, TimeSpan};

/// `[static]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StaticFiles {
    /// Directories in which the path of each request is looked for, before the application is asked.
    pub check: Vec<PathBuf>,
    /// Directories, or single files, by what the paths of their requests begin with: `{ "/static" = "public" }`. With
    /// several for one prefix the first that has the file serves it.
    pub map: BTreeMap<String, OneOrMore<PathBuf>>,
    /// Names of the files that answer for a directory.
    pub index: Vec<String>,
    /// Endings of names that are not served as files, with their dot: `[".py"]`.
    pub skip_ext: Vec<String>,
    /// Further directories that symbolic links may lead into.
    pub safe: Vec<PathBuf>,
    /// How long clients may keep files; the first entry that fits counts.
    pub expires: Vec<Expires>,
    /// Serve `FILE.br`, `FILE.zst` or `FILE.gz` beside a file to clients that can read it.
    pub precompressed: bool,
    /// Further tables of media types, in the form of `/etc/mime.types`.
    pub mime_types: Vec<PathBuf>,
    /// Serve files whose name, or whose directory's name, begins with a dot.
    pub hidden: bool,
    /// Let symbolic links lead out of the directories above.
    pub symlinks: bool,
}

/// One entry of `expires`: files, and how long clients may keep them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expires {
    /// By media type. Give one of `type`, `path` and `file`.
    #[serde(rename = "type")]
    pub media_type: Option<MediaType>,
    /// By the path of the URL.
    pub path: Option<Pattern>,
    /// By the path of the file.
    pub file: Option<Pattern>,
    /// For so long; 0: they ask again each time.
    pub after: TimeSpan,
}
