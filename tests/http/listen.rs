//! The kinds of sockets: addresses, modes, several at once.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use crate::support::site::Site;

fn check(address: &str) {
    let site = Site::app("echo").listen("http", address).start();
    assert_eq!(site.request("POST", "/all", &[], b"body").text(), "body");
}

#[test]
fn ipv4() {
    check("127.0.0.1:0");
}

#[test]
fn ipv6() {
    check("[::1]:0");
}

#[test]
fn a_name() {
    check("localhost:0");
}

#[test]
fn unix_paths() {
    check("./http.sock");
}

#[test]
fn abstract_names() {
    check(&format!("@hostler-test-{}", std::process::id()));
}

#[test]
fn a_unix_socket_has_the_mode_of_the_settings() {
    let site = Site::app("echo")
        .listen_with("http", "./http.sock", "mode = \"0600\"")
        .start();
    let path = site.address().0.clone();
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_socket_file_that_nobody_serves_is_replaced() {
    let site = Site::app("echo").listen("http", "./http.sock").start();
    let path = site.address().0.clone();
    let directory = Path::new(&path).parent().unwrap();
    let other = Site::app("echo").listen("http", directory.join("left-over").to_str().unwrap());
    drop(std::os::unix::net::UnixListener::bind(directory.join("left-over")).unwrap());
    assert_eq!(
        other.start().request("POST", "/all", &[], b"body").text(),
        "body"
    );
}

#[test]
fn an_address_that_is_taken_ends_the_start() {
    let first = Site::app("echo").start();
    let address = first.address().0.clone();
    let (mut second, _directory) = Site::app("echo").listen("http", &address).launch();
    second.wait_for_text(&address);
    assert!(!second.wait().success());
}

#[test]
fn many_listeners_of_both_protocols() {
    let site = Site::app("echo")
        .listen("http", "127.0.0.1:0")
        .listen("uwsgi", "./uwsgi.sock")
        .listen("http", "./http.sock")
        .listen("uwsgi", "127.0.0.1:0")
        .start();
    assert_eq!(site.addresses.len(), 4);
    assert_eq!(site.addresses[0].get("/all").status, 200);
    assert_eq!(site.addresses[2].get("/all").status, 200);
}
