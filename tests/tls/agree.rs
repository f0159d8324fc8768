//! Versions, protocols and ciphers that client and server agree on, and what the application is told of them.

use std::process::Command;

use super::{GET, curl, environ, printed, s_client, site};
use crate::support::{
    certificates::{Certificates, succeed},
    venv,
};

const URL: &str = "https://localhost/a?b=c";

#[test]
fn both_versions_are_spoken_and_told() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("environ", &certificates, "").start();
    let told = |arguments: &[&str]| {
        let environ = environ(&site, &certificates, URL, arguments);
        let names = [
            "SSL_PROTOCOL",
            "SSL_CIPHER",
            "SSL_TLS_SNI",
            "HTTPS",
            "wsgi.url_scheme",
        ];
        names
            .map(|name| environ[name].as_str().unwrap().to_owned())
            .join(" ")
    };
    assert_eq!(
        told(&["--tls13-ciphers", "TLS_AES_128_GCM_SHA256"]),
        "TLSv1.3 TLS_AES_128_GCM_SHA256 localhost on https"
    );
    assert_eq!(
        told(&[
            "--tls-max",
            "1.2",
            "--ciphers",
            "ECDHE-ECDSA-AES256-GCM-SHA384"
        ]),
        "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384 localhost on https"
    );
}

#[test]
fn older_versions_and_other_protocols_are_refused() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("environ", &certificates, "").start();
    let old = s_client(&site, &["-tls1_1", "-cipher", "ALL@SECLEVEL=0"], "");
    assert!(
        printed(&old).contains("SSL alert number"),
        "{}",
        printed(&old)
    );
    let h2 = s_client(&site, &["-alpn", "h2"], "");
    assert!(
        printed(&h2).contains("alert no application protocol"),
        "{}",
        printed(&h2)
    );
    let both = s_client(&site, &["-alpn", "h2,http/1.1"], GET);
    assert!(
        printed(&both).contains("ALPN protocol: http/1.1"),
        "{}",
        printed(&both)
    );
}

#[test]
fn the_order_of_the_settings_decides() {
    let certificates = Certificates::of(&["localhost"]);
    let keys =
        "ciphers = [\"TLS13_CHACHA20_POLY1305_SHA256\", \"ECDHE-ECDSA-AES128-GCM-SHA256\"]\n";
    let site = site("environ", &certificates, keys).start();
    let told =
        |arguments: &[&str]| environ(&site, &certificates, URL, arguments)["SSL_CIPHER"].clone();
    assert_eq!(told(&[]), "TLS_CHACHA20_POLY1305_SHA256");
    assert_eq!(told(&["--tls-max", "1.2"]), "ECDHE-ECDSA-AES128-GCM-SHA256");
    let other = [
        "--tls-max",
        "1.2",
        "--ciphers",
        "ECDHE-ECDSA-AES256-GCM-SHA384",
    ];
    assert!(
        !curl(&site, &certificates, URL, &other)
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn bodies_go_both_ways() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("echo", &certificates, "").start();
    let body = "0123456789".repeat(100_000);
    let file = certificates.path("body");
    std::fs::write(&file, &body).unwrap();
    let data = format!("@{}", file.display());
    // curl waits for 100 Continue with a body as large as this one.
    for further in [&[][..], &["--header", "Transfer-Encoding: chunked"]] {
        let arguments = [&["--data-binary", &data], further].concat();
        let output = succeed(&mut curl(&site, &certificates, URL, &arguments));
        assert!(output.stdout == body.as_bytes(), "{}", output.stdout.len());
    }
}

/// Python's client, with a connection that is kept and used again.
const PYTHON: &str = "
import http.client, ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
connection = http.client.HTTPSConnection('localhost', int(sys.argv[2]), context=context)
for number in range(3):
    connection.request('POST', '/', body=b'x' * 50000 * number)
    assert connection.getresponse().read() == b'x' * 50000 * number
socket = connection.sock.unwrap()
print('closed in order')
";

#[test]
fn connections_are_kept_and_closed_in_order() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("echo", &certificates, "").start();
    let mut python = Command::new(venv().join("bin/python"));
    let python = python.args(["-c", PYTHON]).arg(certificates.path("ca.pem"));
    let output = succeed(python.arg(site.address().port()));
    assert_eq!(output.stdout, b"closed in order\n");
}
