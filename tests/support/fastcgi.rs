//! The client's side of FastCGI: what nginx does.

use super::{
    address::Address,
    answer::{self, Answer},
    client::Client,
    uwsgi::variables_with,
};

pub(crate) const BEGIN_REQUEST: u8 = 1;
pub(crate) const ABORT_REQUEST: u8 = 2;
pub(crate) const END_REQUEST: u8 = 3;
pub(crate) const PARAMS: u8 = 4;
pub(crate) const STDIN: u8 = 5;
pub(crate) const STDOUT: u8 = 6;
pub(crate) const GET_VALUES: u8 = 9;

/// One record, with so much padding.
pub(crate) fn record(kind: u8, id: u16, content: &[u8], padding: u8) -> Vec<u8> {
    let [id_high, id_low] = id.to_be_bytes();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut bytes = vec![1, kind, id_high, id_low, high, low, padding, 0];
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len() + usize::from(padding), 0);
    bytes
}

/// The record that begins a request; `keep`: the connection stays open.
pub(crate) fn begin(id: u16, role: u8, keep: bool) -> Vec<u8> {
    let flags = u8::from(keep);
    record(BEGIN_REQUEST, id, &[0, role, flags, 0, 0, 0, 0, 0], 0)
}

/// Records of a stream, without the empty one that ends it.
pub(crate) fn stream(kind: u8, id: u16, bytes: &[u8]) -> Vec<u8> {
    let pieces = bytes.chunks(0xffff);
    pieces
        .flat_map(|piece| record(kind, id, piece, 5))
        .collect()
}

/// The PARAMS stream, with its end.
pub(crate) fn params(id: u16, variables: &[(String, impl AsRef<[u8]>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in variables {
        let value = value.as_ref();
        for text in [name.as_bytes(), value] {
            match u8::try_from(text.len()) {
                Ok(length @ ..0x80) => bytes.push(length),
                _ => {
                    let length = u32::try_from(text.len()).unwrap() | 0x8000_0000;
                    bytes.extend_from_slice(&length.to_be_bytes());
                }
            }
        }
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(value);
    }
    [stream(PARAMS, id, &bytes), record(PARAMS, id, b"", 0)].concat()
}

/// The bytes of a request with further variables and a body.
pub(crate) fn request(
    id: u16,
    keep: bool,
    (method, target): (&str, &str),
    further: &[(&str, &str)],
    body: &[u8],
) -> Vec<u8> {
    let variables = variables_with(method, target, further, body);
    let body = [stream(STDIN, id, body), record(STDIN, id, b"", 0)].concat();
    [begin(id, 1, keep), params(id, &variables), body].concat()
}

/// One record of the server: its kind, its request, its content.
pub(crate) type Record = (u8, u16, Vec<u8>);

impl Client {
    /// The next record.
    pub(crate) fn record(&mut self) -> Record {
        let header = self.read(8);
        assert_eq!(header[0], 1, "the version of {header:?}");
        let length = u16::from_be_bytes([header[4], header[5]]);
        let content = self.read(usize::from(length));
        self.read(usize::from(header[6]));
        (
            header[1],
            u16::from_be_bytes([header[2], header[3]]),
            content,
        )
    }

    /// The next answer, to request `id`; it must come to its end, which says that all is well.
    pub(crate) fn fastcgi_answer(&mut self, id: u16) -> Answer {
        let (mut stdout, mut ended) = (Vec::new(), false);
        loop {
            let (kind, of, content) = self.record();
            assert_eq!(of, id, "the request of a record");
            match kind {
                STDOUT => {
                    assert!(!ended, "output after its end");
                    ended = content.is_empty();
                    stdout.extend_from_slice(&content);
                }
                END_REQUEST => {
                    assert_eq!((content, ended), (vec![0; 8], true));
                    return cgi_answer(&stdout);
                }
                _ => panic!("a record of kind {kind}"),
            }
        }
    }
}

/// An answer in the form of CGI.
pub(crate) fn cgi_answer(stdout: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(stdout);
    assert!(stdout.starts_with(b"Status: "), "{text}");
    answer::parse(&[b"CGI ", &stdout["Status: ".len()..]].concat())
}

impl Address {
    /// One request over FastCGI; the connection must end with the answer.
    pub(crate) fn fastcgi(
        &self,
        method: &str,
        target: &str,
        further: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut client = self.connect();
        client.send(&request(1, false, (method, target), further, body));
        let answer = client.fastcgi_answer(1);
        assert!(client.is_closed(), "the connection stays open");
        answer
    }
}
