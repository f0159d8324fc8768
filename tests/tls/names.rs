//! Certificates by the host that the client asks for.

use super::{curl, site};
use crate::support::{
    certificates::{Certificates, succeed},
    site::Running,
};

/// Asks for a host, and lets curl check that the certificate is that host's.
fn answers(site: &Running, certificates: &Certificates, host: &str) -> bool {
    let mut command = curl(site, certificates, &format!("https://{host}/"), &[]);
    command.output().unwrap().status.success()
}

#[test]
fn each_host_has_its_certificate() {
    let hosts = ["localhost", "a.example", "*.b.example"];
    let certificates = Certificates::of(&["localhost", "a.example"]);
    certificates.host("wild", "*.b.example", 90);
    let sni = |host: &str, name: &str| {
        let keys = certificates.keys(name).trim().replace('\n', ", ");
        format!("{{ host = \"{host}\", {keys} }}")
    };
    let keys = format!(
        "sni = [{}, {}]\n",
        sni("A.example", "a.example"),
        sni(hosts[2], "wild")
    );
    let site = site("environ", &certificates, &keys).start();
    for host in ["localhost", "a.example", "A.EXAMPLE", "one.b.example"] {
        assert!(answers(&site, &certificates, host), "{host}");
    }
    for host in ["two.one.b.example", "b.example", "c.example"] {
        assert!(!answers(&site, &certificates, host), "{host}");
        // Whoever does not mind gets the first one.
        let url = format!("https://{host}/");
        succeed(&mut curl(&site, &certificates, &url, &["--insecure"]));
    }
}
