//! Certificates that openssl(1) has made, good and bad, and what becomes of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tempfile::TempDir;

use super::*;
use crate::config::{ClientCertificate, Listen, Protocol, Sni};

/// Runs openssl(1) in a directory.
#[track_caller]
fn openssl(directory: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(directory)
        .output()
        .expect("the tests need openssl(1), of Debian's package openssl");
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

/// Makes `name.pem` and `name.key`, a certificate for 90 days that nobody else has signed.
fn make(directory: &Path, name: &str) {
    let (key, certificate) = (format!("{name}.key"), format!("{name}.pem"));
    let curve = "ec_paramgen_curve:P-256";
    let kind = ["-newkey", "ec", "-pkeyopt", curve, "-nodes", "-days", "90"];
    let subject = ["-subj", "/C=DE/O=Example, Inc./CN=name"];
    let files = ["-keyout", &key, "-out", &certificate];
    let config = directory.join("req.cnf");
    fs::write(&config, "[req]\ndistinguished_name = name\n[name]\n").unwrap();
    let config = ["-config", config.to_str().unwrap()];
    let names = ["-addext", "subjectAltName=DNS:localhost,DNS:other.example"];
    let all = [
        &["req", "-x509"][..],
        &config,
        &kind,
        &subject,
        &names,
        &files,
    ]
    .concat();
    openssl(directory, &all);
}

/// A directory with `a` and `b`, made once.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        make(directory.path(), "a");
        make(directory.path(), "b");
        directory
    });
    directory.path()
}

