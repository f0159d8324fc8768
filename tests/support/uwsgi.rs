//! The client's side of the uwsgi protocol: what nginx does.

use super::{address::Address, answer::Answer};

/// The variables that nginx's `uwsgi_params` sends for a request, before those that a test adds.
pub(crate) fn variables(method: &str, target: &str) -> Vec<(String, String)> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = [
        ("QUERY_STRING", query),
        ("REQUEST_METHOD", method),
        ("CONTENT_TYPE", ""),
        ("CONTENT_LENGTH", ""),
        ("REQUEST_URI", target),
        ("PATH_INFO", path),
        ("DOCUMENT_ROOT", "/usr/share/nginx/html"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_SCHEME", "http"),
        ("REMOTE_ADDR", "192.0.2.7"),
        ("REMOTE_PORT", "54321"),
        ("SERVER_PORT", "80"),
        ("SERVER_NAME", "example.com"),
        ("HTTP_HOST", "example.com"),
    ];
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// A packet: modifiers, size, variables.
pub(crate) fn packet(
    modifier1: u8,
    modifier2: u8,
    variables: &[(String, impl AsRef<[u8]>)],
) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in variables {
        for text in [name.as_bytes(), value.as_ref()] {
            block.extend_from_slice(&u16::try_from(text.len()).unwrap().to_le_bytes());
            block.extend_from_slice(text);
        }
    }
    raw_packet(modifier1, modifier2, &block)
}

/// A packet with any bytes in place of the variables.
pub(crate) fn raw_packet(modifier1: u8, modifier2: u8, block: &[u8]) -> Vec<u8> {
    let [low, high] = u16::try_from(block.len()).unwrap().to_le_bytes();
    let mut bytes = vec![modifier1, low, high, modifier2];
    bytes.extend_from_slice(block);
    bytes
}

/// The bytes of a request with further variables and a body.
pub(crate) fn request(
    method: &str,
    target: &str,
    further: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let variables = variables_with(method, target, further, body);
    [packet(0, 0, &variables), body.to_vec()].concat()
}

/// [`variables`] with those that a test adds or sets, and the length of a body.
pub(crate) fn variables_with(
    method: &str,
    target: &str,
    further: &[(&str, &str)],
    body: &[u8],
) -> Vec<(String, String)> {
    let mut variables = variables(method, target);
    let mut set =
        |name: &str, value: &str| match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.to_owned(),
            None => variables.push((name.to_owned(), value.to_owned())),
        };
    if !body.is_empty() {
        set("CONTENT_LENGTH", &body.len().to_string());
    }
    for (name, value) in further {
        set(name, value);
    }
    variables
}

impl Address {
    /// One request over the uwsgi protocol; the connection must end with the answer.
    pub(crate) fn uwsgi(
        &self,
        method: &str,
        target: &str,
        further: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut client = self.connect();
        client.send(&request(method, target, further, body));
        let answer = client.answer_to(method);
        assert!(
            client.is_closed(),
            "the connection stays open after the answer"
        );
        answer
    }
}
