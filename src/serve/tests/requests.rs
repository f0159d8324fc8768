//! One request after another: framing, bodies, what the application promised.

use super::*;

#[test]
fn answers_request_after_request_on_one_connection() {
    assert_eq!(Site::new(hello).say(&GET.repeat(3)), OK_HELLO.repeat(3));
}

#[test]
fn closes_when_the_client_asks() {
    let answer = Site::new(hello).say("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    );
}

#[test]
fn reads_a_body_before_the_call() {
    assert_eq!(
        Site::new(echo).say(&(post("abc") + &post("defg"))),
        echoed("abc") + &echoed("defg")
    );
}

const CHUNKED: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n";

#[test]
fn decodes_chunks_before_the_call() {
    assert_eq!(
        Site::new(echo).say(&(CHUNKED.to_owned() + GET)),
        echoed("abcdefg") + &echoed("")
    );
}

#[test]
fn streams_a_body_that_is_larger_than_what_is_read_ahead() {
    let site = Site::with(echo, |settings| {
        settings.request.post_buffering = ByteSize(2)
    });
    let long = "0123456789".repeat(50);
    assert_eq!(
        site.say(&(post(&long) + &post("a"))),
        echoed(&format!("streamed: {long}")) + &echoed("a")
    );
    let chunked = CHUNKED.replace("4\r\nabcd\r\n", &"4\r\nabcd\r\n".repeat(20_000));
    let decoded = "abcd".repeat(20_000) + "efg";
    assert_eq!(
        site.say(&(chunked + &post("b"))),
        echoed(&format!("streamed: {decoded}")) + &echoed("b")
    );
}

#[test]
fn spools_a_body_that_is_too_large_for_memory() {
    let site = Site::with(echo, |settings| settings.request.spool_above = ByteSize(4));
    let long = "0123456789".repeat(50);
    assert_eq!(
        site.say(&(post(&long) + &post("a"))),
        echoed(&long) + &echoed("a")
    );
    assert_eq!(
        site.say(&(CHUNKED.to_owned() + &post("b"))),
        echoed("abcdefg") + &echoed("b")
    );
}

#[test]
fn drops_what_the_application_did_not_read() {
    let site = Site::with(hello, |settings| {
        settings.request.post_buffering = ByteSize(0)
    });
    assert_eq!(
        site.say(&(post(&"x".repeat(10_000)) + GET)),
        OK_HELLO.repeat(2)
    );
}

#[test]
fn tells_a_waiting_client_to_go_on() {
    let site = Site::new(echo);
    let mut stream = site.connect();
    stream
        .write_all(
            b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        )
        .unwrap();
    assert_eq!(
        until(&mut stream, "\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    stream.write_all(b"abc").unwrap();
    assert!(until(&mut stream, "abc").starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn a_panic_costs_one_request() {
    let site = Site::new(|exchange| match exchange.request().target() {
        b"/panic" => panic!("as the test wants it"),
        _ => hello(exchange),
    });
    assert!(
        site.say("GET /panic HTTP/1.1\r\nHost: a\r\n\r\n")
            .starts_with("HTTP/1.1 500 ")
    );
    assert_eq!(site.say(GET), OK_HELLO);
}

#[test]
fn owns_up_to_a_length_that_was_not_kept() {
    let short = Site::new(|exchange| {
        commit(exchange, Some(9));
        exchange.write(b"hello");
    });
    assert_eq!(
        short.say(&GET.repeat(2)),
        OK_HELLO.replace("Length: 5", "Length: 9")
    );
    let long = Site::new(|exchange| {
        commit(exchange, Some(5));
        exchange.write(b"hello, world");
    });
    assert_eq!(long.say(&GET.repeat(2)), OK_HELLO.repeat(2));
}

#[test]
fn closes_after_a_chunked_body_that_was_not_read() {
    let site = Site::with(hello, |settings| {
        settings.request.post_buffering = ByteSize(0)
    });
    let long = CHUNKED.replace("4\r\nabcd\r\n", &"4\r\nabcd\r\n".repeat(20_000));
    let answer = site.say(&(long + GET));
    assert_eq!(
        answer,
        OK_HELLO.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    );
}

const EXPECTING: &str =
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n";
const CONTINUE: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// The application reads the body itself.
fn streaming(answer: Answer) -> Site {
    Site::with(answer, |settings| {
        settings.request.post_buffering = ByteSize(0)
    })
}

#[test]
fn tells_a_waiting_client_to_go_on_when_the_application_reads() {
    let site = streaming(echo);
    let mut stream = site.connect();
    stream.write_all(EXPECTING.as_bytes()).unwrap();
    assert_eq!(until(&mut stream, "\r\n\r\n"), CONTINUE);
    stream.write_all(b"abc").unwrap();
    assert!(until(&mut stream, "streamed: abc").starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn does_not_ask_for_a_body_that_nobody_reads() {
    assert_eq!(
        streaming(hello).say(EXPECTING),
        OK_HELLO.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")
    );
}

#[test]
fn does_not_ask_for_a_body_inside_a_response() {
    let late = |exchange: &mut Exchange<'_>| {
        commit(exchange, Some(3));
        exchange.flush();
        let mut body = [0; 3];
        assert_eq!(read_some(exchange, &mut body).unwrap(), 3);
        exchange.write(&body);
    };
    let answer = streaming(late).say(&(EXPECTING.to_owned() + "abc"));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("\r\n\r\nabc"), "{answer}");
}

#[test]
fn asks_no_client_that_cannot_understand() {
    let answer = Site::new(echo).say(&(EXPECTING.replace("1.1", "1.0") + "abc"));
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
}

#[test]
fn an_application_that_fails_cuts_off_what_it_has_begun() {
    let site = Site::new(|exchange| {
        let chunked = exchange.request().target() == b"/chunked";
        commit(exchange, (!chunked).then_some(9));
        exchange.write(b"part");
        exchange.fail(500);
    });
    let answer = site.say(&GET.repeat(2).replace("GET /", "GET /chunked"));
    assert!(answer.ends_with("\r\n\r\n4\r\npart\r\n"), "{answer}");
    assert!(site.say(&GET.repeat(2)).ends_with("\r\n\r\npart"));
}

#[test]
fn a_response_that_only_the_end_ends_is_reset_when_it_fails() {
    let site = Site::new(|exchange| {
        commit(exchange, None);
        exchange.write(b"part");
        exchange.flush();
        exchange.fail(500);
    });
    let mut stream = site.connect();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let end = stream.read_to_end(&mut Vec::new());
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_head_has_no_body() {
    let site = Site::new(hello);
    let head = OK_HELLO.trim_end_matches("hello");
    assert_eq!(
        site.say(&(GET.replace("GET", "HEAD") + GET)),
        head.to_owned() + OK_HELLO
    );
}
