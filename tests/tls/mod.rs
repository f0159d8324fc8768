//! HTTPS as clients see it: curl, openssl(1) and Python's ssl, each its own implementation of TLS.
//!
//! `agree`: versions, protocols, ciphers, and what the application is told; `names`: certificates by host; `client`:
//! certificates of clients; `resume`: sessions that go on in another worker; `reload`: certificates that change;
//! `trouble`: clients that are slow or send nonsense; `settings`: files that are wrong; `redirect`: listeners that lead
//! here.

mod agree;
mod client;
mod names;
mod redirect;
mod reload;
mod resume;
mod settings;
mod trouble;

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use serde_json::Value;

use crate::support::{
    certificates::{Certificates, succeed},
    site::{Running, Site},
};

/// A site that serves `app` with the certificate of `localhost` and further keys.
fn site(app: &str, certificates: &Certificates, keys: &str) -> Site {
    let keys = format!("{}{keys}", certificates.keys("localhost"));
    Site::app(app)
        .bare()
        .listen_with("https", "127.0.0.1:0", &keys)
}

/// curl that trusts the authority, finds every host at the first listener, and fails for answers that are errors.
fn curl(site: &Running, certificates: &Certificates, url: &str, arguments: &[&str]) -> Command {
    let port = site.address().port();
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--fail", "--max-time", "20"])
        .args(["--connect-to", &format!("::127.0.0.1:{port}")])
        .arg("--cacert")
        .arg(certificates.path("ca.pem"))
        .args(arguments)
        .arg(url);
    command
}

/// The environ that an application `environ` has seen of a request by curl.
fn environ(site: &Running, certificates: &Certificates, url: &str, arguments: &[&str]) -> Value {
    let output = succeed(&mut curl(site, certificates, url, arguments));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// `openssl s_client` with a connection to the first listener, which says `input` and waits for the end.
fn s_client(site: &Running, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new("timeout");
    command
        .args(["20", "openssl", "s_client", "-ign_eof", "-connect"])
        .arg(&site.address().0)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may have been refused already; then nobody reads this.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

/// What it printed.
fn printed(output: &Output) -> String {
    let (stdout, stderr) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(stdout),
        String::from_utf8_lossy(stderr)
    )
}

const GET: &str = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
