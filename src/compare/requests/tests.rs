//! What a list of requests says.

use super::*;

/// Each request as `method target | header; header | body`.
#[track_caller]
fn check(list: &str, expected: &[&str]) {
    let requests = parse("urls.txt", list.as_bytes()).unwrap();
    let shown: Vec<String> = requests.iter().map(show).collect();
    assert_eq!(shown, expected);
}

fn show(request: &Request) -> String {
    let mut text = format!("{}: {} {}", request.line, request.method, request.target);
    for header in &request.headers {
        text += &format!(" | {}: {}", header.name, header.value);
    }
    match &request.body_file {
        Some(file) => text + &format!(" @{}", file.display()),
        None => text,
    }
}

#[track_caller]
fn check_fault(list: &str, expected: &str) {
    let error = parse("urls.txt", list.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_line_is_a_path_or_a_method_and_a_path() {
    check(
        "/\n\n# the account\n/account?tab=1\r\nHEAD /robots.txt\n",
        &["1: GET /", "4: GET /account?tab=1", "5: HEAD /robots.txt"],
    );
}

#[test]
fn a_whole_url_is_a_path_and_a_host() {
    check(
        "http://example.com\nhttps://example.com:8443/a?b#c\nhttp://example.com?q\n",
        &[
            "1: GET / | Host: example.com",
            "2: GET /a?b | Host: example.com:8443",
            "3: GET /?q | Host: example.com",
        ],
    );
}

#[test]
fn indented_lines_are_header_fields_and_the_body() {
    check(
        "POST /cart\n  Content-Type: text/plain\n\n\t# with a session\n\tCookie: a=1; b=2\n  @order.txt\n/next\n",
        &[
            "1: POST /cart | Content-Type: text/plain | Cookie: a=1; b=2 @order.txt",
            "7: GET /next",
        ],
    );
    check("PUT /a @b/c.json", &["1: PUT /a @b/c.json"]);
}

#[test]
fn what_is_beyond_ascii_is_escaped() {
    check("/caf\u{e9}?\u{fc}=%20", &["1: GET /caf%C3%A9?%C3%BC=%20"]);
}

#[test]
fn a_byte_order_mark_is_not_a_path() {
    check("\u{feff}/a\n", &["1: GET /a"]);
}

#[test]
fn what_makes_no_sense_is_named() {
    check_fault(
        "/\naccount\n",
        "urls.txt:2: `account` is no path; it begins with a slash",
    );
    check_fault(
        "get /\n",
        "urls.txt:1: `get` is no method; write it in capitals, like GET or POST",
    );
    check_fault(
        "GET / HTTP/1.1\n",
        "urls.txt:1: `GET / HTTP/1.1` is no request; write a path, or a method and a path, with blanks in it as %20",
    );
    check_fault(
        "  Cookie: a\n",
        "urls.txt:1: an indented line belongs to the request above it, and there is none",
    );
    check_fault(
        "/\n Cookie\n",
        "urls.txt:2: `Cookie` is no header field; write `Name: value`",
    );
    check_fault(
        "/\n A b: c\n",
        "urls.txt:2: `A b` is no name of a header field",
    );
    check_fault(
        "POST /\n Content-Length: 3\n",
        "urls.txt:2: Content-Length is sent as the body asks for it; leave it out",
    );
    check_fault(
        "/a @b\n",
        "urls.txt:1: a GET has no body; name the method, like POST /a",
    );
    check_fault(
        "POST /a @b\n @c\n",
        "urls.txt:2: this request has a body already",
    );
    check_fault(
        "# nothing\n",
        "urls.txt: there is no request in it; write one path a line, like /account",
    );
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let error = parse("urls.txt", b"/\n/\xff\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "urls.txt:2: it is no UTF-8; write other bytes as %XX"
    );
}

#[test]
fn bodies_lie_beside_the_list() {
    let directory = tempfile::tempdir().unwrap();
    let list = directory.path().join("urls.txt");
    std::fs::write(&list, "POST / @body").unwrap();
    let error = Requests::load(&list).unwrap_err().to_string();
    assert_eq!(
        error,
        format!(
            "{}: cannot be read",
            directory.path().join("body").display()
        )
    );
    std::fs::write(directory.path().join("body"), b"\0\xff").unwrap();
    assert_eq!(Requests::load(&list).unwrap().requests[0].body, b"\0\xff");
}
