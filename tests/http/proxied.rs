//! The PROXY protocol in front of HTTP: whose word on the client counts, and what becomes of connections without one.

use serde_json::Value;

use crate::support::{
    certificates::Certificates,
    client::request,
    haproxy::Haproxy,
    site::{Running, Site},
};

const LINE: &[u8] = b"PROXY TCP4 192.0.2.7 198.51.100.1 56789 443\r\n";

fn described(settings: &str) -> Site {
    Site::app("environ")
        .workers(1, 2)
        .listen_with("http", "127.0.0.1:0", "proxy-protocol = true")
        .setting("http", settings)
}

fn site() -> Running {
    described("").start()
}

/// Version 2: command, family, addresses and facts.
fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    let head = [command, family, length[0], length[1]];
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &head, rest].concat()
}

fn environ_after(site: &Running, header: &[u8], headers: &[(&str, &str)]) -> Value {
    let mut client = site.address().connect();
    client.send(&[header, &request("GET", "/", headers, b"")].concat());
    client.answer().json()
}

#[track_caller]
fn check_client(seen: &Value, address: &str, port: &str, scheme: &str) {
    assert_eq!(seen["REMOTE_ADDR"], address, "{seen:#}");
    assert_eq!(seen["REMOTE_PORT"], port, "{seen:#}");
    assert_eq!(seen["wsgi.url_scheme"], scheme, "{seen:#}");
}

#[test]
fn the_header_names_the_client() {
    let site = site();
    let seen = environ_after(&site, LINE, &[]);
    check_client(&seen, "192.0.2.7", "56789", "http");
    let v4 = [192, 0, 2, 8, 198, 51, 100, 1, 0, 7, 1, 187];
    let seen = environ_after(&site, &binary(0x21, 0x11, &v4), &[]);
    check_client(&seen, "192.0.2.8", "7", "http");
    let tls = [&v4[..], &[0x20, 0, 5, 1, 0, 0, 0, 0]].concat();
    let seen = environ_after(&site, &binary(0x21, 0x11, &tls), &[]);
    check_client(&seen, "192.0.2.8", "7", "https");
    assert_eq!(seen["HTTPS"], "on");
}

#[test]
fn a_client_behind_a_proxy_is_not_trusted_for_that() {
    let forged = [("X-Forwarded-Proto", "https")];
    let seen = environ_after(&site(), LINE, &forged);
    assert_eq!(seen["wsgi.url_scheme"], "http");
}

#[test]
fn a_proxys_own_connection_keeps_its_address() {
    let site = site();
    for header in [&b"PROXY UNKNOWN\r\n"[..], &binary(0x20, 0, b"")] {
        let seen = environ_after(&site, header, &[]);
        assert_eq!(seen["REMOTE_ADDR"], "127.0.0.1");
    }
}

#[test]
fn the_header_holds_for_all_requests_of_its_connection_and_for_no_other() {
    let site = site();
    let mut client = site.address().connect();
    let two = request("GET", "/", &[], b"").repeat(2);
    client.send(&[LINE, &two].concat());
    for _ in 0..2 {
        assert_eq!(client.answer().json()["REMOTE_ADDR"], "192.0.2.7");
    }
    let seen = environ_after(&site, b"PROXY UNKNOWN\r\n", &[]);
    assert_eq!(seen["REMOTE_ADDR"], "127.0.0.1");
}

#[test]
fn the_header_may_come_byte_by_byte() {
    let site = site();
    let mut client = site.address().connect();
    for byte in [LINE, &request("GET", "/", &[], b"")].concat() {
        client.send(&[byte]);
    }
    check_client(&client.answer().json(), "192.0.2.7", "56789", "http");
}

#[test]
fn without_the_header_nothing_is_answered() {
    let site = site();
    let mut client = site.address().connect();
    client.send_get("/");
    assert!(client.is_closed());
    let told = |line: &str| {
        line.contains("a proxy has to say whose it is")
            .then_some(())
    };
    site.process.wait_for("what was missing", told);
    environ_after(&site, LINE, &[]);
}

#[test]
fn peers_that_are_not_trusted_are_refused() {
    let site = described("trusted-proxies = [\"192.0.2.0/24\"]").start();
    let mut client = site.address().connect();
    client.send(&[LINE, &request("GET", "/", &[], b"")].concat());
    assert!(client.is_closed());
    let told = |line: &str| {
        (line.contains("a connection was refused") && line.contains("127.0.0.1")).then_some(())
    };
    site.process.wait_for("who was refused", told);
}

#[test]
fn a_header_that_does_not_come_in_time_is_given_up() {
    let site = described("header-timeout = \"200ms\"").start();
    for beginning in [&b""[..], &LINE[..10], LINE] {
        let mut client = site.address().connect();
        client.send(beginning);
        assert!(client.rest().is_empty() || beginning == LINE);
    }
    environ_after(&site, LINE, &[]);
}

/// The header is in plain text before the handshake.
#[test]
fn tls_begins_behind_the_header() {
    let certificates = Certificates::of(&["localhost"]);
    let keys = format!("{}proxy-protocol = true\n", certificates.keys("localhost"));
    let site = Site::app("environ")
        .bare()
        .listen("http", "127.0.0.1:0")
        .listen_with("https", "127.0.0.1:0", &keys)
        .start();
    let haproxy = Haproxy::before(&[(&site.addresses[1], "send-proxy-v2")]);
    let url = format!("https://localhost:{}/", haproxy.fronts[0].port());
    let mut command = std::process::Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "20"]);
    command.args(["--interface", "127.0.0.3", "--cacert"]);
    command.arg(certificates.path("ca.pem")).arg(url);
    let output = command.output().unwrap();
    let seen: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!(
        (&seen["REMOTE_ADDR"], &seen["HTTPS"]),
        (&"127.0.0.3".into(), &"on".into())
    );
}

#[test]
fn haproxy_says_whose_connections_it_passes_on() {
    let site = site();
    let haproxy = Haproxy::before(&[
        (site.address(), "send-proxy"),
        (site.address(), "send-proxy-v2"),
        (site.address(), "send-proxy-v2-ssl check inter 50"),
    ]);
    for front in &haproxy.fronts {
        let mut client = front.connect();
        let seen = {
            client.send_get("/");
            client.answer().json()
        };
        check_client(&seen, "127.0.0.1", &client.port().to_string(), "http");
    }
}
