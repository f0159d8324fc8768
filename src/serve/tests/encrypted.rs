//! The same over TLS, where bytes, records and packets have boundaries of their own.

use std::net::SocketAddr;

use rustix::net::sockopt;
use rustls::{ClientConnection, StreamOwned};

use super::*;
use crate::tls::tests::{client, server};

/// An encrypted connection as a client has it.
type Tls = StreamOwned<ClientConnection, TcpStream>;

impl Site {
    fn encrypted(answer: Answer, change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(answer, change, |listening| listening.tls = Some(server()))
    }

    fn connect_encrypted(&self) -> Tls {
        let name = "localhost".try_into().unwrap();
        let session = ClientConnection::new(client(), name).unwrap();
        StreamOwned::new(session, self.connect())
    }
}

/// All that comes, without the Date, and how it ends: well, or cut.
fn to_the_end(stream: &mut impl Read) -> (String, io::Result<()>) {
    let mut answer = Vec::new();
    let end = stream.read_to_end(&mut answer).map(drop);
    let lines = String::from_utf8(answer).unwrap();
    let lines = lines.split_inclusive("\r\n");
    let text = lines.filter(|line| !line.starts_with("Date: ")).collect();
    (text, end)
}

/// Sends `request` in records of `record` bytes, ends the sending side, and expects this, and an orderly end.
#[track_caller]
fn check(answer: Answer, request: &str, record: usize, expected: &str) {
    let site = Site::encrypted(answer, |_| {});
    let mut stream = site.connect_encrypted();
    for piece in request.as_bytes().chunks(record) {
        stream.write_all(piece).unwrap();
        stream.flush().unwrap();
    }
    stream.conn.send_close_notify();
    stream.flush().unwrap();
    let (text, end) = to_the_end(&mut stream);
    assert!(text == expected, "{text:.300}");
    end.unwrap();
}

#[test]
fn requests_are_answered() {
    check(hello, GET, 1 << 14, OK_HELLO);
    check(hello, GET, 1, OK_HELLO);
}

#[test]
fn pipelined_requests_are_answered_however_they_are_cut() {
    for record in [1 << 14, 1_000, 7] {
        check(hello, &GET.repeat(300), record, &OK_HELLO.repeat(300));
    }
}

#[test]
fn bodies_of_many_records_arrive() {
    let body = "0123456789".repeat(5_000);
    check(echo, &post(&body), 1 << 14, &echoed(&body));
    check(echo, &post(&body), 999, &echoed(&body));
    let two = post(&body).repeat(2);
    check(echo, &two, 1 << 14, &echoed(&body).repeat(2));
}

#[test]
fn bodies_that_stream_arrive() {
    let body = "0123456789".repeat(30_000);
    check(
        echo,
        &post(&body),
        1 << 14,
        &echoed(&format!("streamed: {body}")),
    );
}

