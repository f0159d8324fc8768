//! Listeners of plain HTTP that lead to HTTPS.

use std::process::Command;

use super::site;
use crate::support::{
    certificates::{Certificates, succeed},
    client::request,
};

#[test]
fn a_client_that_follows_arrives_at_https() {
    let certificates = Certificates::of(&["localhost"]);
    // The port of HTTPS is known only when it listens: a host of the settings stands for it.
    let site = site("environ", &certificates, "")
        .listen_with(
            "http",
            "127.0.0.1:0",
            "redirect-to = \"https://localhost:1\"\n",
        )
        .start();
    let [https, http] = &site.addresses[..] else {
        panic!("two listeners");
    };
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--location",
        "--max-time",
        "20",
    ])
    .args([
        "--connect-to",
        &format!("localhost:1:127.0.0.1:{}", https.port()),
    ])
    .arg("--cacert")
    .arg(certificates.path("ca.pem"))
    .args(["--data", "kept"])
    .arg(format!("http://{}/form?a=b", http.0));
    let output = succeed(&mut curl);
    let environ: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let seen =
        ["REQUEST_METHOD", "REQUEST_URI", "CONTENT_LENGTH", "HTTPS"].map(|name| &environ[name]);
    assert_eq!(seen, ["POST", "/form?a=b", "4", "on"]);
}

/// It is answered although no thread of the application is free.
#[test]
fn the_application_is_not_asked() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("raises", &certificates, "")
        .listen_with("http", "127.0.0.1:0", "redirect-to = \"https\"\n")
        .start();
    let mut client = site.addresses[1].connect();
    for method in ["GET", "HEAD", "PUT"] {
        client.send(&request(method, "/x?y", &[("Host", "a.example:8080")], b""));
        let answer = client.answer_to(method);
        assert_eq!(answer.status, 308);
        assert_eq!(answer.header("Location"), Some("https://a.example/x?y"));
    }
}
