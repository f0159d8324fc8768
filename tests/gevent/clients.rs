//! Clients of every kind, and slow ones: they hold a greenlet, never the hub.

use std::os::unix::fs::PermissionsExt;

use super::{begin, check_meet, site};
use crate::support::{certificates::Certificates, client::request, site::Site, uwsgi};

/// A body of this size streams.
const STREAMING: &str = "post-buffering = \"0\"";

fn streaming_site(concurrency: u32) -> Site {
    site(concurrency)
        .setting("request", STREAMING)
        .setting("timeouts", "socket = \"60s\"")
}

#[test]
fn slow_senders_of_bodies_hold_nobody_else() {
    for path in ["/upload", "/upload-beside"] {
        let site = streaming_site(16).start();
        let mut slow = Vec::new();
        for _ in 0..10 {
            let mut client = site.address().connect();
            client.send(
                format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
                    .as_bytes(),
            );
            client.send(&[b'x'; 30_000]);
            slow.push(client);
        }
        // They are inside, and their bodies half read.
        check_meet(&site, 6, 10);
        for client in &mut slow {
            client.send(&[b'x'; 70_000]);
            assert_eq!(client.answer().text(), "100000");
        }
    }
}

#[test]
fn slow_readers_hold_nobody_else() {
    let site = site(16).setting("timeouts", "socket = \"60s\"").start();
    let mut slow = Vec::new();
    for _ in 0..10 {
        let mut client = site.address().connect_with_small_buffer();
        client.send_get("/download?100");
        slow.push(client);
    }
    check_meet(&site, 6, 10);
    for client in &mut slow {
        client.widen();
        assert_eq!(client.answer().body.len(), 10_000_000);
    }
}

#[test]
fn a_sender_that_falls_silent_is_given_up() {
    let site = site(4)
        .setting("request", STREAMING)
        .setting("timeouts", "socket = \"200ms\"")
        .start();
    let mut client = site.address().connect();
    client.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbo");
    assert_eq!(client.answer().status, 408);
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn a_reader_that_falls_silent_is_given_up() {
    let site = site(4).setting("timeouts", "socket = \"200ms\"").start();
    let mut client = site.address().connect_with_small_buffer();
    client.send_get("/download?1000");
    site.process.wait_for_text("the download is over");
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn a_greenlet_that_still_reads_is_told_of_the_end() {
    let site = streaming_site(4).start();
    let mut client = site.address().connect();
    client.send(b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbo");
    assert_eq!(client.answer().text(), "\"answered\"");
    site.process.wait_for_text("the reader was told: ");
    assert_eq!(site.get("/pid").status, 200);
}

#[test]
fn clients_that_leave_cost_nothing() {
    let site = streaming_site(4).start();
    for _ in 0..20 {
        let mut client = site.address().connect();
        client.send(b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nbo");
        begin(&site, "/download?100").read_one();
    }
    check_meet(&site, 4, 0);
}

#[test]
fn every_protocol_at_once() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site(9)
        .listen("http", "./http.sock")
        .listen("uwsgi", "127.0.0.1:0")
        .listen_with("https", "127.0.0.1:0", &certificates.keys("localhost"))
        .start();
    let [http, uwsgi, https] = &site.addresses[..] else {
        unreachable!("there are three listeners");
    };
    let get = request("GET", "/meet?9", &[], b"");
    let packet = uwsgi::request("GET", "/meet?9", &[], b"");
    let mut clients = Vec::new();
    for (address, bytes) in [
        (http.clone(), &get),
        (uwsgi.clone(), &packet),
        (https.over_tls(), &get),
    ] {
        for _ in 0..3 {
            let mut client = address.connect();
            client.send(bytes);
            clients.push(client);
        }
    }
    for client in &mut clients {
        assert_eq!(client.answer().text(), "9");
    }
}

/// Programs need no greenlet either.
#[test]
fn programs_answer_beside_greenlets() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("hello");
    std::fs::write(
        &program,
        "#!/bin/sh\necho Content-Type: text/plain\necho\necho hello\n",
    )
    .unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let lines = format!("path = \"/cgi\"\ndirectory = {:?}", directory.path());
    let site = site(1).setting("[cgi]", &lines).start();
    for _ in 0..3 {
        assert_eq!(site.get("/cgi/hello").text(), "hello\n");
        assert_eq!(site.get("/pid").status, 200);
    }
}

/// Files need no greenlet, also when all of them are taken.
#[test]
fn files_and_redirections_need_no_greenlet() {
    let site = site(1)
        .setting(
            "static",
            "map = { \"/files\" = \"/usr/share/common-licenses\" }",
        )
        .start();
    let gate = site.directory.path().join("gate");
    let mut kept = site.address().connect();
    kept.send_get("/pid");
    assert_eq!(kept.answer().status, 200);
    let mut held = begin(&site, &format!("/wait?{}", gate.display()));
    site.process.wait_for_text("waiting");
    kept.send_get("/files/BSD");
    assert!(kept.answer().text().contains("Redistribution"));
    std::fs::write(&gate, "").unwrap();
    assert_eq!(held.answer().status, 200);
}
