//! Answers that come piece by piece: quick pieces leave together, and nobody waits for one that was made.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use super::*;
use crate::serve::Held;

/// So much that no socket takes it at once.
const MUCH: usize = 16 << 20;

/// Gives a piece as Python's side does, and tells how the client is doing.
fn give(exchange: &mut Exchange<'_>, piece: &[u8]) -> Progress {
    give_or(exchange, piece, |exchange| exchange.wait())
}

/// The same with something else for a client that is too slow.
fn give_or(
    exchange: &mut Exchange<'_>,
    piece: &[u8],
    wait: impl FnOnce(&mut Exchange<'_>) -> Progress,
) -> Progress {
    let is_kept = exchange.may_gather(piece.len());
    match piece.len() {
        1_000.. if is_kept => exchange.gather_held(Box::new(Bytes(piece.to_vec()))),
        _ => exchange.write(piece),
    }
    let progress = match is_kept || exchange.flush() != Progress::Full {
        true => Progress::Open,
        false => wait(exchange),
    };
    exchange.await_piece();
    match exchange.is_deserted() {
        true => Progress::Gone,
        false => progress,
    }
}

struct Bytes(Vec<u8>);

impl Held for Bytes {
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Gives pieces until one is kept, which says so, and waits for what the client says to that.
fn until_one_is_kept(exchange: &mut Exchange<'_>) {
    commit(exchange, None);
    loop {
        if exchange.may_gather(1) {
            exchange.write(b"!");
            break exchange.await_piece();
        }
        exchange.write(b".");
        exchange.flush();
        exchange.await_piece();
    }
    let said = streamed(exchange);
    give(exchange, &said);
}

fn check_kept_arrives(version: &str, end: &str) {
    let site = Site::with(until_one_is_kept, |settings| {
        settings.request.post_buffering = ByteSize(0);
    });
    let mut stream = site.connect();
    let head = format!("POST / HTTP/{version}\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    until(&mut stream, "!");
    // The application gets this only now that everything it gave has come.
    stream.write_all(b"ok").unwrap();
    until(&mut stream, end);
}

#[test]
fn what_is_kept_arrives_while_the_application_waits() {
    check_kept_arrives("1.1", "streamed: ok\r\n0\r\n\r\n");
    check_kept_arrives("1.0", "streamed: ok");
}

/// Bytes that no mistake in order or length leaves as they are, in pieces of all sizes.
fn pieces(length: usize) -> impl Iterator<Item = Vec<u8>> {
    let byte = |at: usize| (at % 251) as u8 ^ (at / 251) as u8;
    let mut at = 0;
    std::iter::from_fn(move || {
        let size = [1, 70_000, 3, 900, 17_000, 40, 2_000][at % 7].min(length - at);
        let piece = (at..at + size).map(byte).collect();
        at += size;
        (size > 0).then_some(piece)
    })
}

/// Pauses now and then, for up to a tick of the flusher and a half.
fn with_pauses(exchange: &mut Exchange<'_>) {
    commit(exchange, None);
    let begin = Instant::now();
    for piece in pieces(MUCH / 16) {
        give(exchange, &piece);
        let pause = begin.elapsed().subsec_nanos() % 1_500;
        let until = Instant::now() + Duration::from_micros(u64::from(pause / 50 * 50));
        while pause.is_multiple_of(4) && Instant::now() < until {
            std::hint::spin_loop();
        }
    }
}

fn body_until_closed(stream: &mut TcpStream) -> Vec<u8> {
    until(stream, "\r\n\r\n");
    let mut body = Vec::new();
    stream.read_to_end(&mut body).unwrap();
    body
}

const GET_1_0: &str = "GET / HTTP/1.0\r\n\r\n";

#[test]
fn pieces_stay_in_order() {
    let site = Site::with(with_pauses, |settings| settings.workers.threads = 4);
    let clients = (0..8).map(|_| {
        let mut stream = site.connect();
        thread::spawn(move || {
            stream.write_all(GET_1_0.as_bytes()).unwrap();
            body_until_closed(&mut stream) == pieces(MUCH / 16).flatten().collect::<Vec<_>>()
        })
    });
    let clients: Vec<_> = clients.collect();
    assert!(clients.into_iter().all(|client| client.join().unwrap()));
}

static IS_WAITED_FOR: AtomicBool = AtomicBool::new(false);

fn much_in_pieces(exchange: &mut Exchange<'_>) {
    commit(exchange, None);
    for piece in pieces(MUCH) {
        give_or(exchange, &piece, |exchange| {
            IS_WAITED_FOR.store(true, Ordering::SeqCst);
            exchange.wait()
        });
    }
}

/// The socket, and what is kept for a client, have bounds, however quick the application is.
#[test]
fn a_client_that_takes_nothing_is_waited_for() {
    let site = Site::with(much_in_pieces, |settings| {
        settings.timeouts.socket = TimeSpan(Duration::from_secs(60));
    });
    let mut stream = site.connect();
    stream.write_all(GET_1_0.as_bytes()).unwrap();
    while !IS_WAITED_FOR.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    let body = body_until_closed(&mut stream);
    assert!(body == pieces(MUCH).flatten().collect::<Vec<_>>());
}

/// Without an end but for the client's.
fn for_ever(exchange: &mut Exchange<'_>) {
    commit(exchange, None);
    while give(exchange, b"again ") != Progress::Gone {}
    assert!(exchange.is_deserted());
}

#[test]
fn an_application_learns_that_its_client_has_gone() {
    let site = Site::new(for_ever);
    let mut stream = site.connect();
    stream.write_all(GET_1_0.as_bytes()).unwrap();
    until(&mut stream, "again ");
    drop(stream);
    // The thread has an end, or the site has none.
    drop(site);
}
