//! Requests past their deadline: their clients are told, their threads interrupted, the others of the worker finish.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    process::Held,
    support::{
        PATIENCE,
        certificates::Certificates,
        client::Client,
        process::Watched,
        site::{Running, Site},
    },
};

/// So long a request may take.
const LIMIT: &str = "harakiri = \"300ms\"";
/// The end of a worker whose stuck thread came back.
const LEFT: &str = "harakiri: the request came to an end, the worker has left";
const KILLED: &str = "harakiri: the worker was killed";

/// `graceful` is long where nobody is to be killed, and short where somebody is.
fn site(threads: u32, graceful: &str) -> Site {
    Site::app("late").bare().workers(1, threads).setting(
        "limits",
        &format!("{LIMIT}\nharakiri-graceful = \"{graceful}\""),
    )
}

fn pid(site: &Running) -> u64 {
    site.get("/pid").json()[0].as_u64().unwrap()
}

/// Sends a request that takes too long; its client is told so, and the connection closed.
fn check_told(site: &Running, target: &str) {
    let mut client = site.address().connect();
    client.send_get(target);
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.header("Connection")),
        (504, Some("close")),
        "{}",
        site.process.output()
    );
    assert!(client.is_closed());
}

#[test]
fn clients_are_told_by_https_as_well() {
    let certificates = Certificates::of(&["localhost"]);
    let keys = certificates.keys("localhost");
    let mut site = site(1, "30s")
        .listen_with("https", "127.0.0.1:0", &keys)
        .start();
    site.addresses[0] = site.addresses[0].over_tls();
    check_told(&site, "/sleep");
    site.process.wait_for_text(LEFT);
    assert_eq!(site.get("/pid").status, 200);
}

