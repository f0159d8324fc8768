//! What the scoreboard is told of requests.

use std::{sync::Barrier, time::Instant};

use super::*;
use crate::{config::Mount, scoreboard::Totals};

/// What was counted when everything was answered.
fn counted(mut site: Site, requests: &[&str]) -> Totals {
    for request in requests {
        site.say(request);
    }
    site.finish();
    site.scoreboard.totals(0)
}

#[test]
fn bytes_are_counted_in_both_directions() {
    let (first, second) = (GET.repeat(3), post("four"));
    let totals = counted(Site::new(echo), &[&first, &second]);
    assert_eq!(totals.received, (first.len() + second.len()) as u64);
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let answers = [(); 3].map(|()| echoed("")).concat() + &echoed("four");
    assert_eq!(totals.sent, (answers.len() + 4 * date.len()) as u64);
    assert_eq!((totals.requests, totals.latency.count()), (4, 4));
}

#[test]
fn what_is_no_request_is_counted_as_refused() {
    let totals = counted(Site::new(hello), &[GET, "nonsense\r\n\r\n"]);
    assert_eq!((totals.requests, totals.refused), (1, 1));
}

#[test]
fn requests_are_counted_by_the_application_that_answers() {
    let site = Site::with(hello, |settings| {
        settings.app.module = None;
        settings.mount = ["/a", "/b"]
            .map(|path| Mount {
                path: path.to_owned(),
                module: Some("closure".to_owned()),
                ..Mount::default()
            })
            .into();
    });
    let get = |path: &str| GET.replace("GET /", &format!("GET {path}"));
    let totals = counted(site, &[&get("/a"), &get("/b/c"), &get("/b"), &get("/")]);
    assert_eq!(totals.statuses.row(2), [0, 1, 0, 0, 0]);
    assert_eq!(totals.statuses.row(3), [0, 2, 0, 0, 0]);
    // Nobody's path: no application was asked.
    assert_eq!(totals.statuses.row(0), [0, 0, 0, 1, 0]);
    assert_eq!(totals.queued.count(), 3);
}

/// Answers each byte when it comes.
fn play(exchange: &mut Exchange<'_>) {
    commit(exchange, Some(PAIRS as u64));
    let mut byte = [0];
    while read_some(exchange, &mut byte).unwrap() > 0 {
        exchange.write(&byte);
        exchange.flush();
    }
}

/// Of so many bytes that go to and fro, some have to be waited for, however the threads run.
const PAIRS: usize = 50;

#[test]
fn waiting_for_a_client_is_no_work_of_the_application() {
    let mut site = Site::with(play, |settings| {
        settings.request.post_buffering = ByteSize(0);
    });
    let mut client = site.connect();
    let head = GET.replace("\r\n\r\n", &format!("\r\nContent-Length: {PAIRS}\r\n\r\n"));
    client.write_all(head.as_bytes()).unwrap();
    let mut end = "\r\n\r\n";
    for _ in 0..PAIRS {
        client.write_all(b"x").unwrap();
        until(&mut client, end);
        end = "x";
    }
    site.finish();
    let totals = site.scoreboard.totals(0);
    assert!(totals.client_us > 0, "{totals:?}");
    assert!(totals.client_us + totals.application_us <= totals.latency.sum_us());
}

#[test]
fn a_request_behind_another_waits_for_it() {
    // The second of two requests that come together is there from when the first one is.
    let totals = counted(
        Site::new(|exchange| {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(2) {}
            hello(exchange);
        }),
        &[&GET.repeat(2)],
    );
    assert_eq!(totals.queued.count(), 2);
    assert!(totals.queued.sum_us() >= 2_000, "{totals:?}");
}

/// The first request waits twice: when it has begun, and until another has been sent; then it takes its time.
static KEPT: Barrier = Barrier::new(2);
const KEPT_FOR: Duration = Duration::from_millis(100);

fn keep(exchange: &mut Exchange<'_>) {
    if exchange.request().target() == b"/first" {
        KEPT.wait();
        KEPT.wait();
        let began = Instant::now();
        while began.elapsed() < KEPT_FOR {}
    }
    hello(exchange);
}

#[test]
fn a_request_that_waits_in_the_kernel_waits() {
    let mut site = Site::new(keep);
    let [mut first, mut second] = [(); 2].map(|()| site.connect());
    let request = GET.replace("GET /", "GET /first");
    first.write_all(request.as_bytes()).unwrap();
    KEPT.wait();
    second.write_all(GET.as_bytes()).unwrap();
    KEPT.wait();
    until(&mut second, "hello");
    site.finish();
    let queued = site.scoreboard.totals(0).queued;
    assert_eq!(queued.count(), 2);
    // Less at most two ticks of the slowest clock that kernels are built with.
    let least = KEPT_FOR - Duration::from_millis(20);
    assert!(
        u128::from(queued.sum_us()) >= least.as_micros(),
        "{queued:?}"
    );
}
