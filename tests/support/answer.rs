//! What a server answered, taken apart.

use super::client::find;

/// A response, with its body out of its framing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) version: String,
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to the end that its framing announced.
    pub(crate) whole: bool,
}

impl Answer {
    /// The first header of this name.
    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers(wanted).next()
    }

    /// All headers of this name.
    pub(crate) fn headers(&self, wanted: &str) -> impl Iterator<Item = &str> {
        let same = move |name: &str| name.eq_ignore_ascii_case(wanted);
        self.headers
            .iter()
            .filter(move |(name, _)| same(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, of an answer that must be 200.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, 200, "{}", self.text());
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in {:?}", self.text()))
    }
}

/// An answer out of all bytes of a connection, its body up to the close.
pub(crate) fn parse(bytes: &[u8]) -> Answer {
    let end = find(bytes, b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {bytes:?}")) + 4;
    Answer {
        body: bytes[end..].to_vec(),
        ..parse_head(&bytes[..end])
    }
}

/// A head up to its empty line, without a body.
pub(super) fn parse_head(head: &[u8]) -> Answer {
    // Header values are Latin-1: a byte is the character of the same number.
    let text: String = head.iter().map(|&byte| char::from(byte)).collect();
    let mut lines = text.trim_end().split("\r\n");
    let mut status = lines.next().unwrap().splitn(3, ' ');
    let version = status.next().unwrap().to_owned();
    let code = status.next().and_then(|code| code.parse().ok());
    let headers = lines.map(|line| {
        let (name, value) = line
            .split_once(':')
            .unwrap_or_else(|| panic!("no header: {line:?} in {text:?}"));
        (name.to_owned(), value.trim().to_owned())
    });
    Answer {
        version,
        status: code.unwrap_or_else(|| panic!("no status line: {text:?}")),
        reason: status.next().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: Vec::new(),
        whole: true,
    }
}