/// Every byte of the handshake, and of what follows, is a packet of its own.
#[test]
fn packets_of_one_byte_make_a_connection() {
    let site = Site::encrypted(hello, |_| {});
    let stream = site.connect();
    stream.set_nodelay(true).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut session = ClientConnection::new(client(), name).unwrap();
    session
        .writer()
        .write_all(&GET.repeat(3).into_bytes())
        .unwrap();
    let mut answer = Vec::new();
    while answer.iter().filter(|&&byte| byte == b'o').count() < 3 {
        let mut records = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut records).unwrap();
        }
        for byte in records {
            (&stream).write_all(&[byte]).unwrap();
        }
        session.read_tls(&mut &stream).unwrap();
        session.process_new_packets().unwrap();
        match session.reader().read_to_end(&mut answer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_answer_larger_than_all_buffers_arrives_whole() {
    let site = Site::encrypted(much, |_| {});
    let mut stream = site.connect_encrypted();
    sockopt::set_socket_recv_buffer_size(&stream.sock, 32 << 10).unwrap();
    let request = GET.replace("Host", "Connection: close\r\nHost");
    stream.write_all(request.as_bytes()).unwrap();
    let (text, end) = to_the_end(&mut stream);
    assert_eq!(text.matches('x').count(), 4 << 20);
    end.unwrap();
}

const FILE: usize = 1_000_000;

fn file(exchange: &mut Exchange<'_>) {
    let mut file = tempfile::tempfile().unwrap();
    for number in 0..FILE / 8 {
        write!(file, "{number:8}").unwrap();
    }
    commit(exchange, Some(FILE as u64));
    exchange.write_file(file.into(), 0, FILE as u64);
}

#[test]
fn files_arrive_whole() {
    let body: String = (0..FILE / 8).map(|number| format!("{number:8}")).collect();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {FILE}\r\n\r\n");
    check(
        file,
        &GET.repeat(2),
        1 << 14,
        &format!("{head}{body}").repeat(2),
    );
}

#[test]
fn a_client_that_waits_is_told_to_send_its_body() {
    let site = Site::encrypted(echo, |_| {});
    let mut stream = site.connect_encrypted();
    let (head, body) = {
        let request = post("hello").replace("Host", "Expect: 100-continue\r\nHost");
        let at = request.find("hello").unwrap();
        (request[..at].to_owned(), request[at..].to_owned())
    };
    stream.write_all(head.as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(body.as_bytes()).unwrap();
    stream.conn.send_close_notify();
    assert_eq!(to_the_end(&mut stream).0, echoed("hello"));
}

/// Waits until the engine has closed so many connections.
fn wait_for_closed(site: &Site, wanted: u64) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while site.closed() < wanted {
        assert!(std::time::Instant::now() < deadline);
        thread::yield_now();
    }
}

#[test]
fn clients_that_vanish_leave_nothing_behind() {
    let site = Site::encrypted(hello, |_| {});
    drop(site.connect());
    let mut cut = site.connect_encrypted();
    cut.write_all(GET.as_bytes()).unwrap();
    until_hello(&mut cut);
    drop(cut.sock);
    let mut half = site.connect_encrypted();
    half.write_all(&GET.as_bytes()[..9]).unwrap();
    half.flush().unwrap();
    drop(half);
    wait_for_closed(&site, 3);
}

fn until_hello(stream: &mut Tls) {
    let mut answer = String::new();
    while !answer.ends_with("hello") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        answer.push(char::from(byte[0]));
    }
}

#[test]
fn the_end_of_idle_connections_is_said() {
    let mut site = Site::encrypted(hello, |_| {});
    let mut stream = site.connect_encrypted();
    stream.write_all(GET.as_bytes()).unwrap();
    until_hello(&mut stream);
    site.drain();
    let (text, end) = to_the_end(&mut stream);
    assert_eq!(text, "");
    end.unwrap();
}

fn soon(settings: &mut Settings) {
    settings.http.header_timeout = TimeSpan(Duration::from_millis(200));
}

#[test]
fn a_handshake_that_does_not_end_is_given_up() {
    let site = Site::encrypted(hello, soon);
    let mut silent = site.connect();
    let mut slow = site.connect();
    slow.write_all(&[22, 3, 1, 0, 200, 1]).unwrap();
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
    assert_eq!(slow.read(&mut [0]).unwrap(), 0);
    assert_eq!(site.closed(), 2);
}

/// What comes back for bytes that are no handshake.
fn answer_to(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn garbage_is_answered_with_an_alert() {
    let site = Site::encrypted(hello, |_| {});
    // A record that is too long, one of an unknown type, and one that says it is a handshake and is none.
    for garbage in [
        &[22, 3, 1, 255, 255, 1][..],
        &[99, 3, 1, 0, 1, 0],
        &[22, 3, 1, 0, 4, 99, 0, 0, 0],
    ] {
        let answer = answer_to(site.address, garbage);
        assert!(answer.starts_with(&[21, 3]), "{garbage:?}: {answer:?}");
    }
    let mut stream = site.connect_encrypted();
    stream.write_all(GET.as_bytes()).unwrap();
    until_hello(&mut stream);
}

#[test]
fn a_record_that_was_tampered_with_ends_the_connection() {
    let site = Site::encrypted(hello, |_| {});
    let mut stream = site.connect_encrypted();
    stream.write_all(GET.as_bytes()).unwrap();
    until_hello(&mut stream);
    let mut record = vec![23, 3, 3, 0, 100];
    record.resize(105, 7);
    stream.sock.write_all(&record).unwrap();
    let error = to_the_end(&mut stream).1.unwrap_err();
    assert!(error.to_string().contains("BadRecordMac"), "{error}");
    wait_for_closed(&site, 1);
}

#[test]
fn plain_http_is_told_where_it_is() {
    let site = Site::encrypted(hello, |_| {});
    let answer = answer_to(site.address, GET.repeat(100).as_bytes());
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with("Use https:// in the address.\n"),
        "{answer}"
    );
}

