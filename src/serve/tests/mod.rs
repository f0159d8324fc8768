//! The engine over real sockets, with applications made of closures; here is what the tests share.

mod clients;
mod counts;
mod drain;
mod encrypted;
mod files;
mod foreign;
mod late;
mod pieces;
mod requests;
mod turns;
mod uploads;

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    os::fd::OwnedFd,
    sync::Arc,
    thread,
    time::Duration,
};

use super::{
    Application, BodySupply, Engine, Exchange, ListeningSocket, Plan, Progress, ResponseHead,
    Watches,
};
use crate::{
    config::{ByteSize, Protocol, Settings, TimeSpan},
    scoreboard::Scoreboard,
    sys::Room,
};

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

/// A listener of HTTP.
fn listening(listener: TcpListener) -> ListeningSocket {
    ListeningSocket {
        protocol: Protocol::Http,
        address: listener.local_addr().unwrap().to_string(),
        socket: listener.into(),
        tls: None,
        redirect: None,
        proxied: false,
    }
}

impl Site {
    fn new(answer: Answer) -> Self {
        Self::with(answer, |_| {})
    }

    fn with(answer: Answer, change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(answer, change, |_| {})
    }

    fn on(
        answer: Answer,
        change: impl FnOnce(&mut Settings),
        listen: impl FnOnce(&mut ListeningSocket),
    ) -> Self {
        let mut settings = Settings::default();
        settings.app.module = Some("closure".into());
        change(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (drain, drained) = std::os::unix::net::UnixStream::pair().unwrap();
        let threads = settings.workers.threads;
        let scoreboard = Arc::new(Scoreboard::create(1, threads).unwrap());
        let watches = Arc::new(Watches::new(Arc::clone(&scoreboard), 0));
        let mut listening = listening(listener);
        listen(&mut listening);
        let plan = Plan {
            settings,
            listeners: vec![listening],
            handover: None,
            scoreboard: Arc::clone(&scoreboard),
            slot: 0,
            server_name: "test".into(),
            gathered: None,
            watches: Arc::clone(&watches),
            drain: vec![drained.into()],
            control: None,
            on_control: Box::new(|| false),
            on_ring: Box::new(|| {}),
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

    /// How many connections the engine has closed.
    fn closed(&self) -> u64 {
        let threads = self.scoreboard.threads(0);
        threads.iter().map(|thread| thread.snapshot().closed).sum()
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

/// What has come of a streamed body, as far as `piece` has room for it.
fn read_some(exchange: &mut Exchange<'_>, piece: &mut [u8]) -> io::Result<usize> {
    exchange.read_body(&mut Room::from(piece))
}

fn streamed(exchange: &mut Exchange<'_>) -> Vec<u8> {
    let mut body = b"streamed: ".to_vec();
    let mut piece = [0; 7];
    loop {
        match read_some(exchange, &mut piece).unwrap() {
            0 => return body,
            length => body.extend_from_slice(&piece[..length]),
        }
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const OK_HELLO: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

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
