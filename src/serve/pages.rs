//! What the bodies of our own errors are: pages of the site's, read once, or the words of the status.

use std::{collections::BTreeMap, fs, io, path::PathBuf};

use crate::{config::Response, protocol::http::response::reason_phrase, static_files::Files};

/// A page that is larger is none. Every worker keeps it, and the one for 504 has to fit into a socket's buffer.
const LARGEST: u64 = 64 << 10;

/// A page for errors cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("response.error-pages: cannot read {}", path.display())]
pub struct PageError {
    path: PathBuf,
    source: io::Error,
}

/// One page.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

/// Pages by status.
#[derive(Debug, Default)]
pub(super) struct Pages(BTreeMap<u16, Page>);

impl Pages {
    /// Reads them.
    ///
    /// # Errors
    /// One cannot be read, or is no page.
    pub(super) fn load(response: &Response, files: &Files) -> Result<Self, PageError> {
        let pages = response.error_pages.iter().map(|(status, path)| {
            let body = read(path).map_err(|source| PageError {
                path: path.clone(),
                source,
            })?;
            let name = path.as_os_str().as_encoded_bytes();
            let content_type = files.content_type(name);
            Ok((status.0, Page { content_type, body }))
        });
        pages.collect::<Result<_, _>>().map(Self)
    }

    /// Media type and body for an answer of this status.
    pub(super) fn of(&self, status: u16) -> (&str, &[u8]) {
        match self.0.get(&status) {
            Some(page) => (&page.content_type, &page.body),
            None => ("text/plain", reason_phrase(status).as_bytes()),
        }
    }
}

fn read(path: &PathBuf) -> io::Result<Vec<u8>> {
    let status = fs::metadata(path)?;
    if !status.is_file() || status.len() > LARGEST {
        return Err(io::Error::other("it is no regular file of 64 KiB at most"));
    }
    fs::read(path)
}