/// A lone thread that is in `target` is interrupted there; the log shows `place`, and the worker leaves by itself.
fn check_interrupted(target: &str, place: &str) {
    let site = site(1, "30s").start();
    let worker = Watched::new(pid(&site));
    check_told(&site, target);
    site.process.wait_for_text("stacks of a worker's threads");
    site.process
        .wait_for_text("a request was ended because it took too long");
    site.process.wait_for_text("hostler.HarakiriError");
    site.process.wait_for_text(LEFT);
    worker.wait();
    assert_eq!(
        site.process.output().matches(place).count(),
        2,
        "in the stacks and in the traceback"
    );
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn a_loop_in_python_is_interrupted() {
    check_interrupted("/loop", "in loop");
}

#[test]
fn a_sleep_is_interrupted() {
    check_interrupted("/sleep", "in sleep");
}

#[test]
fn waiting_for_a_socket_is_interrupted() {
    check_interrupted("/receive", "in receive");
}

#[test]
fn c_code_that_ends_at_a_signal_is_interrupted() {
    check_interrupted("/c-sleep", "in c_sleep");
}

#[test]
fn the_application_may_clean_up() {
    let site = site(1, "30s").start();
    check_told(&site, "/sleep");
    site.process.wait_for_text("cleaned up");
}

#[test]
fn waiting_for_the_body_of_a_client_is_interrupted() {
    for threads in [1, 2] {
        let site = site(threads, "30s")
            .setting("request", "post-buffering = \"0\"")
            .start();
        let mut client = site.address().connect();
        client.send(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbo");
        assert_eq!(client.answer().status, 504);
        site.process.wait_for_text(LEFT);
    }
}

#[test]
fn the_exception_comes_again_when_it_is_swallowed_and_is_no_exception() {
    for threads in [1, 2] {
        let site = site(threads, "30s").start();
        check_told(&site, "/swallow?again");
        let swallowed = |line: &str| {
            line.contains("swallowed hostler.HarakiriError")
                .then_some(())
        };
        site.process
            .wait_for_nth("that it was swallowed", 2, swallowed);
        site.process.wait_for_text(LEFT);
        assert!(!site.process.output().contains("caught as an Exception"));
    }
}

/// While the worker with the stuck thread goes, a second one answers, and the requests of its other threads finish.
fn check_others_finish(target: &str) {
    let site = site(3, "30s").start();
    let first = pid(&site);
    let others = [Held::begin_nth(&site, 1), Held::begin_nth(&site, 2)];
    check_told(&site, target);
    // The client hears of it before the drain begins.
    site.wait_until("another worker", || pid(&site) != first);
    for other in others {
        assert_eq!(other.end(), "done");
    }
    site.process.wait_for_text(LEFT);
    assert!(!site.process.output().contains(KILLED));
}

#[test]
fn requests_of_other_threads_finish_beside_a_loop() {
    check_others_finish("/loop");
}

#[test]
fn requests_of_other_threads_finish_beside_c_code_that_ends_at_a_signal() {
    check_others_finish("/c-sleep");
}

/// The two threads that wait make sure that it is any thread, the main one or not, that is stuck.
#[test]
fn each_thread_can_be_interrupted() {
    for waiting in 0..2 {
        let site = site(2, "30s").start();
        let other = (waiting > 0).then(|| Held::begin_nth(&site, 1));
        check_told(&site, "/loop");
        if let Some(other) = other {
            other.end();
        }
        site.process.wait_for_text(LEFT);
    }
}

/// Nothing can be done about it but to kill the worker; still the stacks are in the log and the client is told first.
#[test]
fn c_code_that_never_ends_is_killed() {
    for threads in [1, 2] {
        let site = site(threads, "200ms").start();
        let worker = Watched::new(pid(&site));
        check_told(&site, "/c-lock");
        site.process.wait_for_text("in c_lock");
        site.process.wait_for_text(KILLED);
        worker.wait();
        assert_eq!(site.get("/pid").status, 200);
    }
}

#[test]
fn a_response_that_has_begun_is_cut_off() {
    let site = site(1, "30s").start();
    let answer = site.get("/begun");
    assert_eq!((answer.status, answer.whole), (200, false));
    assert_eq!(answer.body, b"begun");
    site.process.wait_for_text(LEFT);
}

#[test]
fn a_front_server_gets_a_status_line() {
    let site = site(1, "30s").listen("uwsgi", "./site.sock").start();
    let answer = site.address().uwsgi("GET", "/loop", &[], b"");
    assert_eq!(answer.status, 504);
}

fn in_time(site: &Running, target: &str) {
    assert_eq!(site.get(target).json(), "in time");
    assert!(!site.process.output().contains("harakiri"));
}

#[test]
fn a_request_may_take_the_time_that_it_asks_for() {
    in_time(&site(1, "30s").start(), "/more?0.6");
}

#[test]
fn a_request_may_have_less_time_also_without_a_limit_for_all() {
    let site = Site::app("late").bare().start();
    check_told(&site, "/less");
    site.process.wait_for_text(LEFT);
}

#[test]
fn a_deadline_belongs_to_its_request() {
    let site = site(1, "30s").start();
    assert_eq!(site.get("/keep").json(), "kept");
    let [why, is_same] =
        serde_json::from_value::<[serde_json::Value; 2]>(site.get("/use-kept").json()).unwrap();
    assert_eq!(why, "the request is over, it has no deadline any more");
    assert_eq!(is_same, false);
}

#[test]
fn what_is_no_time_is_refused() {
    let site = site(1, "30s").start();
    let all = ["ValueError", "ValueError", "ValueError", "TypeError"];
    assert_eq!(site.get("/wrong").json(), serde_json::json!(all));
}

/// Whoever is faster, the thread or the one that ends its request: each client gets one answer, and a whole one.
#[test]
fn at_the_very_deadline_every_client_gets_one_answer() {
    let site = Site::app("late")
        .bare()
        .workers(2, 3)
        .setting(
            "limits",
            "harakiri = \"100ms\"\nharakiri-graceful = \"30s\"",
        )
        .start();
    let answers = thread::scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|number| {
                scope.spawn({
                    let site = &site;
                    move || almost(site, number)
                })
            })
            .collect();
        clients
            .into_iter()
            .flat_map(|client| client.join().unwrap())
            .collect::<Vec<u16>>()
    });
    assert!(
        answers.iter().all(|status| [200, 504].contains(status)),
        "{answers:?}"
    );
    let log = site.process.output();
    assert!(!log.contains(KILLED) && !log.contains("died"), "{log}");
}

/// The statuses of requests that take from 95 to 165 ms and may take 100.
fn almost(site: &Running, number: u32) -> Vec<u16> {
    let answers = (0..10).map(|round| {
        let mut client = site.address().connect();
        client.send_get(&format!(
            "/almost?{}",
            0.095 + f64::from((round * 6 + number) % 15) / 200.0
        ));
        let answer = client.answer();
        assert!(answer.whole);
        answer.status
    });
    answers.collect()
}

/// Requests that came behind the late one on its connection are not served, and the client knows: it is closed.
#[test]
fn what_follows_on_the_connection_is_left_to_the_client() {
    let site = site(1, "30s").start();
    let mut client: Client = site.address().connect();
    client.send_get("/loop");
    client.send_get("/pid");
    let began = Instant::now();
    assert_eq!(client.answer().status, 504);
    assert!(client.is_closed());
    assert!(began.elapsed() < PATIENCE.min(Duration::from_secs(10)));
}