/// A body whose end is the end of the connection, which never comes.
#[test]
fn an_answer_that_was_cut_off_is_seen_as_such() {
    let site = Site::encrypted(
        |exchange| {
            let mut head = ResponseHead {
                status: b"200 OK".to_vec(),
                ..ResponseHead::default()
            };
            head.facts.status = 200;
            head.facts.transfer_encoding = true;
            exchange.commit(&head, None);
            exchange.write(b"hel");
            exchange.flush();
            exchange.fail(500);
        },
        |_| {},
    );
    let mut stream = site.connect_encrypted();
    stream.write_all(GET.as_bytes()).unwrap();
    assert!(to_the_end(&mut stream).1.is_err());
}

/// The second request of its connection, with a body that is still to come.
#[test]
fn the_client_of_a_stuck_thread_is_told_and_nothing_else() {
    static STUCK: std::sync::Barrier = std::sync::Barrier::new(2);
    let site = Site::encrypted(
        |exchange| {
            if exchange.request().method() == b"POST" {
                exchange.set_deadline(Some(Duration::ZERO));
                STUCK.wait();
                STUCK.wait();
                while read_some(exchange, &mut [0; 100]).is_ok() {}
            }
            hello(exchange);
        },
        |settings| {
            settings.request.post_buffering = ByteSize(0);
            settings.timeouts.socket = TimeSpan(Duration::from_millis(10));
        },
    );
    let mut stream = site.connect_encrypted();
    let post = post(&"x".repeat(100));
    let (begun, _) = post.split_at(post.len() - 50);
    stream
        .write_all(format!("{GET}{begun}").as_bytes())
        .unwrap();
    STUCK.wait();
    assert!(site.watches.end_overdue(0));
    let (text, end) = to_the_end(&mut stream);
    assert_eq!(text.matches("HTTP/1.1 ").count(), 2, "{text}");
    assert!(
        text.contains("HTTP/1.1 504 ") && text.ends_with("Gateway Timeout"),
        "{text}"
    );
    end.unwrap();
    STUCK.wait();
    wait_for_closed(&site, 1);
}

#[test]
fn a_listener_may_only_redirect() {
    let site = Site::on(
        |_| panic!("the application is not asked"),
        |_| {},
        |listening| listening.redirect = Some("https:8443".parse().unwrap()),
    );
    let expected = "HTTP/1.1 308 Permanent Redirect\r\nLocation: https://a:8443/\r\n\
        Content-Type: text/plain\r\nContent-Length: 18\r\n\r\nPermanent Redirect";
    assert_eq!(site.say(&GET.repeat(2)), expected.repeat(2));
    let (head, _) = expected.split_once("Permanent Redirect\r\n").unwrap();
    assert!(site.say(&post("body")).starts_with(head));
    assert!(
        site.say("GET / HTTP/1.0\r\n\r\n")
            .starts_with("HTTP/1.1 400 ")
    );
}

/// What the client still sends is read and dropped, or the end of the connection would destroy the answer.
#[test]
fn a_refusal_reaches_a_client_that_still_sends() {
    let site = Site::encrypted(echo, |settings| settings.http.max_body = ByteSize(10));
    let mut stream = site.connect_encrypted();
    let request = post(&"x".repeat(1_000_000));
    // The rest may find that nobody wants it.
    let _ = stream.write_all(request.as_bytes());
    let (text, end) = to_the_end(&mut stream);
    assert!(text.starts_with("HTTP/1.1 413 "), "{text}");
    end.unwrap();
}
