//! Clients that are slow, send nonsense, or are not there any more.

use std::time::Duration;

use super::site;
use crate::support::{certificates::Certificates, client::Client, site::Running};

/// The beginning of a ClientHello.
const BEGINNING: &[u8] = &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3];

fn clients(site: &Running, count: usize, beginning: &[u8]) -> Vec<Client> {
    let connect = |_| {
        let mut client = site.address().connect();
        client.send(beginning);
        client
    };
    (0..count).map(connect).collect()
}

/// One thread serves, and none of those who have begun a handshake has it.
#[test]
fn handshakes_that_do_not_go_on_hold_no_thread() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("environ", &certificates, "")
        .setting("http", "header-timeout = \"2s\"")
        .start();
    let mut silent = clients(&site, 50, b"");
    let mut slow = clients(&site, 50, BEGINNING);
    for _ in 0..20 {
        assert_eq!(site.address().over_tls().get("/").status, 200);
        slow.iter_mut().for_each(|client| client.send(&[0]));
    }
    // In time they are all given up, also those that send a byte now and then.
    assert!(silent.iter_mut().all(Client::is_closed));
    assert!(slow.iter_mut().all(Client::is_closed));
    assert_eq!(site.address().over_tls().get("/").status, 200);
}

#[test]
fn plain_http_is_answered_as_such() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("environ", &certificates, "").start();
    let answer = site.get("/");
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("https://"), "{}", answer.text());
    assert!(answer.whole && answer.header("Connection") == Some("close"));
}

#[test]
fn nonsense_costs_its_own_connection_and_no_other() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("environ", &certificates, "").start();
    let mut kept = site.address().over_tls().connect();
    for nonsense in [
        &b"\x00"[..],
        b"\x16\x03\x01\xff\xff",
        b"SSH-2.0-x\r\n",
        b"\x80\x2e\x01\x00\x02",
        &[255; 5000],
    ] {
        let mut client = site.address().connect();
        client.send(nonsense);
        client.finish_sending();
        client.rest();
        kept.send_get("/");
        assert_eq!(kept.answer().status, 200);
    }
}

#[test]
fn an_idle_connection_ends_in_order() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("environ", &certificates, "")
        .setting("http", "keep-alive = \"200ms\"")
        .start();
    let mut client = site.address().over_tls().connect();
    client.patience(Duration::from_secs(20));
    client.send_get("/");
    assert_eq!(client.answer().status, 200);
    // An end without close_notify would be an error of the read.
    assert!(client.is_closed());
}
