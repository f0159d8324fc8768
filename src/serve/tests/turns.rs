//! Threads and turns: everybody is served.

use std::sync::{
    Barrier, Mutex,
    atomic::{AtomicBool, Ordering},
};

use super::*;

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

/// One client sends requests, and reads answers, as fast as it can and without an end.
fn pipeline(site: &Site, stop: &AtomicBool) {
    let mut sending = site.connect();
    let mut reading = sending.try_clone().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || while reading.read(&mut [0; 65536]).is_ok_and(|read| read > 0) {});
        let requests = GET.repeat(1_000);
        while !stop.load(Ordering::Relaxed) {
            sending.write_all(requests.as_bytes()).unwrap();
        }
        sending.shutdown(Shutdown::Both).unwrap();
    });
}

/// Targets in the order in which they were answered.
static ANSWERED: Mutex<Vec<Vec<u8>>> = Mutex::new(Vec::new());
/// The first request is held twice: when it has begun, and until another client has sent its own.
static GATE: Barrier = Barrier::new(2);

fn note(exchange: &mut Exchange<'_>) {
    let target = exchange.request().target().to_vec();
    if target == b"/first" {
        GATE.wait();
        GATE.wait();
    }
    ANSWERED.lock().unwrap().push(target);
    hello(exchange);
}

#[test]
fn a_client_with_many_requests_leaves_others_their_turn() {
    let site = Site::new(note);
    let (mut many, mut one) = (site.connect(), site.connect());
    let request = |target| GET.replace("/ ", target);
    let requests = request("/first ") + &request("/many ").repeat(500);
    many.write_all(requests.as_bytes()).unwrap();
    GATE.wait();
    one.write_all(request("/one ").as_bytes()).unwrap();
    GATE.wait();
    until(&mut one, "hello");
    (0..501).for_each(|_| drop(until(&mut many, "hello")));
    let answered = ANSWERED.lock().unwrap();
    let place = answered.iter().position(|target| target == b"/one");
    assert!(place.is_some_and(|place| place < 100), "{place:?}");
}

#[test]
fn many_threads_share_many_clients_without_end() {
    let site = Site::with(hello, |settings| settings.workers.threads = 2);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| pipeline(&site, &stop));
        }
        for _ in 0..50 {
            assert_eq!(site.say(GET), OK_HELLO);
        }
        stop.store(true, Ordering::Relaxed);
    });
}
