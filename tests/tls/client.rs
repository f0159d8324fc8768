//! Certificates of clients.

use serde_json::Value;

use super::{curl, environ, printed, s_client, site};
use crate::support::{certificates::Certificates, site::Running};

const URL: &str = "https://localhost/";

/// An authority with a client `jane`, and another one with a client `mallory`.
fn two() -> (Certificates, Certificates) {
    let (ours, theirs) = (Certificates::of(&["localhost"]), Certificates::new());
    ours.client("jane", "/C=DE/O=Example, Inc./CN=Jane Doe");
    theirs.client("mallory", "/CN=Jane Doe");
    (ours, theirs)
}

fn keys(certificates: &Certificates, wish: &str) -> String {
    let authority = certificates.path("ca.pem");
    format!("client-ca = {authority:?}\nclient-certificate = \"{wish}\"\n")
}

/// curl's arguments for a client.
fn showing(certificates: &Certificates, name: &str) -> Vec<String> {
    let file = |ending: &str| certificates.path(&format!("{name}.{ending}"));
    let file = |ending| file(ending).to_str().unwrap().to_owned();
    vec!["--cert".into(), file("pem"), "--key".into(), file("key")]
}

fn ask(site: &Running, certificates: &Certificates, arguments: &[String]) -> Value {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    environ(site, certificates, URL, &arguments)
}

fn is_refused(site: &Running, certificates: &Certificates, arguments: &[String]) -> bool {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = curl(site, certificates, URL, &arguments);
    !command.output().unwrap().status.success()
}

#[track_caller]
fn check_jane(environ: &Value, certificates: &Certificates) {
    assert_eq!(environ["SSL_CLIENT_VERIFY"], "SUCCESS");
    assert_eq!(
        environ["SSL_CLIENT_S_DN"],
        "CN=Jane Doe,O=Example\\, Inc.,C=DE"
    );
    assert_eq!(environ["SSL_CLIENT_I_DN"], "CN=Test authority");
    assert_eq!(environ["SSL_CLIENT_M_SERIAL"], certificates.serial("jane"));
    assert!(
        environ["SSL_CLIENT_V_START"]
            .as_str()
            .unwrap()
            .ends_with(" GMT")
    );
    assert!(
        environ["SSL_CLIENT_V_END"]
            .as_str()
            .unwrap()
            .ends_with(" GMT")
    );
    assert_eq!(environ["HTTPS_DN"], "/C=DE/O=Example, Inc./CN=Jane Doe");
    let pem = std::fs::read_to_string(certificates.path("jane.pem")).unwrap();
    assert_eq!(
        (&environ["SSL_CLIENT_CERT"], &environ["HTTPS_CC"]),
        (&pem.clone().into(), &pem.into())
    );
}

#[test]
fn a_certificate_may_be_required() {
    let (ours, theirs) = two();
    let site = site("environ", &ours, &keys(&ours, "required")).start();
    check_jane(&ask(&site, &ours, &showing(&ours, "jane")), &ours);
    assert!(is_refused(&site, &ours, &[]));
    assert!(is_refused(&site, &ours, &showing(&theirs, "mallory")));
    let output = printed(&s_client(&site, &[], super::GET));
    assert!(output.contains("alert certificate required"), "{output}");
}

#[test]
fn a_certificate_may_be_optional() {
    let (ours, theirs) = two();
    let site = site("environ", &ours, &keys(&ours, "optional")).start();
    check_jane(&ask(&site, &ours, &showing(&ours, "jane")), &ours);
    let environ = ask(&site, &ours, &[]);
    assert_eq!(environ["SSL_CLIENT_VERIFY"], "NONE");
    assert!(environ.get("SSL_CLIENT_S_DN").is_none());
    assert!(is_refused(&site, &ours, &showing(&theirs, "mallory")));
}

#[test]
fn nobody_is_asked_without_an_authority() {
    let (ours, _) = two();
    let site = site("environ", &ours, "").start();
    let environ = ask(&site, &ours, &showing(&ours, "jane"));
    assert!(environ.get("SSL_CLIENT_VERIFY").is_none());
}

#[test]
fn no_header_speaks_for_a_certificate() {
    let (ours, _) = two();
    let site = site("environ", &ours, &keys(&ours, "optional")).start();
    let environ = ask(
        &site,
        &ours,
        &["--header".into(), "SSL-CLIENT-VERIFY: SUCCESS".into()],
    );
    assert_eq!(environ["SSL_CLIENT_VERIFY"], "NONE");
    assert_eq!(environ["HTTP_SSL_CLIENT_VERIFY"], "SUCCESS");
}