/// Some certificate with its key.
pub(super) fn certified_key(_name: &str) -> CertifiedKey {
    let certificate = CertificateDer::from_pem_file(directory().join("a.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(directory().join("a.key")).unwrap();
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    CertifiedKey::new(vec![certificate], key)
}

fn listen(certificate: PathBuf, key: PathBuf) -> Listen {
    Listen {
        protocol: Protocol::Https,
        certificate: Some(certificate),
        key: Some(key),
        ..Listen::at("127.0.0.1:0".parse().unwrap())
    }
}

fn of(name: &str) -> Listen {
    let file = |ending| directory().join(format!("{name}.{ending}"));
    listen(file("pem"), file("key"))
}

fn servers(listen: &[Listen]) -> Result<Vec<Option<Server>>, TlsError> {
    let keys = Arc::new(KeyRing::create().unwrap());
    let material = Material::read(listen)?;
    material.map_or(Ok(Vec::new()), |material| material.servers(&keys))
}

/// What a listener with one certificate, for `localhost`, serves with.
pub(crate) fn server() -> Server {
    let mut servers = servers(&[of("a")]).unwrap();
    servers.remove(0).unwrap()
}

/// A client that trusts it.
pub(crate) fn client() -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(directory().join("a.pem")).unwrap();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// The message for a listener, without the directory.
#[track_caller]
fn check(listen: Listen, expected: &str) {
    let error = servers(&[listen]).unwrap_err().to_string();
    let error = error.replace(&format!("{}/", directory().display()), "");
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_pair_makes_a_server() {
    let plain = Listen::at("127.0.0.1:1".parse().unwrap());
    let found = servers(&[plain, of("a")]).unwrap();
    assert!(found[0].is_none() && found[1].is_some());
}

#[test]
fn a_key_of_another_certificate_is_named() {
    let mixed = listen(directory().join("a.pem"), directory().join("b.key"));
    check(
        mixed,
        "the key b.key does not belong to the first certificate of a.pem; ",
    );
}

#[test]
fn that_of_another_host_too() {
    let mut one = of("a");
    one.sni = vec![Sni {
        host: "b.example".into(),
        certificate: directory().join("b.pem"),
        key: directory().join("a.key"),
    }];
    check(
        one,
        "the key a.key does not belong to the first certificate of b.pem; ",
    );
}

#[test]
fn files_that_are_not_what_they_should_be_are_named() {
    let path = |name| directory().join(name);
    check(
        listen(path("a.key"), path("a.key")),
        "a.key has no certificate in PEM form (-----BEGIN ...-----) in it",
    );
    check(
        listen(path("a.pem"), path("a.pem")),
        "a.pem has no private key in PEM form (-----BEGIN ...-----) in it",
    );
    check(
        listen(path("none.pem"), path("a.key")),
        "cannot read the certificate none.pem",
    );
    fs::write(path("broken.pem"), "-----BEGIN CERTIFICATE-----\n!\n").unwrap();
    check(
        listen(path("broken.pem"), path("a.key")),
        "broken.pem is broken PEM",
    );
    fs::write(path("large.pem"), vec![b'x'; (1 << 20) + 1]).unwrap();
    check(
        listen(path("large.pem"), path("a.key")),
        "large.pem has more than 1048576 bytes; it is no certificate",
    );
}

#[test]
fn a_passphrase_is_nobodys_to_type() {
    let arguments = [
        "pkey",
        "-in",
        "a.key",
        "-out",
        "locked.key",
        "-aes128",
        "-passout",
        "pass:x",
    ];
    openssl(directory(), &arguments);
    check(
        listen(directory().join("a.pem"), directory().join("locked.key")),
        "locked.key is protected by a passphrase; ",
    );
}

#[test]
fn other_ciphers_are_refused() {
    let mut one = of("a");
    one.ciphers = vec!["RC4-MD5".into()];
    check(
        one,
        "`RC4-MD5` is none of the cipher suites that there are; choose among TLS13_",
    );
}

#[test]
fn clients_are_asked_when_there_is_an_authority() {
    let mut one = of("a");
    assert!(
        !servers(std::slice::from_ref(&one)).unwrap()[0]
            .as_ref()
            .unwrap()
            .asks_client
    );
    one.client_ca = Some(directory().join("b.pem"));
    one.client_certificate = Some(ClientCertificate::Optional);
    assert!(servers(&[one]).unwrap()[0].as_ref().unwrap().asks_client);
}

#[test]
fn what_is_handed_over_makes_the_same_servers() {
    let material = Material::read(&[of("a")]).unwrap().unwrap();
    let sealed = material.seal().unwrap();
    let keys = Arc::new(KeyRing::create().unwrap());
    // Every zygote gets a duplicate, with the position that the last one has left.
    for _ in 0..2 {
        let material = Material::open(sealed.try_clone().unwrap()).unwrap();
        assert_eq!(material.servers(&keys).unwrap().len(), 1);
    }
    let error = rustix::io::write(&sealed, b"x").unwrap_err();
    assert_eq!(error, rustix::io::Errno::PERM);
}

fn warnings(days: u64) -> Vec<String> {
    let now = SystemTime::now() + Duration::from_secs(days * 24 * 60 * 60);
    let material = Material::read(&[of("a"), of("a")]).unwrap().unwrap();
    material.warnings(now).unwrap()
}

#[test]
fn an_end_that_is_near_is_told_once() {
    assert_eq!(warnings(1), Vec::<String>::new());
    let [warning] = &warnings(80)[..] else {
        panic!("not one");
    };
    assert!(warning.contains("a.pem expires on 2"), "{warning}");
    assert!(
        warning.ends_with(" UTC, in 9 days; renew it, then reload the site"),
        "{warning}"
    );
    assert!(warnings(91)[0].contains("a.pem has expired on 2"));
}

#[test]
fn the_owner_of_a_certificate_is_described_as_openssl_does() {
    let mut printed = Command::new("openssl");
    printed.args(["x509", "-in", "a.pem", "-noout", "-nameopt", "RFC2253"]);
    printed.args(["-subject", "-issuer", "-serial", "-startdate", "-enddate"]);
    let printed = printed.current_dir(directory()).output().unwrap().stdout;
    let der = CertificateDer::from_pem_file(directory().join("a.pem")).unwrap();
    let owner = certificate::Owner::of(&der).unwrap();
    let ours = format!(
        "subject={}\nissuer={}\nserial={}\nnotBefore={}\nnotAfter={}\n",
        owner.subject, owner.issuer, owner.serial, owner.from, owner.until
    );
    assert_eq!(ours, String::from_utf8(printed).unwrap());
    assert_eq!(owner.path, "/C=DE/O=Example, Inc./CN=name");
    assert_eq!(
        owner.pem,
        fs::read_to_string(directory().join("a.pem")).unwrap()
    );
}
