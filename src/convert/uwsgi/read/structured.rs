//! Configurations in JSON, XML and YAML: from a document to pairs.

use super::{
    input::Format,
    line::{Draft, Source},
};
use crate::convert::account::Remark;

/// What a document has to say.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The options in their order.
    pub(super) drafts: Vec<Draft>,
    /// About lines.
    pub(super) remarks: Vec<(u32, Remark)>,
}

/// The pairs of a section; otherwise the name of the format and what is wrong.
pub(super) fn read(
    source: &Source,
    format: Format,
    section: &str,
) -> Result<Found, (&'static str, String)> {
    let _ = (source, section);
    match format {
        Format::Json => Err(("JSON", "later".to_owned())),
        Format::Xml => Err(("XML", "later".to_owned())),
        Format::Ini | Format::Yaml => Err(("YAML", "later".to_owned())),
    }
}
