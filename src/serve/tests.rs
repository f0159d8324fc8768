//! The engine over real sockets, with applications made of closures.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::fd::OwnedFd,
    sync::Arc,
    thread,
    time::Duration,
};

use super::{Application, BodySupply, Engine, Exchange, Plan, Progress, ResponseHead, Watches};
use crate::{
    config::{ByteSize, Protocol, Settings, TimeSpan},
    ipc::ListenerInfo,
    scoreboard::Scoreboard,
};

mod late;

type Answer = fn(&mut Exchange<'_>);

struct Closure(Answer);

impl Application for Closure {
    type Thread = ();

    fn call(&self, _thread: &mut (), exchange: &mut Exchange<'_>) {
        (self.0)(exchange);
        exchange.finish();
    }

    fn while_waiting<R: Send>(&self, _thread: &mut (), sleep: impl FnOnce() -> R + Send) -> R {
        sleep()
    }
}

/// A running engine; ends it when dropped, which proves that it drains.
struct Site {
    address: std::net::SocketAddr,
    drain: Option<OwnedFd>,
    threads: Vec<thread::JoinHandle<()>>,
    engine: Arc<Engine<Closure>>,
    scoreboard: Arc<Scoreboard>,
    watches: Arc<Watches>,
}

impl Site {
    fn new(answer: Answer) -> Self {
        Self::with(answer, |_| {})
    }

    fn with(answer: Answer, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (drain, drained) = std::os::unix::net::UnixStream::pair().unwrap();
        let threads = settings.workers.threads;
        let scoreboard = Arc::new(Scoreboard::create(1, threads).unwrap());
        let watches = Arc::new(Watches::new(Arc::clone(&scoreboard), 0));
        let info = ListenerInfo {
            protocol: Protocol::Http,
            address: address.to_string(),
        };
        let plan = Plan {
            settings,
            listeners: vec![(info, listener.into())],
            scoreboard: Arc::clone(&scoreboard),
            slot: 0,
            server_name: "test".into(),
            watches: Arc::clone(&watches),
            drain: vec![drained.into()],
            control: None,
            on_control: Box::new(|| false),
            on_drain: Box::new(|| {}),
        };
        let engine = Arc::new(Engine::new(plan, Closure(answer)).unwrap());
        let run = |index| {
            let engine = Arc::clone(&engine);
            thread::spawn(move || engine.run(index, &mut ()))
        };
        Self {
            address,
            drain: Some(drain.into()),
            threads: (0..threads).map(run).collect(),
            engine,
            scoreboard,
            watches,
        }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(10)))
            .unwrap();
        stream
    }

    /// Sends `request`, ends the sending side, and gives all that comes back, without the Date.
    fn say(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        until_closed(&mut stream)
    }

    fn drain(&mut self) {
        self.drain = None;
    }

    /// Waits until everything is answered and the threads have ended.
    fn finish(&mut self) {
        self.drain();
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            assert!(
                ended.is_ok() || thread::panicking(),
                "a thread of the engine panicked"
            );
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.finish();
    }
}

fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8(answer).unwrap();
    text.split_inclusive("\r\n")
        .filter(|line| !line.starts_with("Date: "))
        .collect()
}

/// Reads up to and with `end`.
fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut answer = String::new();
    while !answer.ends_with(end) {
        let mut byte = [0];
        assert_eq!(
            stream.read(&mut byte).unwrap(),
            1,
            "closed after {answer:?}"
        );
        answer.push(char::from(byte[0]));
    }
    answer
}

fn commit(exchange: &mut Exchange<'_>, length: Option<u64>) {
    let mut head = ResponseHead {
        status: b"200 OK".to_vec(),
        ..ResponseHead::default()
    };
    head.facts.status = 200;
    exchange.commit(&head, length);
}

fn hello(exchange: &mut Exchange<'_>) {
    commit(exchange, Some(5));
    exchange.write(b"hello");
}

/// Answers with the body of the request, and whether it was streamed.
fn echo(exchange: &mut Exchange<'_>) {
    let body = match exchange.body().unwrap() {
        BodySupply::Empty => Vec::new(),
        BodySupply::Memory(bytes) => bytes.to_vec(),
        BodySupply::Spooled(file, length) => {
            let mut spooled = vec![0; length as usize];
            rustix::io::pread(file, &mut spooled[..], 0).unwrap();
            spooled
        }
        BodySupply::Stream => streamed(exchange),
    };
    commit(exchange, Some(body.len() as u64));
    exchange.write(&body);
}

fn streamed(exchange: &mut Exchange<'_>) -> Vec<u8> {
    let mut body = b"streamed: ".to_vec();
    let mut piece = [0; 7];
    loop {
        match exchange.read_body(&mut piece).unwrap() {
            0 => return body,
            length => body.extend_from_slice(&piece[..length]),
        }
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK_HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

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

fn post(body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn echoed(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
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

/// 4 MiB, far more than a socket takes.
fn much(exchange: &mut Exchange<'_>) {
    commit(exchange, None);
    for _ in 0..64 {
        exchange.write(&[b'x'; 64 << 10]);
        if exchange.flush() == Progress::Full {
            exchange.wait();
        }
    }
}

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
fn many_threads_serve_many_connections() {
    let site = Site::with(hello, |settings| settings.workers.threads = 4);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    assert_eq!(site.say(&GET.repeat(5)), OK_HELLO.repeat(5));
                }
            });
        }
    });
    let requests: u64 = site
        .scoreboard
        .threads(0)
        .iter()
        .map(|thread| thread.snapshot().requests)
        .sum();
    assert_eq!(requests, 800);
}

#[test]
fn drains_between_requests() {
    let mut site = Site::with(hello, |settings| settings.workers.threads = 2);
    let mut stream = site.connect();
    stream.write_all(GET.as_bytes()).unwrap();
    until(&mut stream, "hello");
    site.drain();
    // A request that was on its way is answered, and told that it is the last.
    stream.write_all(GET.as_bytes()).unwrap();
    let last = until_closed(&mut stream);
    assert!(
        last.ends_with("hello") && last.starts_with("HTTP/1.1 200 OK\r\n"),
        "{last}"
    );
}
