//! start_response: status and header checks, the write callable, exc_info.

use crate::support::{
    answer::Answer,
    site::{Running, Site},
};

fn headers(case: &str) -> Answer {
    Site::app("headers").start().get(&format!("/?{case}"))
}

fn check_refused(site: &Running, case: &str, expected: &str) {
    let answer = site.get(&format!("/?{case}"));
    assert_eq!(
        answer.header("X-Refused"),
        Some("yes"),
        "{case}: {answer:?}"
    );
    assert!(
        answer.text().starts_with(expected),
        "{case}: {}",
        answer.text()
    );
    assert_eq!(answer.header("X-Evil"), None, "{case}");
}

#[test]
fn a_good_head() {
    let answer = headers("good");
    assert_eq!(
        (
            answer.status,
            answer.reason.as_str(),
            answer.text().as_str()
        ),
        (200, "OK", "good")
    );
}

#[test]
fn latin_1_goes_out_as_bytes() {
    let answer = headers("latin-1");
    assert_eq!(
        (answer.reason.as_str(), answer.header("X-Name")),
        ("Tr\u{e8}s bien", Some("caf\u{e9}"))
    );
}

#[test]
fn repeated_headers_stay_apart() {
    assert_eq!(
        headers("twice").headers("Set-Cookie").collect::<Vec<_>>(),
        ["a=1", "b=2"]
    );
}

#[test]
fn the_applications_own_date_counts() {
    let answer = headers("own-date");
    assert_eq!(
        answer.headers("Date").collect::<Vec<_>>(),
        ["Thu, 01 Jan 1970 00:00:00 GMT"]
    );
    assert_eq!(
        answer.headers("Server").collect::<Vec<_>>(),
        ["the application"]
    );
}

#[test]
fn a_bad_status_is_refused() {
    let site = Site::app("headers").start();
    check_refused(&site, "status-bytes", "TypeError");
    check_refused(&site, "status-number", "TypeError");
    for case in [
        "status-short",
        "status-word",
        "status-glued",
        "status-newline",
        "status-beyond-latin-1",
        "status-below-100",
    ] {
        check_refused(&site, case, "");
    }
}

#[test]
fn headers_of_a_wrong_type_are_refused() {
    let site = Site::app("headers").start();
    for case in [
        "headers-number",
        "headers-dict",
        "header-list",
        "header-three",
        "header-none",
        "name-bytes",
        "value-bytes",
    ] {
        check_refused(&site, case, "");
    }
}

#[test]
fn headers_that_would_break_the_framing_are_refused() {
    let site = Site::app("headers").start();
    for case in [
        "name-empty",
        "name-colon",
        "name-blank",
        "name-newline",
        "value-newline",
        "value-line-feed",
        "value-nul",
    ] {
        check_refused(&site, case, "ValueError");
    }
    check_refused(&site, "value-beyond-latin-1", "");
}

/// PEP 3333: applications must not use hop-by-hop headers. Those that do mostly mean it well.
#[test]
fn connection_close_of_the_application_closes() {
    let site = Site::app("headers").start();
    let mut client = site.address().connect();
    client.send_get("/?connection");
    let answer = client.answer();
    assert_eq!(answer.headers("Connection").collect::<Vec<_>>(), ["close"]);
    assert_eq!(answer.text(), "good");
    assert!(client.is_closed());
}

#[test]
fn other_hop_by_hop_headers_are_dropped_and_logged() {
    let site = Site::app("headers").start();
    let answer = site.get("/?upgrade");
    assert_eq!(
        (answer.text().as_str(), answer.header("Upgrade")),
        ("good", None)
    );
    site.process.wait_for_text("Upgrade");
}

/// The application has coded the body itself; what it sends is the client's to judge.
#[test]
fn transfer_encoding_of_the_application_ends_with_the_connection() {
    let site = Site::app("headers").start();
    let mut client = site.address().connect();
    client.send_get("/?transfer-encoding");
    assert_eq!(
        client
            .head()
            .headers("Transfer-Encoding")
            .collect::<Vec<_>>(),
        ["chunked"]
    );
    assert_eq!(client.rest(), b"good");
}

#[test]
fn lengths_that_are_none_are_refused() {
    let site = Site::app("headers").start();
    for case in ["length-word", "length-negative", "lengths"] {
        check_refused(&site, case, "ValueError");
    }
}

fn check_write(path: &str, expected: &str) {
    let site = Site::app("write").start();
    let mut client = site.address().connect();
    client.send_get(path);
    assert_eq!(client.answer().text(), expected);
    client.send_get(path);
    assert_eq!(
        client.answer().text(),
        expected,
        "the connection has to be in order after it"
    );
}

#[test]
fn write_comes_before_the_iterable() {
    check_write("/before", "written iterated");
}

#[test]
fn write_alone() {
    check_write("/alone", "written ");
    check_write("/empty", "");
}

#[test]
fn many_writes() {
    check_write(
        "/many",
        &(0..1000)
            .map(|number| format!("{number}\n"))
            .collect::<String>(),
    );
}

fn exc_info(case: &str) -> Answer {
    Site::app("exc_info").start().get(&format!("/{case}"))
}

#[test]
fn exc_info_replaces_a_head_that_was_not_sent() {
    let answer = exc_info("replaced");
    assert_eq!(
        (
            answer.status,
            answer.reason.as_str(),
            answer.text().as_str()
        ),
        (503, "Sorry", "sorry")
    );
    assert_eq!(
        (answer.header("X-First"), answer.header("X-Second")),
        (None, Some("yes"))
    );
}

#[test]
fn a_second_call_without_exc_info_is_an_error() {
    assert_eq!(exc_info("twice").text(), "AssertionError");
}

#[test]
fn exc_info_is_raised_again_once_the_head_was_sent() {
    assert_eq!(exc_info("late").text(), "sent;raised again");
}

#[test]
fn a_response_that_fails_half_way_is_cut_off() {
    let site = Site::app("exc_info").start();
    let answer = site.get("/aborts");
    assert_eq!(
        (answer.status, answer.text().as_str(), answer.whole),
        (200, "sent;", false)
    );
    site.process.wait_for_text("KeyError: 'through'");
}

#[test]
fn a_body_without_start_response_is_a_500() {
    assert_eq!(exc_info("never").status, 500);
}

#[test]
fn a_generator_may_call_it_late() {
    let answer = exc_info("lazily");
    assert_eq!((answer.status, answer.text().as_str()), (202, "lazily"));
}
