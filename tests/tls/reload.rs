//! Certificates that change while the site serves.

use std::{fs, process::Output};

use super::{curl, printed, s_client, site};
use crate::support::{
    certificates::Certificates,
    load::Load,
    site::{Running, Site},
};

fn reload(site: &Running) -> Output {
    site.control(&["reload"])
}

/// The serial number of the certificate that clients are shown.
fn shown(site: &Running, certificates: &Certificates) -> String {
    let output = s_client(site, &["-no_ign_eof"], "Q\n");
    let printed = printed(&output);
    let from = printed
        .find("-----BEGIN")
        .unwrap_or_else(|| panic!("{printed}"));
    let to = printed.find("-----END CERTIFICATE-----\n").unwrap() + 26;
    fs::write(certificates.path("shown.pem"), &printed[from..to]).unwrap();
    certificates.serial("shown")
}

#[test]
fn a_renewed_certificate_is_served_and_no_request_is_lost() {
    let certificates = Certificates::of(&["localhost"]);
    let site = site("environ", &certificates, "").workers(2, 2).start();
    let load = Load::start(&site.address().over_tls(), "/", 8);
    for _ in 0..4 {
        load.wait_for(100);
        certificates.host("localhost", "localhost", 90);
        let output = reload(&site);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            shown(&site, &certificates),
            certificates.serial("localhost")
        );
    }
    load.wait_for(100);
    let (done, failures) = load.finish();
    assert!(failures.is_empty(), "of {done}: {failures:#?}");
}

#[test]
fn a_bad_certificate_stops_the_reload_and_nothing_else() {
    let certificates = Certificates::of(&["localhost", "other"]);
    let site = site("environ", &certificates, "").start();
    let before = certificates.serial("localhost");
    fs::copy(
        certificates.path("other.pem"),
        certificates.path("localhost.pem"),
    )
    .unwrap();
    let output = reload(&site);
    assert!(!output.status.success());
    let message = printed(&output);
    assert!(
        message.contains("localhost.key does not belong to the first certificate of"),
        "{message}"
    );
    assert_eq!(shown(&site, &certificates), before);
    certificates.host("localhost", "localhost", 90);
    assert!(reload(&site).status.success());
    assert_eq!(
        shown(&site, &certificates),
        certificates.serial("localhost")
    );
}

/// Whoever was let in by an authority that counts no longer is not let in by a ticket of that time.
#[test]
fn sessions_do_not_outlive_the_authority() {
    let certificates = Certificates::of(&["localhost"]);
    let other = Certificates::new();
    certificates.client("jane", "/CN=jane");
    let authority = certificates.path("authority.pem");
    fs::copy(certificates.path("ca.pem"), &authority).unwrap();
    let keys = format!("client-ca = {authority:?}\n");
    let site = site("environ", &certificates, &keys).start();
    let file = |name: &str| certificates.path(name).to_str().unwrap().to_owned();
    let (cert, key, session) = (file("jane.pem"), file("jane.key"), file("session"));
    let shown = ["-cert", &cert, "-key", &key, "-sess_out", &session];
    let first = printed(&s_client(&site, &shown, super::GET));
    assert!(first.contains("HTTP/1.1 200 OK"), "{first}");
    let resumed = printed(&s_client(&site, &["-sess_in", &session], super::GET));
    assert!(resumed.contains("Reused, TLSv1.3"), "{resumed}");
    assert!(resumed.contains("CN=jane"), "{resumed}");
    fs::copy(other.path("ca.pem"), &authority).unwrap();
    assert!(reload(&site).status.success());
    let refused = printed(&s_client(&site, &["-sess_in", &session], super::GET));
    assert!(refused.contains("alert certificate required"), "{refused}");
}

#[test]
fn https_comes_and_goes_with_reloads() {
    let certificates = Certificates::of(&["localhost"]);
    let plain = || Site::app("environ").bare().listen("http", "127.0.0.1:0");
    let both = plain().listen_with("https", "./https.sock", &certificates.keys("localhost"));
    let site = plain().start();
    let socket = site.directory.path().join("https.sock");
    let is_served = || {
        let unix = ["--unix-socket", socket.to_str().unwrap()];
        let mut curl = curl(&site, &certificates, "https://localhost/", &unix);
        curl.output().unwrap().status.success()
    };
    for (next, expected) in [(both, true), (plain(), false)] {
        assert_ne!(is_served(), expected);
        site.rewrite(&next);
        let output = reload(&site);
        assert!(output.status.success(), "{output:?}");
        assert_eq!((is_served(), site.get("/").status), (expected, 200));
    }
}
