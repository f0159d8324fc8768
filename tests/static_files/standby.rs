//! Files are served while every thread of Python is kept; what needs Python waits for it and is not lost.

use std::{fs, path::PathBuf, process::Command, thread};

use super::Files;
use crate::support::{client::Client, site::Site};

/// Sites of `processes` workers with two threads each, all of which wait for a FIFO; and their clients.
struct Kept {
    files: Files,
    fifo: PathBuf,
    clients: Vec<Client>,
}

impl Kept {
    fn new(processes: u32, change: impl FnOnce(Site) -> Site) -> Self {
        let files = Files::configured(&["static/a.css"], "", |site| {
            change(site.workers(processes, 2).bare())
        });
        let fifo = files.tree.path().join("fifo");
        assert!(
            Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap()
                .success()
        );
        let mut kept = Self {
            files,
            fifo,
            clients: Vec::new(),
        };
        let wait = format!("/wait?{}", kept.fifo.display());
        for number in 1..=2 * processes as usize {
            let mut client = kept.files.site.address().connect();
            client.send_get(&wait);
            kept.clients.push(client);
            let is_waiting = |line: &str| line.ends_with("waiting").then_some(());
            kept.files
                .site
                .process
                .wait_for_nth("that it waits", number, is_waiting);
        }
        kept
    }

    /// Lets all threads go, and has their answers.
    fn release(mut self) -> Files {
        fs::write(&self.fifo, "released").unwrap();
        for client in &mut self.clients {
            assert_eq!(client.answer().status, 200);
        }
        self.files
    }
}

#[test]
fn files_are_served_while_all_threads_are_kept() {
    let kept = Kept::new(1, |site| site);
    let mut client = kept.files.site.address().connect();
    for _ in 0..100 {
        client.send_get("/static/a.css");
        assert_eq!(client.answer().text(), "static/a.css");
    }
    for _ in 0..10 {
        assert_eq!(kept.files.site.get("/static/a.css").status, 200);
    }
    kept.release();
}

#[test]
fn all_workers_may_be_kept() {
    let kept = Kept::new(3, |site| site);
    for _ in 0..30 {
        assert_eq!(kept.files.site.get("/static/a.css").text(), "static/a.css");
    }
    kept.release();
}

#[test]
fn what_needs_the_application_waits_for_it() {
    let kept = Kept::new(1, |site| site);
    let mut waiting = Vec::new();
    for number in 0..20 {
        let mut client = kept.files.site.address().connect();
        if number % 2 == 0 {
            // This one is known as a client of files, and then wants something else.
            client.send_get("/static/a.css");
            assert_eq!(client.answer().text(), "static/a.css");
        }
        client.send_get(&format!("/app/{number}"));
        waiting.push(client);
    }
    assert_eq!(kept.files.site.get("/static/a.css").text(), "static/a.css");
    let files = kept.release();
    for (number, client) in waiting.iter_mut().enumerate() {
        let answer = client.answer();
        assert_eq!(answer.json()["PATH_INFO"], format!("/app/{number}"));
    }
    assert_eq!(files.site.get("/static/a.css").text(), "static/a.css");
}

#[test]
fn bodies_are_kept_for_the_application() {
    let kept = Kept::new(1, |site| site);
    let mut client = kept.files.site.address().connect();
    client.send(b"POST /app HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
    assert_eq!(kept.files.site.get("/static/a.css").status, 200);
    client.send(b"def");
    assert_eq!(kept.files.site.get("/static/a.css").status, 200);
    kept.release();
    assert_eq!(client.answer().json()["REQUEST_METHOD"], "POST");
}

/// Requests of some protocols can go to another worker, those of others wait in this one: nobody notices.
#[test]
fn front_servers_are_served_like_everybody() {
    let kept = Kept::new(1, |site| {
        let site = site.listen("http", "127.0.0.1:0");
        let site = site.listen("fastcgi", "./fastcgi.sock");
        site.listen("scgi", "./scgi.sock")
            .listen("uwsgi", "./uwsgi.sock")
    });
    let addresses = kept.files.site.addresses.clone();
    let ask = &|number: usize, target: &str| match number {
        1 => addresses[1].fastcgi("GET", target, &[], b""),
        2 => addresses[2].scgi("GET", target, &[], b""),
        _ => addresses[3].uwsgi("GET", target, &[], b""),
    };
    thread::scope(|scope| {
        let waiting = [1, 2, 3].map(|number| scope.spawn(move || ask(number, "/app")));
        for number in 1..=3 {
            assert_eq!(
                ask(number, "/static/a.css").text(),
                "static/a.css",
                "{number}"
            );
        }
        let _files = kept.release();
        for asked in waiting {
            assert_eq!(asked.join().unwrap().json()["PATH_INFO"], "/app");
        }
    });
}

/// Of two workers one is kept for good: whatever comes to it is answered by the other, files and pages alike.
#[test]
fn a_worker_that_is_kept_takes_nothing_from_one_that_is_not() {
    let files = Files::configured(&["static/a.css"], "", |site| site.workers(2, 1).bare());
    let fifo = files.tree.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    // Each worker is known to some of these, which stay open.
    let mut clients: Vec<Client> = (0..20).map(|_| files.site.address().connect()).collect();
    for client in &mut clients {
        client.send_get("/app");
        assert_eq!(client.answer().status, 200);
    }
    let mut kept = clients.pop().unwrap();
    kept.send_get(&format!("/wait?{}", fifo.display()));
    files.site.process.wait_for_text("waiting");
    for round in 0..3 {
        for (number, client) in clients.iter_mut().enumerate() {
            let target = if number % 2 == 0 {
                "/app"
            } else {
                "/static/a.css"
            };
            client.send_get(target);
            assert_eq!(client.answer().status, 200, "{round} {number}");
            assert_eq!(files.site.get("/app").status, 200);
        }
    }
    fs::write(&fifo, "released").unwrap();
    assert_eq!(kept.answer().text(), "released");
}

/// Old and new workers at once: what waits is answered by whoever has it.
#[test]
fn a_reload_loses_nothing_that_waits() {
    let kept = Kept::new(1, |site| site);
    let mut client = kept.files.site.address().connect();
    client.send_get("/static/a.css");
    assert_eq!(client.answer().status, 200);
    client.send_get("/app");
    kept.files.site.process.signal(rustix::process::Signal::HUP);
    kept.files
        .site
        .process
        .wait_for_text("ready after the reload");
    assert_eq!(kept.files.site.get("/static/a.css").status, 200);
    let _files = kept.release();
    assert_eq!(client.answer().json()["PATH_INFO"], "/app");
}
