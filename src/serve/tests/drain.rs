//! The end of a worker.

use std::sync::atomic::Ordering;

use super::*;

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

#[test]
fn a_running_response_is_finished() {
    let mut site = Site::with(much, |settings| {
        settings.response.buffering = ByteSize(8 << 20)
    });
    let mut stream = site.connect();
    stream.write_all(GET.as_bytes()).unwrap();
    until(&mut stream, "x");
    site.drain();
    let rest = until_closed(&mut stream);
    assert!(rest.ends_with("0\r\n\r\n"));
    assert_eq!(rest.matches('x').count(), (4 << 20) - 1);
}

/// A connection that is accepted while the drain begins makes the end untrue that another thread has announced.
#[test]
fn the_end_is_announced_again_if_it_came_too_early() {
    let engine = engine(hello, Vec::new());
    let is_announced = || rustix::io::read(&engine.ended, &mut [0; 8]).is_ok();
    engine.draining.store(true, Ordering::SeqCst);
    engine.draining_table.store(true, Ordering::SeqCst);
    engine.end_if_drained();
    engine.open.fetch_add(1, Ordering::SeqCst);
    engine.confirm_end();
    assert!(!is_announced());
    engine.open.fetch_sub(1, Ordering::SeqCst);
    engine.end_if_drained();
    engine.confirm_end();
    assert!(is_announced());
}

/// Whoever the kernel has woken for a connection is the only one, however soon it is to end.
#[test]
fn a_connection_that_has_come_is_accepted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    stream.write_all(GET.as_bytes()).unwrap();
    let engine = engine(hello, vec![listening(listener)]);
    engine.stop();
    engine.run(0, &mut ());
    assert!(until_closed(&mut stream).ends_with("hello"));
}

fn engine(answer: Answer, listeners: Vec<ListeningSocket>) -> Engine<Closure> {
    let scoreboard = Arc::new(Scoreboard::create(1, 1).unwrap());
    let mut settings = Settings::default();
    settings.app.module = Some("closure".into());
    let plan = Plan {
        settings,
        handover: None,
        listeners,
        scoreboard: Arc::clone(&scoreboard),
        slot: 0,
        server_name: "test".into(),
        gathered: None,
        watches: Arc::new(Watches::new(scoreboard, 0)),
        control: None,
        on_control: Box::new(|| false),
        drain: Vec::new(),
        on_ring: Box::new(|| {}),
        on_drain: Box::new(|| {}),
    };
    Engine::new(plan, Closure(answer)).unwrap()
}
