//! The client's side of SCGI: what nginx does.

use super::{address::Address, answer::Answer, fastcgi::cgi_answer, uwsgi::variables_with};

/// A netstring of variables.
pub(crate) fn netstring(variables: &[(String, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in variables {
        for text in [name.as_bytes(), value.as_ref()] {
            block.extend_from_slice(text);
            block.push(0);
        }
    }
    [format!("{}:", block.len()).as_bytes(), &block, b","].concat()
}

/// The bytes of a request with further variables and a body.
pub(crate) fn request(
    method: &str,
    target: &str,
    further: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let mut variables = variables_with(method, target, further, body);
    // The specification wants CONTENT_LENGTH first, and a number.
    let length = variables
        .iter()
        .position(|(name, _)| name == "CONTENT_LENGTH")
        .unwrap();
    let (name, length) = variables.remove(length);
    let length = if length.is_empty() {
        "0".to_owned()
    } else {
        length
    };
    variables.insert(0, (name, length));
    variables.insert(1, ("SCGI".into(), "1".into()));
    [netstring(&variables), body.to_vec()].concat()
}

impl Address {
    /// One request over SCGI; the connection must end with the answer.
    pub(crate) fn scgi(
        &self,
        method: &str,
        target: &str,
        further: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut client = self.connect();
        client.send(&request(method, target, further, body));
        cgi_answer(&client.rest())
    }
}
