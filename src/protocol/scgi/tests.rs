//! Requests as nginx sends them; what else there is, is in `tests/wire/scgi`.

use super::parse;
use crate::protocol::{Framing, Head, Kind, Parsed, Refusal};

fn netstring(variables: &[(&str, &str)]) -> Vec<u8> {
    let block: String = variables
        .iter()
        .map(|(name, value)| format!("{name}\0{value}\0"))
        .collect();
    format!("{}:{block},", block.len()).into_bytes()
}

/// The method, what the path is, and what SCRIPT_NAME is.
fn check(variables: &[(&str, &str)], path: &str, script: &str) {
    let method = ("REQUEST_METHOD", "GET");
    let buffer = netstring(&[&[("CONTENT_LENGTH", "0"), method], variables].concat());
    let mut head = Head::default();
    assert_eq!(parse(&buffer, 4096, 0, &mut head), Ok(Parsed::Complete));
    let text = |span: crate::protocol::Span| String::from_utf8_lossy(span.of(&buffer)).into_owned();
    assert_eq!(text(head.method), "GET");
    assert_eq!(
        (text(head.path).as_str(), text(head.script).as_str()),
        (path, script)
    );
    assert_eq!((head.len, head.kind), (buffer.len(), Kind::Scgi));
    assert_eq!((head.framing, head.keep_alive), (Framing::Length(0), false));
}

#[test]
fn path_info_is_the_path() {
    check(&[("PATH_INFO", "/b"), ("SCRIPT_NAME", "/a")], "/b", "/a");
    check(&[("PATH_INFO", ""), ("SCRIPT_NAME", "/a")], "", "/a");
    check(&[("PATH_INFO", "/b"), ("DOCUMENT_URI", "/c")], "/b", "");
}

#[test]
fn without_path_info_the_document_is_the_path() {
    check(&[("DOCUMENT_URI", "/a/b")], "/a/b", "");
    check(
        &[("DOCUMENT_URI", "/a/b"), ("SCRIPT_NAME", "/a/b")],
        "/a/b",
        "",
    );
    check(
        &[("DOCUMENT_URI", "/a/b"), ("SCRIPT_NAME", "/a")],
        "/b",
        "/a",
    );
    check(&[("DOCUMENT_URI", "/ab"), ("SCRIPT_NAME", "/a")], "/ab", "");
    check(&[("SCRIPT_NAME", "/a")], "/a", "");
    check(&[], "", "");
}

#[test]
fn limits() {
    let refused = |bytes: &[u8], limit, body| {
        let mut head = Head::default();
        let parsed = parse(bytes, limit, body, &mut head);
        parsed.map_err(|refusal: Refusal| refusal.status)
    };
    let request = netstring(&[("REQUEST_METHOD", "PUT"), ("CONTENT_LENGTH", "11")]);
    let size = request.len() - 4;
    assert_eq!(refused(&request, size, 11), Ok(Parsed::Complete));
    assert_eq!(refused(&request, size - 1, 11), Err(431));
    assert_eq!(refused(&request, size, 10), Err(413));
    let many = [("REQUEST_METHOD", "PUT")].repeat(513);
    assert_eq!(refused(&netstring(&many), 65_536, 0), Err(431));
}
