//! Files that the application names or hands over, and pages for errors.

use super::{Files, write};
use crate::support::{answer::Answer, site::Site};

const TEXT: &[u8] = b"0123456789";

/// A site whose application answers with files, the protected ones among them.
fn files() -> Files {
    let tree = tempfile::tempdir().unwrap();
    write(tree.path(), "static/a.txt", TEXT);
    write(tree.path(), "protected/.b.txt", TEXT);
    write(tree.path(), "outside/c.txt", b"TOP SECRET");
    write(tree.path(), "404.html", b"<h1>not here</h1>");
    write(tree.path(), "500.html", b"<h1>broken</h1>");
    write(tree.path(), "413.html", b"<h1>too much</h1>");
    let at = |name: &str| tree.path().join(name);
    let site = Site::app("named")
        .bare()
        .setting("static", &format!("check = [{:?}]", at("static")))
        .setting("http", "max-body = 10")
        .setting(
            "response",
            &format!(
                "x-sendfile = true\nadd-headers = [\"X-Added: yes\"]\ninternal = {{ \"/protected\" = {:?} }}\nerror-pages = {{ \"404\" = {:?}, \"413\" = {:?}, \"500\" = {:?} }}",
                at("protected"),
                at("404.html"),
                at("413.html"),
                at("500.html")
            ),
        )
        .start();
    Files { site, tree }
}

impl Files {
    /// One GET for a view of the application, which is told of a file of the tree.
    fn named(&self, view: &str, name: &str, headers: &[(&str, &str)]) -> Answer {
        let name = self.tree.path().join(name);
        let target = format!("/{view}?{}", name.display());
        self.site.request("GET", &target, headers, b"")
    }
}

#[test]
fn a_file_that_is_named_is_sent_in_place_of_the_body() {
    let files = files();
    let answer = files.named("sendfile", "static/a.txt", &[]);
    assert_eq!((answer.status, answer.body.as_slice()), (200, TEXT));
    assert_eq!(answer.header("Content-Type"), Some("text/x-own"));
    assert_eq!(answer.header("X-Application"), Some("yes"));
    assert!(answer.header("X-Sendfile").is_none());
    assert_ne!(answer.header("ETag"), Some("\"own\""));
    let part = files.named("sendfile", "static/a.txt", &[("Range", "bytes=2-3")]);
    assert_eq!((part.status, part.text().as_str()), (206, "23"));
    let known = [("If-None-Match", answer.header("ETag").unwrap())];
    assert_eq!(files.named("sendfile", "static/a.txt", &known).status, 304);
}

#[test]
fn urls_that_only_the_application_may_use() {
    let files = files();
    let answer = files.site.get("/accel?/protected/%2eb.txt");
    assert_eq!((answer.status, answer.body.as_slice()), (200, TEXT));
    assert_eq!(answer.header("Cache-Control"), Some("private"));
    assert_eq!(files.site.get("/accel?/a.txt").body, TEXT);
}

#[test]
fn what_lies_elsewhere_is_not_sent() {
    let files = files();
    for answer in [
        files.named("sendfile", "outside/c.txt", &[]),
        files.named("sendfile", "static/../outside/c.txt", &[]),
        files.named("sendfile", "static/none", &[]),
        files.site.get("/accel?/protected/../outside/c.txt"),
        files.site.get("/accel?/protected/%2e%2e/outside/c.txt"),
        files.site.get("/sendfile?/etc/passwd"),
    ] {
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (404, "<h1>not here</h1>")
        );
        assert_eq!(answer.header("Content-Type"), Some("text/html"));
    }
    files.site.process.wait_for_text("names a file");
}

#[test]
fn a_file_that_is_handed_over_has_parts_if_the_application_says_so() {
    let files = files();
    let range = [("Range", "bytes=-3")];
    let part = files.named("wrapper", "static/a.txt", &range);
    assert_eq!((part.status, part.text().as_str()), (206, "789"));
    assert_eq!(part.header("Content-Range"), Some("bytes 7-9/10"));
    assert_eq!(part.header("ETag"), Some("\"own\""));
    assert_eq!(
        files.named("plain-wrapper", "static/a.txt", &range).status,
        200
    );
    assert_eq!(files.named("wrapper", "static/a.txt", &[]).body, TEXT);
    let condition = |value| [("Range", "bytes=0-1"), ("If-Range", value)];
    assert_eq!(
        files
            .named("wrapper", "static/a.txt", &condition("\"own\""))
            .status,
        206
    );
    assert_eq!(
        files
            .named("wrapper", "static/a.txt", &condition("\"other\""))
            .status,
        200
    );
    let none = files.named("wrapper", "static/a.txt", &[("Range", "bytes=10-")]);
    assert_eq!(
        (none.status, none.header("Content-Range")),
        (416, Some("bytes */10"))
    );
    let several = files.named("wrapper", "static/a.txt", &[("Range", "bytes=0-0,9-9")]);
    assert!(
        several.whole
            && several
                .header("Content-Type")
                .unwrap()
                .starts_with("multipart/byteranges")
    );
}

#[test]
fn errors_of_our_own_have_pages() {
    let files = files();
    let broken = files.site.get("/raise");
    assert_eq!(
        (broken.status, broken.text().as_str()),
        (500, "<h1>broken</h1>")
    );
    let large = files
        .site
        .request("POST", "/raise", &[], b"more than ten bytes");
    assert_eq!(
        (large.status, large.text().as_str()),
        (413, "<h1>too much</h1>")
    );
    for answer in [broken, large] {
        assert_eq!(answer.header("X-Added"), Some("yes"));
        assert_eq!(answer.header("Content-Type"), Some("text/html"));
    }
}

#[test]
fn a_page_that_is_missing_stops_the_start() {
    let page = "error-pages = { \"404\" = \"/none/404.html\" }";
    let site = Site::app("named").setting("response", page);
    let (process, _directory) = site.launch();
    process.wait_for_text("/none/404.html");
}
