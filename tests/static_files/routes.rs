//! `[[route]]`, and what settings change about the heads of answers.

use super::Files;
use crate::support::{
    answer::Answer,
    site::{Running, Site},
};

fn site(routes: &str) -> Running {
    Site::app("statics").setting("[route]", routes).start()
}

fn seen(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn requests_are_redirected_and_refused() {
    let site = site("path = '^/old/(.*)$'\nredirect = \"/new/$1\"\nstatus = 301");
    let answer = site.get("/old/a%20b");
    assert_eq!(
        (answer.status, answer.header("Location")),
        (301, Some("/new/a%20b"))
    );
    assert_eq!(answer.text(), "Moved Permanently");
    assert_eq!(site.get("/other").status, 200);
}

#[test]
fn the_application_sees_what_was_rewritten_and_the_url_that_was_sent() {
    let site =
        site("path = '^/u/([a-z]+)$'\nrewrite = \"/user?name=$1\"\nenv = { MARK = \"<$1>\" }");
    let answer = site.get("/u/bob?x=1");
    assert_eq!(seen(&answer, "PATH_INFO"), "/user");
    assert_eq!(seen(&answer, "QUERY_STRING"), "name=bob");
    assert_eq!(seen(&answer, "REQUEST_URI"), "/u/bob?x=1");
    assert_eq!(seen(&answer, "MARK"), "<bob>");
}

#[test]
fn one_request_changes_nothing_for_the_next() {
    let site = site("path = '^/mark$'\nenv = { MARK = \"yes\" }\nadd-headers = [\"X-Mark: yes\"]");
    let mut client = site.address().connect();
    for (target, mark) in [("/mark", "yes"), ("/other", ""), ("/mark", "yes")] {
        client.send_get(target);
        let answer = client.answer();
        assert_eq!(seen(&answer, "MARK"), mark);
        assert_eq!(answer.header("X-Mark").unwrap_or_default(), mark);
    }
}

#[test]
fn headers_come_and_go_with_every_answer() {
    let files =
        Files::configured(&["static/a.css"], "", |site| {
            site.setting(
            "response",
            "add-headers = [\"X-Frame-Options: DENY\"]\nremove-headers = [\"Server\", \"ETag\"]",
        )
        .setting("[route]", "path = '^/no'\ndeny = 410\nremove-headers = [\"X-Frame-Options\"]")
        });
    for target in ["/static/a.css", "/app"] {
        let answer = files.site.get(target);
        assert_eq!(answer.header("X-Frame-Options"), Some("DENY"), "{target}");
        assert!(answer.header("Server").is_none() && answer.header("ETag").is_none());
    }
    let refused = files.site.get("/no");
    assert_eq!((refused.status, refused.text().as_str()), (410, "Gone"));
    assert!(refused.header("X-Frame-Options").is_none());
}

#[test]
fn a_route_may_keep_requests_out_of_the_log() {
    let site = Site::app("statics")
        .setting("log", "access = true")
        .setting("[route]", "path = '^/health$'\nlog = false")
        .start();
    site.get("/health");
    site.get("/seen");
    let log = site.process.wait_for_text("/seen");
    assert!(log.contains("200"), "{log}");
    assert!(!site.process.output().contains("/health"));
}
