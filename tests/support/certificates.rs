//! Certificates of an authority of the test's own, made by openssl(1).

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;

/// A directory with an authority, `ca.pem`, and what it has signed.
pub(crate) struct Certificates {
    directory: TempDir,
    serial: AtomicU32,
}

impl Certificates {
    /// A new authority, with nothing signed.
    pub(crate) fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("hostler-certificates-")
            .tempdir()
            .unwrap();
        let certificates = Self {
            directory,
            serial: AtomicU32::new(0x1000),
        };
        let config = "[req]\ndistinguished_name = name\n[name]\n";
        fs::write(certificates.path("req.cnf"), config).unwrap();
        let authority = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign";
        certificates.request(
            "ca",
            "/CN=Test authority",
            &format!("-x509 -days 90 {authority} -out ca.pem"),
        );
        certificates
    }

    /// With `name.pem` and `name.key` for each host.
    pub(crate) fn of(hosts: &[&str]) -> Self {
        let certificates = Self::new();
        for host in hosts {
            certificates.host(host, host, 90);
        }
        certificates
    }

    /// Signs `name.pem` for a host, for so many days.
    pub(crate) fn host(&self, name: &str, host: &str, days: u32) {
        let extensions = format!("subjectAltName = DNS:{host}\nextendedKeyUsage = serverAuth\n");
        self.sign(name, &format!("/CN={host}"), &extensions, days);
    }

    /// Signs `name.pem` once more, from 2020 on and up to `end`, which openssl(1) does only as an authority with records.
    pub(crate) fn until(&self, name: &str, end: &str) {
        let config = "[ca]\ndefault_ca = own\n[own]\ndatabase = index\nnew_certs_dir = .\n\
            default_md = sha256\npolicy = names\nrand_serial = yes\n[names]\ncommonName = supplied\n";
        fs::write(self.path("ca.cnf"), config).unwrap();
        fs::write(self.path("index"), "").unwrap();
        self.openssl(&format!(
            "ca -batch -notext -config ca.cnf -in {name}.csr -cert ca.pem -keyfile ca.key -extfile extensions -startdate 20200101000000Z -enddate {end} -out {name}.pem"
        ));
    }

    /// Signs `name.pem` for a client.
    pub(crate) fn client(&self, name: &str, subject: &str) {
        self.sign(name, subject, "extendedKeyUsage = clientAuth\n", 90);
    }

    /// Where a file is.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    /// The keys of a listener that has the certificate `name`.
    pub(crate) fn keys(&self, name: &str) -> String {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let (certificate, key) = (self.path(&certificate), self.path(&key));
        format!("certificate = {certificate:?}\nkey = {key:?}\n")
    }

    /// The serial number as `openssl x509 -serial` prints it.
    pub(crate) fn serial(&self, name: &str) -> String {
        let file = self.path(&format!("{name}.pem"));
        let mut command = Command::new("openssl");
        let command = command.args(["x509", "-noout", "-serial", "-in"]).arg(file);
        let output = succeed(command);
        let text = String::from_utf8(output.stdout).unwrap();
        text.trim().replace("serial=", "")
    }

    fn sign(&self, name: &str, subject: &str, extensions: &str, days: u32) {
        self.request(name, subject, &format!("-out {name}.csr"));
        fs::write(self.path("extensions"), extensions).unwrap();
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -set_serial {serial} -days {days} -extfile extensions -out {name}.pem"
        ));
    }

    fn request(&self, name: &str, subject: &str, arguments: &str) {
        let key = format!("-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key");
        let mut command = self.command(&format!("req -config req.cnf {key} {arguments}"));
        succeed(command.args(["-subj", subject]));
    }

    /// Runs openssl(1) with words that have no blanks in them.
    pub(crate) fn openssl(&self, arguments: &str) {
        succeed(&mut self.command(arguments));
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new("openssl");
        command.args(arguments.split_whitespace());
        command.current_dir(self.directory.path());
        command
    }
}

/// Runs a program that has to succeed.
#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}
