//! What a start and `hostler check` say of files that are wrong, or will be soon.

use std::{fs, process::Command};

use super::{printed, site};
use crate::support::{
    certificates::Certificates,
    site::{PROGRAM, Site},
};

/// A start ends with exit code 78 and a message that contains `started`; a check too, with `checked`.
#[track_caller]
fn check_refused(site: &Site, started: &str, checked: &str) {
    let (mut process, directory) = site.launch();
    assert_eq!(process.wait().code(), Some(78), "{}", process.output());
    assert!(process.output().contains(started), "{}", process.output());
    let file = directory.path().join("site.toml");
    let mut check = Command::new(PROGRAM);
    let output = check.arg("check").arg(file).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(printed(&output).contains(checked), "{}", printed(&output));
}

#[test]
fn what_does_not_belong_together_is_named() {
    let certificates = Certificates::of(&["localhost", "other"]);
    fs::copy(
        certificates.path("other.key"),
        certificates.path("localhost.key"),
    )
    .unwrap();
    check_refused(
        &site("environ", &certificates, ""),
        "localhost.key does not belong to the first certificate of ",
        "localhost.key does not belong to the first certificate of ",
    );
}

#[test]
fn what_is_missing_is_named() {
    let certificates = Certificates::of(&["localhost"]);
    fs::remove_file(certificates.path("localhost.key")).unwrap();
    let site = site("environ", &certificates, "");
    let path = certificates.path("localhost.key");
    let expected = format!(
        "cannot read the private key {}: No such file",
        path.display()
    );
    let checked = format!("{} does not exist; make the file", path.display());
    check_refused(&site, &expected, &checked);
}

#[test]
fn a_cipher_that_there_is_not_is_named() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site(
        "environ",
        &certificates,
        "ciphers = [\"TLS_RSA_WITH_RC4_128_MD5\"]\n",
    );
    let expected = "`TLS_RSA_WITH_RC4_128_MD5` is none of the cipher suites";
    check_refused(&site, expected, expected);
}

#[test]
fn a_certificate_that_ends_soon_is_a_warning() {
    let certificates = Certificates::of(&["localhost"]);
    let soon = site("environ", &certificates, "");
    let now = Command::new("date")
        .args(["-u", "-d", "+3 days", "+%Y%m%d%H%M%SZ"])
        .output()
        .unwrap();
    let end = String::from_utf8(now.stdout).unwrap();
    certificates.until("localhost", end.trim());
    let running = soon.start();
    running.process.wait_for("a warning", |line| {
        let is_it = line.contains("WARN") && line.contains("localhost.pem expires on 20");
        (is_it && line.contains("in 2 days; renew it, then reload the site")).then_some(())
    });
    let check = Command::new(PROGRAM)
        .arg("check")
        .arg(running.file())
        .output()
        .unwrap();
    assert!(check.status.success());
    assert!(
        printed(&check).contains("localhost.pem expires on 20"),
        "{}",
        printed(&check)
    );
}

#[test]
fn keys_come_from_the_credentials() {
    let certificates = Certificates::of(&["localhost"]);
    let directory = certificates.path("");
    let site = Site::app("environ")
        .bare()
        .program_env("CREDENTIALS_DIRECTORY", directory.to_str().unwrap())
        .listen_with(
            "https",
            "127.0.0.1:0",
            "certificate = \"localhost.pem\"\nkey = \"localhost.key\"\n",
        )
        .start();
    assert_eq!(site.address().over_tls().get("/").status, 200);
}
