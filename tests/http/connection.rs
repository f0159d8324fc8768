//! How long a connection lives and what may share it.

use std::{collections::HashMap, time::Duration};

use crate::{
    process::Held,
    support::{
        client::{Client, request},
        site::{Running, Site},
    },
};

fn site() -> Running {
    Site::app("echo").start()
}

fn check_stays_open(mut client: Client) {
    client.send(&request("POST", "/all", &[], b"again"));
    assert_eq!(client.answer().text(), "again");
}

#[test]
fn http_1_1_stays_open() {
    let site = site();
    let mut client = site.address().connect();
    client.send_get("/all");
    assert_eq!(client.answer().header("Connection"), None);
    check_stays_open(client);
}

#[test]
fn close_is_obeyed_and_said() {
    let site = site();
    let mut client = site.address().connect();
    client.send(&request("GET", "/all", &[("Connection", "close")], b""));
    assert_eq!(client.answer().header("Connection"), Some("close"));
    assert!(client.is_closed());
}

#[test]
fn http_1_0_closes() {
    let site = site();
    let mut client = site.address().connect();
    client.send(b"GET /all HTTP/1.0\r\n\r\n");
    assert_eq!(client.answer().status, 200);
    assert!(client.is_closed());
}

#[test]
fn http_1_0_stays_open_when_asked() {
    let site = site();
    let mut client = site.address().connect();
    client.send(b"GET /all HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let answer = client.answer();
    assert!(
        answer
            .header("Connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("keep-alive")),
        "{answer:?}"
    );
    check_stays_open(client);
}

#[test]
fn answers_come_in_the_order_of_the_requests() {
    let site = Site::app("echo").workers(1, 4).start();
    let mut client = site.address().connect();
    let numbers = 0..200;
    let all: Vec<u8> = numbers
        .clone()
        .flat_map(|number| request("POST", "/all", &[], number.to_string().as_bytes()))
        .collect();
    client.send(&all);
    for number in numbers {
        assert_eq!(client.answer().text(), number.to_string());
    }
}

#[test]
fn a_request_in_pieces_is_one_request() {
    let site = site();
    let mut client = site.address().connect();
    for piece in [
        "PO",
        "ST /all HTT",
        "P/1.1\r",
        "\nHost: a\r\nContent-Le",
        "ngth: 4\r\n\r",
        "\nbo",
        "dy",
    ] {
        client.send(piece.as_bytes());
        assert!(piece == "dy" || client.stays_quiet(Duration::from_millis(20)));
    }
    assert_eq!(client.answer().text(), "body");
    check_stays_open(client);
}

#[test]
fn idle_connections_end_without_a_word() {
    let site = Site::app("echo")
        .setting("http", "keep-alive = \"200ms\"")
        .start();
    let mut client = site.address().connect();
    client.send_get("/all");
    assert_eq!(client.answer().status, 200);
    assert!(client.is_closed());
}

#[test]
fn without_keep_alive_every_answer_closes() {
    let site = Site::app("echo")
        .setting("http", "keep-alive = \"0\"")
        .start();
    let mut client = site.address().connect();
    client.send_get("/all");
    assert_eq!(client.answer().header("Connection"), Some("close"));
    assert!(client.is_closed());
}

fn expecting(length: usize) -> Vec<u8> {
    format!(
        "POST /all HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

fn check_expectation(site: &Running) {
    let mut client = site.address().connect();
    client.send(&expecting(4));
    assert_eq!(client.head().status, 100);
    client.send(b"body");
    assert_eq!(client.answer().text(), "body");
    check_stays_open(client);
}

#[test]
fn who_waits_for_100_gets_it() {
    check_expectation(&site());
    check_expectation(
        &Site::app("echo")
            .setting("request", "post-buffering = \"0\"")
            .start(),
    );
}

#[test]
fn who_does_not_wait_for_100_is_served_as_well() {
    let site = site();
    let mut client = site.address().connect();
    client.send(&[expecting(4), b"body".to_vec()].concat());
    assert_eq!(client.answer().text(), "body");
    check_stays_open(client);
}

#[test]
fn a_body_that_is_too_large_is_not_asked_for() {
    let site = Site::app("echo")
        .setting("http", "max-body = \"10\"")
        .start();
    let mut client = site.address().connect();
    client.send(&expecting(11));
    assert_eq!(client.head().status, 413);
}

/// The client has sent everything and says so; it still gets its answer.
#[test]
fn a_half_closed_client_gets_its_answer() {
    let site = site();
    let mut client = site.address().connect();
    client.send(&request("POST", "/all", &[], b"body"));
    client.finish_sending();
    assert_eq!(client.answer().text(), "body");
    assert!(client.is_closed());
}

#[test]
fn many_connections_at_once() {
    let site = Site::app("echo").workers(2, 2).start();
    let mut clients: Vec<Client> = (0..200).map(|_| site.address().connect()).collect();
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(&request(
                "POST",
                "/all",
                &[],
                format!("{round} {number}").as_bytes(),
            ));
        }
        for (number, client) in clients.iter_mut().enumerate() {
            assert_eq!(client.answer().text(), format!("{round} {number}"));
        }
    }
}

#[test]
fn connections_leave_no_descriptor_behind() {
    let site = Site::app("echo").workers(1, 2).start();
    let idle = site.open_sockets();
    for number in 0..100 {
        let mut client = site.address().connect();
        match number % 4 {
            0 => client.send_get("/all"),
            1 => client.send(b"GET / HT"),
            2 => client.send(b"no request\r\n\r\n"),
            _ => client.send(b"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf"),
        }
    }
    site.wait_until("all sockets are closed", || site.open_sockets() <= idle);
    assert_eq!(site.get("/all").status, 200);
}

/// Each connection stays where it was accepted, so that whoever accepts them all has all of the load.
#[test]
fn workers_share_the_connections_that_stay() {
    let site = Site::app("process").workers(3, 1).start();
    let held = (1..=3).map(|nth| Held::begin_nth(&site, nth));
    // All three serve, and have time.
    held.collect::<Vec<_>>()
        .into_iter()
        .for_each(|held| drop(held.end()));
    let mut of_worker = HashMap::<u64, usize>::new();
    let clients: Vec<_> = (0..30)
        .map(|_| {
            let mut client = site.address().connect();
            client.send_get("/pid");
            let worker = client.answer().json()["pid"].as_u64().unwrap();
            *of_worker.entry(worker).or_default() += 1;
            client
        })
        .collect();
    let most = of_worker.values().max().unwrap();
    assert!(of_worker.len() == 3 && *most <= 20, "{of_worker:?}");
    drop(clients);
}
