//! Slow clients, 500 at a time: a site of one process with two threads stays fully responsive.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{
    client::{Client, request},
    site::{Running, Site},
};

const CLIENTS: usize = 500;

/// The longest that a quick request may take meanwhile, on a busy machine. Slow clients that hold both threads would
/// make it last until a timeout.
const RESPONSIVE: Duration = Duration::from_secs(2);

fn site(app: &str) -> Site {
    raise_descriptor_limit();
    Site::app(app).workers(1, 2)
}

/// Every client is a descriptor here and one in the worker, which inherits the limit.
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            ..limit
        },
    )
    .unwrap();
}

/// For three seconds every slow client does its `step` once a second, and quick requests are answered quickly.
fn check_responsive(site: &Running, slow: &mut [Client], quick: &str, step: impl Fn(&mut Client)) {
    for _ in 0..3 {
        slow.iter_mut().for_each(&step);
        let second = Instant::now();
        while second.elapsed() < Duration::from_secs(1) {
            let asked = Instant::now();
            assert_eq!(site.get(quick).status, 200);
            assert!(
                asked.elapsed() < RESPONSIVE,
                "a quick request took {:?}",
                asked.elapsed()
            );
        }
    }
}

fn senders(site: &Running, beginning: &[u8]) -> Vec<Client> {
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| site.address().connect()).collect();
    clients.iter_mut().for_each(|client| client.send(beginning));
    clients
}

#[test]
fn slow_senders_of_heads() {
    let site = site("echo").start();
    let mut clients = senders(&site, b"GET /none HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    check_responsive(&site, &mut clients, "/none", |client| client.send(b"x"));
    for client in &mut clients {
        client.send(b"\r\n\r\n");
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn slow_senders_of_bodies() {
    let site = site("echo").start();
    let mut clients = senders(
        &site,
        b"POST /all HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n.",
    );
    check_responsive(&site, &mut clients, "/none", |client| client.send(b"x"));
    for client in &mut clients {
        client.send(b".");
        assert_eq!(client.answer().text(), ".xxx.");
    }
}

#[test]
fn slow_senders_of_packets() {
    let site = site("echo")
        .listen("uwsgi", "./uwsgi.sock")
        .listen("http", "127.0.0.1:0")
        .start();
    let packet = crate::support::uwsgi::request("POST", "/all", &[], b".xxx.");
    let (beginning, end) = packet.split_at(packet.len() - 5);
    let mut clients = senders(&site, beginning);
    let quick = Running {
        addresses: vec![site.addresses[1].clone()],
        ..site
    };
    check_responsive(&quick, &mut clients, "/none", |_| {});
    for client in &mut clients {
        client.send(end);
        assert_eq!(client.answer().text(), ".xxx.");
    }
}

fn check_readers(site: &Running, slow: &[u8], quick: &str, length: usize) {
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|_| site.address().connect_with_small_buffer())
        .collect();
    clients.iter_mut().for_each(|client| client.send(slow));
    check_responsive(site, &mut clients, quick, |client| client.read_one());
    for client in &mut clients[..10] {
        client.widen();
        assert_eq!(client.answer().body.len(), length);
    }
}

/// 500 kB each: more than the sockets hold, less than `response.buffering`.
#[test]
fn slow_readers() {
    check_readers(
        &site("bodies").start(),
        &request("GET", "/large", &[], b""),
        "/list",
        500_000,
    );
}

/// A file holds no thread whatever its size: sendfile goes on without Python.
#[test]
fn slow_readers_of_files() {
    let site = site("file")
        .setting("response", "buffering = \"64K\"")
        .start();
    let file = site.directory.path().join("content");
    std::fs::write(&file, vec![b'x'; 1_000_000]).unwrap();
    let slow = request("GET", &format!("/whole?{}", file.display()), &[], b"");
    let quick = format!("/whole?{}", site.file().display());
    check_readers(&site, &slow, &quick, 1_000_000);
}
