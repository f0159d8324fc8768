//! Clients that are slow, silent, or gone.

use super::*;

#[test]
fn keeps_what_a_slow_client_does_not_take() {
    let site = Site::with(much, |settings| {
        settings.response.buffering = ByteSize(8 << 20)
    });
    let (mut slow, mut other) = (site.connect(), site.connect());
    slow.write_all(GET.as_bytes()).unwrap();
    // The one thread of the engine is free while the slow client has not read anything yet.
    other.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(until_closed(&mut other).matches('x').count(), 4 << 20);
    slow.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(until_closed(&mut slow).matches('x').count(), 8 << 20);
}

#[test]
fn refuses_a_head_that_does_not_come_in_time() {
    let site = Site::with(hello, |settings| {
        settings.http.header_timeout = TimeSpan(Duration::from_millis(50))
    });
    let mut stream = site.connect();
    stream.write_all(b"GET / HT").unwrap();
    assert!(until_closed(&mut stream).starts_with("HTTP/1.1 408 "));
}

#[test]
fn closes_an_idle_connection_after_keep_alive() {
    let site = Site::with(hello, |settings| {
        settings.http.keep_alive = TimeSpan(Duration::from_millis(50))
    });
    let mut stream = site.connect();
    stream.write_all(GET.as_bytes()).unwrap();
    assert_eq!(until_closed(&mut stream), OK_HELLO);
}

/// A client that reads nothing for now: all that comes of it is the error with which its reading ends.
fn check_reset(change: impl FnOnce(&mut Settings)) {
    let site = Site::with(much, change);
    let mut stream = site.connect();
    stream.write_all(&GET.repeat(4).into_bytes()).unwrap();
    while site.closed() == 0 {
        thread::yield_now();
    }
    let end = stream.read_to_end(&mut Vec::new());
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn resets_a_client_that_does_not_take_what_is_kept() {
    check_reset(|settings| {
        settings.response.buffering = ByteSize(8 << 20);
        settings.http.send_timeout = TimeSpan(Duration::from_millis(50));
    });
}

#[test]
fn resets_a_client_that_keeps_the_application_waiting() {
    check_reset(|settings| {
        settings.response.buffering = ByteSize(64 << 10);
        settings.timeouts.socket = TimeSpan(Duration::from_millis(50));
    });
}

#[test]
fn a_client_that_ends_its_side_is_answered_and_closed() {
    let site = Site::new(hello);
    let mut stream = site.connect();
    stream.write_all(GET.as_bytes()).unwrap();
    until(&mut stream, "hello");
    // The connection waits by now; request and end come as one event.
    stream.write_all(GET.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(until_closed(&mut stream), OK_HELLO);
}

#[test]
fn tells_an_application_whose_client_has_gone() {
    let site = Site::with(
        |exchange| {
            assert!(!exchange.is_deserted());
            let mut piece = [0; 64];
            while read_some(exchange, &mut piece).is_ok() {}
            assert!(exchange.is_deserted());
            hello(exchange);
        },
        |settings| settings.request.post_buffering = ByteSize(0),
    );
    let answer = site.say(&post("abcdefg").replace("defg", ""));
    assert!(answer.ends_with("hello"), "{answer}");
}
