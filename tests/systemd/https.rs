//! HTTPS of a site whose key only root can read.

use std::fs;

use super::{
    machine::{Machine, address},
    on_each_system,
};
use crate::support::{answer::Answer, certificates::Certificates};

on_each_system!(a_key_comes_as_a_credential);

const SERVICE: &str = "hostler@shop.service";
const SETTINGS: &str = "[app]\nfile = \"/srv/app/app.py\"\n[service]\nuser = \"shop\"\n\
    credentials = { \"shop.key\" = \"/etc/ssl/private/shop.key\" }\n\
    [[listen]]\nprotocol = \"https\"\naddress = \"127.0.0.1:8443\"\n\
    certificate = \"/etc/hostler/tls/shop.pem\"\nkey = \"shop.key\"\n\
    [[listen]]\naddress = \"127.0.0.1:8080\"\nredirect-to = \"https:8443\"\n";

/// Puts a new certificate and its key where the settings say.
fn renew(machine: &Machine) {
    let certificates = Certificates::of(&["localhost"]);
    let text = |file| fs::read_to_string(certificates.path(file)).unwrap();
    machine.write("/etc/hostler/tls/shop.pem", &text("localhost.pem"));
    machine.write("/etc/ssl/private/shop.key", &text("localhost.key"));
    machine.succeed(&["chmod", "600", "/etc/ssl/private/shop.key"]);
}

fn get(machine: &Machine) -> Answer {
    machine.inside(|| address(8443).over_tls().get("/identity"))
}

fn a_key_comes_as_a_credential(machine: &Machine) {
    machine.succeed(&["useradd", "--system", "--user-group", "shop"]);
    renew(machine);
    machine.site("shop", SETTINGS);
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
    assert_eq!(get(machine).status, 200);
    let redirected = machine.inside(|| address(8080).get("/"));
    assert_eq!(
        redirected.header("Location"),
        Some("https://localhost:8443/")
    );
    // The credential is still the old key, which does not belong to the new certificate.
    renew(machine);
    let reload = machine.run(&["systemctl", "reload", SERVICE]);
    assert_ne!(reload.code, Some(0), "{reload:?}");
    assert_eq!(get(machine).status, 200);
    machine.succeed(&["systemctl", "restart", SERVICE]);
    assert_eq!(get(machine).status, 200);
}
