//! What programs say, and what comes of it.

use super::*;

#[track_caller]
fn check(said: &str, expected: (u16, &str, &str)) {
    let (output, at) = parse(said.as_bytes()).unwrap().unwrap();
    let Output::Answer(Head {
        status,
        lines,
        facts,
    }) = output
    else {
        panic!("{said:?} is no answer")
    };
    let (status, lines) = (String::from_utf8(status), String::from_utf8(lines));
    let found = (facts.status, status.unwrap(), lines.unwrap());
    assert_eq!(found, (expected.0, expected.1.into(), expected.2.into()));
    assert_eq!(&said[at..], "body");
}

#[track_caller]
fn check_local(said: &str, expected: &str) {
    let (output, _) = parse(said.as_bytes()).unwrap().unwrap();
    assert_eq!(output, Output::Local(expected.into()));
}

#[track_caller]
fn check_refused(said: &str, expected: OutputError) {
    assert_eq!(parse(said.as_bytes()), Err(expected), "{said:?}");
}

#[test]
fn a_type_is_an_answer() {
    let typed = "Content-Type: text/plain\r\n";
    check("Content-Type: text/plain\n\nbody", (200, "200 OK", typed));
    check(
        "Content-Type:text/plain \r\n\r\nbody",
        (200, "200 OK", typed),
    );
    check(
        "X-A: 1\nContent-Type: text/plain\n\nbody",
        (200, "200 OK", "X-A: 1\r\nContent-Type: text/plain\r\n"),
    );
}

#[test]
fn a_status_is_the_programs() {
    check(
        "status: 404 Nothing here\n\nbody",
        (404, "404 Nothing here", ""),
    );
    check("Status: 404\n\nbody", (404, "404 Not Found", ""));
    check("Status: 599\n\nbody", (599, "599 Unknown", ""));
}

#[test]
fn a_place_elsewhere_is_a_redirection_of_the_client() {
    let to = |place: &str| format!("Location: {place}\r\n");
    for place in ["http://a.example/b?c", "//a.example/b", "/a#b"] {
        check(
            &format!("Location: {place}\n\nbody"),
            (302, "302 Found", &to(place)),
        );
    }
    check(
        "Status: 301 Gone there\nLocation: /a\n\nbody",
        (301, "301 Gone there", &to("/a")),
    );
}

/// What is said beside it is for the client, and arrives with the place.
#[test]
fn a_place_here_with_more_fields_is_a_redirection_too() {
    check(
        "Location: /a\nSet-Cookie: b=c\n\nbody",
        (302, "302 Found", "Set-Cookie: b=c\r\nLocation: /a\r\n"),
    );
    check_local("X-CGI-Thing: 1\nLocation: /a\nConnection: close\n\n", "/a");
}

#[test]
fn a_place_here_is_a_request_of_our_own() {
    check_local("Location: /a/b?c=d\n\n", "/a/b?c=d");
    check_local("Content-Type: text/html\nLocation: /\n\n<p>", "/");
}

#[test]
fn what_is_the_servers_is_not_passed_on() {
    check(
        "Status: 200\nConnection: close\nKeep-Alive: 5\nX-CGI-Thing: 1\n\nbody",
        (200, "200 OK", ""),
    );
    let (output, _) = parse(b"Status: 200\nConnection: close\nContent-Length: 5\n\n")
        .unwrap()
        .unwrap();
    let Output::Answer(Head { facts, .. }) = output else {
        panic!("no answer")
    };
    assert!(facts.close && facts.content_length == Some(5));
}

#[test]
fn what_is_no_header_is_refused() {
    check_refused("hello\n", OutputError::Line);
    check_refused("A: 1\n folded\n", OutputError::Line);
    check_refused("A b: 1\n", OutputError::Line);
    check_refused("A: \x01\n", OutputError::Line);
    check_refused("A: b\rc\n", OutputError::Line);
    check_refused("\n", OutputError::Untyped);
    check_refused("X-A: 1\n\n", OutputError::Untyped);
    check_refused("HTTP/1.1 200 OK\r\n", OutputError::Nph);
    check_refused(&format!("X-A: {}", "x".repeat(LONGEST)), OutputError::Long);
    check_refused(
        &format!("X-A: {}\n\n", "x".repeat(LONGEST)),
        OutputError::Long,
    );
}

#[test]
fn fields_mean_one_thing_or_nothing() {
    for name in ["Status", "Location", "Content-Type", "Content-Length"] {
        check_refused(
            &format!("{name}: 200\n{name}: 200\n\n"),
            OutputError::Twice(name),
        );
    }
    for value in ["", "20", "100", "600", "2000", "200OK", "abc"] {
        let expected = OutputError::Value("Status");
        check_refused(&format!("Status: {value}\nContent-Type: a/b\n\n"), expected);
    }
    for value in ["", "-1", "+1", "1 1", "18446744073709551616"] {
        check_refused(
            &format!("Content-Length: {value}\n"),
            OutputError::Value("Content-Length"),
        );
    }
    check_refused(
        "Transfer-Encoding: chunked\n",
        OutputError::Value("Transfer-Encoding"),
    );
}

/// However it comes in pieces: nothing is an answer before the empty line, and the answer does not depend on what follows.
#[test]
fn pieces_do_not_matter() {
    let said = b"Status: 201 Made\r\nContent-Type: text/plain\n\nbody";
    let (whole, at) = parse(said).unwrap().unwrap();
    for end in 0..at {
        assert_eq!(parse(&said[..end]), Ok(None), "{end}");
    }
    for end in at..=said.len() {
        assert_eq!(parse(&said[..end]), Ok(Some((whole.clone(), at))));
    }
}
