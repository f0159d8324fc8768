//! What clients get for a file.

use super::{Files, write};
use crate::support::answer::Answer;

const NAMES: [&str; 4] = [
    "static/a.css",
    "static/dir/index.html",
    "check/about",
    "check/index.html",
];

fn get(headers: &[(&str, &str)]) -> Answer {
    let files = Files::with(&NAMES);
    files.site.request("GET", "/static/a.css", headers, b"")
}

#[test]
fn a_file_is_described() {
    let answer = get(&[]);
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (200, "static/a.css")
    );
    let header = |name| answer.header(name);
    assert_eq!(header("Content-Type"), Some("text/css; charset=utf-8"));
    assert_eq!(header("Content-Length"), Some("12"));
    assert_eq!(header("Accept-Ranges"), Some("bytes"));
    assert!(header("ETag").is_some() && header("Last-Modified").is_some());
    assert!(header("Date").is_some() && header("X-Application").is_none());
}

#[test]
fn what_is_no_file_reaches_the_application() {
    let files = Files::with(&NAMES);
    for (method, target) in [
        ("GET", "/static/none"),
        ("POST", "/static/a.css"),
        ("GET", "/static"),
    ] {
        let answer = files.site.request(method, target, &[], b"");
        assert_eq!(
            answer.header("X-Application"),
            Some("yes"),
            "{method} {target}"
        );
    }
}

#[test]
fn directories() {
    let files = Files::with(&NAMES);
    assert_eq!(files.site.get("/").text(), "check/index.html");
    assert_eq!(
        files.site.get("/static/dir/").text(),
        "static/dir/index.html"
    );
    let answer = files.site.get("/static/dir?a=b");
    assert_eq!(
        (answer.status, answer.header("Location")),
        (301, Some("/static/dir/?a=b"))
    );
    assert_eq!(
        files.site.get("/about").header("Content-Type"),
        Some("application/octet-stream")
    );
}

#[test]
fn a_head_has_the_length_and_nothing_else() {
    let files = Files::with(&NAMES);
    let mut client = files.site.address().connect();
    client.send(b"HEAD /static/a.css HTTP/1.1\r\nHost: a\r\n\r\n");
    let head = client.answer_to("HEAD");
    assert_eq!(
        (head.status, head.header("Content-Length")),
        (200, Some("12"))
    );
    client.send_get("/static/a.css");
    assert_eq!(client.answer().text(), "static/a.css");
}

#[test]
fn what_the_client_has_is_not_sent_again() {
    let files = Files::with(&NAMES);
    let mut client = files.site.address().connect();
    client.send_get("/static/a.css");
    let first = client.answer();
    for (condition, validator) in [
        ("If-None-Match", "ETag"),
        ("If-Modified-Since", "Last-Modified"),
    ] {
        let value = first.header(validator).unwrap();
        let answer = files
            .site
            .request("GET", "/static/a.css", &[(condition, value)], b"");
        assert_eq!((answer.status, answer.body.len()), (304, 0), "{condition}");
        assert!(answer.header("Content-Length").is_none());
    }
    let failed = get(&[("If-Match", "\"other\"")]);
    assert_eq!(
        (failed.status, failed.text().as_str()),
        (412, "Precondition Failed")
    );
}

#[test]
fn ranges() {
    let part = get(&[("Range", "bytes=7-9")]);
    assert_eq!((part.status, part.text().as_str()), (206, "a.c"));
    assert_eq!(part.header("Content-Range"), Some("bytes 7-9/12"));
    let none = get(&[("Range", "bytes=12-")]);
    assert_eq!(
        (none.status, none.header("Content-Range")),
        (416, Some("bytes */12"))
    );
    let parts = get(&[("Range", "bytes=0-0,-1")]);
    let kind = parts.header("Content-Type").unwrap();
    let boundary = kind
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    let expected = format!(
        "--{boundary}\r\nContent-Type: text/css; charset=utf-8\r\nContent-Range: bytes 0-0/12\r\n\r\ns\r\n--{boundary}\r\nContent-Type: text/css; charset=utf-8\r\nContent-Range: bytes 11-11/12\r\n\r\ns\r\n--{boundary}--\r\n"
    );
    assert_eq!((parts.status, parts.text()), (206, expected));
}

/// Larger than what is read at once, and than what a socket takes.
#[test]
fn large_files_and_their_parts() {
    let files = Files::with(&[]);
    let content: Vec<u8> = (0..3_000_000_u32)
        .map(|number| (number / 7) as u8)
        .collect();
    write(files.tree.path(), "static/large", &content);
    let whole = files.site.get("/static/large");
    assert!(whole.whole && whole.body == content);
    let range = [("Range", "bytes=100000-2999998")];
    let part = files.site.request("GET", "/static/large", &range, b"");
    assert!(part.whole && part.body == content[100_000..2_999_999]);
    let ranges = [("Range", "bytes=0-99999,2000000-2099999")];
    let parts = files.site.request("GET", "/static/large", &ranges, b"");
    assert!(
        parts.whole
            && parts
                .body
                .windows(100_000)
                .any(|part| part == &content[2_000_000..2_100_000])
    );
}

#[test]
fn how_long_files_may_be_kept() {
    let rules = "expires = [{ type = \"text/css\", after = \"1h\" }]\nprecompressed = true";
    let files = Files::configured(&["static/a.css", "static/a.css.gz"], rules, |site| site);
    let plain = files.site.get("/static/a.css");
    assert_eq!(plain.header("Cache-Control"), Some("max-age=3600"));
    assert_eq!(plain.header("Vary"), Some("Accept-Encoding"));
    let packed = [("Accept-Encoding", "gzip, deflate")];
    let packed = files.site.request("GET", "/static/a.css", &packed, b"");
    assert_eq!(packed.header("Content-Encoding"), Some("gzip"));
    assert_eq!(packed.text(), "static/a.css.gz");
}

#[test]
fn a_missing_table_of_media_types_stops_the_start() {
    let tree = tempfile::tempdir().unwrap();
    let section = format!(
        "check = [{:?}]\nmime-types = [\"/none/mime.types\"]",
        tree.path()
    );
    let site = crate::support::site::Site::app("statics").setting("static", &section);
    let (process, _directory) = site.launch();
    process.wait_for_text("/none/mime.types");
}
