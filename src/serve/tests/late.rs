//! Requests that are ended from outside while their thread is at them.

use std::sync::Barrier;

use super::*;
use crate::scoreboard::RunningRequest;

/// A place where the application and the test wait for each other: once to say that it has begun, once to go on.
struct Stuck(Barrier);

impl Stuck {
    const fn new() -> Self {
        Self(Barrier::new(2))
    }

    /// The application's side, late from the first moment on.
    fn here(&self, exchange: &mut Exchange<'_>) {
        exchange.set_deadline(Some(Duration::ZERO));
        self.stay();
    }

    fn stay(&self) {
        self.meet();
        self.meet();
    }

    fn meet(&self) {
        self.0.wait();
    }
}

fn late(stuck: &Stuck, site: &Site, request: &str) -> TcpStream {
    let mut client = site.connect();
    client.write_all(request.as_bytes()).unwrap();
    stuck.meet();
    assert!(site.watches.end_overdue(0));
    client
}

#[test]
fn the_client_of_a_stuck_thread_is_told() {
    static STUCK: Stuck = Stuck::new();
    let mut site = Site::new(|exchange| {
        STUCK.here(exchange);
        hello(exchange);
    });
    let mut client = late(&STUCK, &site, &GET.repeat(2));
    let told = until_closed(&mut client);
    assert!(told.starts_with("HTTP/1.1 504 "), "{told}");
    assert!(
        told.contains("Connection: close\r\n") && told.ends_with("Gateway Timeout"),
        "{told}"
    );
    // What the thread says when it comes back reaches nobody; neither is the next request of the connection served.
    STUCK.meet();
    site.finish();
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    let record = site.scoreboard.totals(0);
    let classes = record.statuses.classes();
    assert_eq!((record.requests, classes), (1, [0, 0, 0, 0, 1]));
}

#[test]
fn the_answer_to_head_has_no_body() {
    static STUCK: Stuck = Stuck::new();
    let site = Site::new(|exchange| STUCK.here(exchange));
    let mut client = late(&STUCK, &site, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    let told = until_closed(&mut client);
    assert!(
        told.starts_with("HTTP/1.1 504 ") && told.ends_with("\r\n\r\n"),
        "{told}"
    );
    STUCK.meet();
}

#[test]
fn a_response_that_has_begun_is_left_to_its_thread() {
    static STUCK: Stuck = Stuck::new();
    let site = Site::new(|exchange| {
        commit(exchange, Some(5));
        exchange.flush();
        STUCK.here(exchange);
        assert!(exchange.is_ended());
        exchange.write(b"hello");
    });
    let mut client = late(&STUCK, &site, GET);
    STUCK.meet();
    assert!(until(&mut client, "hello").starts_with("HTTP/1.1 200 OK\r\n"));
}

#[test]
fn other_threads_and_later_requests_are_left_alone() {
    static STUCK: Stuck = Stuck::new();
    let mut site = Site::with(
        |exchange| match exchange.request().target() {
            b"/stuck" => STUCK.here(exchange),
            _ => hello(exchange),
        },
        |settings| settings.workers.threads = 2,
    );
    let mut client = site.connect();
    client
        .write_all(GET.replace("/ ", "/stuck ").as_bytes())
        .unwrap();
    STUCK.meet();
    let ended: Vec<u32> = (0..2)
        .filter(|thread| site.watches.end_overdue(*thread))
        .collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(
        site.watches
            .stuck()
            .map(|(thread, _)| thread)
            .collect::<Vec<_>>(),
        ended
    );
    assert_eq!(site.say(GET), OK_HELLO);
    assert!(until_closed(&mut client).starts_with("HTTP/1.1 504 "));
    STUCK.meet();
    assert_eq!(site.say(&GET.repeat(4)), OK_HELLO.repeat(4));
    site.finish();
    assert_eq!(site.watches.stuck().count(), 0);
}

/// What the scoreboard says of a request while the application is at it.
fn time_of(stuck: &Stuck, answer: Answer) -> RunningRequest {
    let site = Site::with(answer, |settings| {
        settings.limits.harakiri = TimeSpan(Duration::from_secs(60))
    });
    let mut client = site.connect();
    client.write_all(GET.as_bytes()).unwrap();
    stuck.meet();
    let running = site.scoreboard.thread(0, 0).snapshot().running.unwrap();
    assert!(!site.watches.end_overdue(0));
    stuck.meet();
    running
}

#[test]
fn the_settings_give_the_deadline() {
    static STUCK: Stuck = Stuck::new();
    let running = time_of(&STUCK, |_| STUCK.stay());
    assert_eq!(running.deadline_us, running.began_us + 60_000_000);
}

#[test]
fn a_request_may_give_itself_more_time() {
    static STUCK: Stuck = Stuck::new();
    let running = time_of(&STUCK, |exchange| {
        exchange.set_deadline(Some(Duration::from_secs(90)));
        STUCK.stay();
    });
    assert!(running.deadline_us >= running.began_us + 90_000_000);
}

#[test]
fn a_request_may_have_all_the_time() {
    static STUCK: Stuck = Stuck::new();
    let running = time_of(&STUCK, |exchange| {
        exchange.set_deadline(None);
        STUCK.stay();
    });
    assert_eq!(running.deadline_us, 0);
}

#[test]
fn a_drain_can_be_begun_while_all_threads_are_stuck() {
    static STUCK: Stuck = Stuck::new();
    let mut site = Site::new(|exchange| STUCK.here(exchange));
    let mut client = late(&STUCK, &site, GET);
    site.engine.stop();
    STUCK.meet();
    for thread in site.threads.drain(..) {
        thread.join().unwrap();
    }
    assert!(until_closed(&mut client).starts_with("HTTP/1.1 504 "));
}
