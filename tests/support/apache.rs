//! Debian's Apache in front of a site, with a configuration of its own in a directory of its own.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use tempfile::TempDir;

use super::{
    address::{Address, free},
    process::Process,
};

/// A running Apache: one virtual host, one front address, per backend.
pub(crate) struct Apache {
    /// Where clients come in, in the order of the backends.
    pub(crate) fronts: Vec<Address>,
    _process: Process,
    _directory: TempDir,
}

const PROGRAM: &str = "/usr/sbin/apache2";
const MODULES: &str = "/usr/lib/apache2/modules";

impl Apache {
    /// Starts it before these backends: lines of a virtual host each, as in docs/front-servers.md.
    pub(crate) fn before(hosts: &[String]) -> Self {
        assert!(
            Path::new(PROGRAM).exists(),
            "Apache is missing: `apt-get install apache2-bin`, or `make test` as root"
        );
        // A port that was free a moment ago may be taken by the next moment; then another one is tried.
        for _ in 0..5 {
            let directory = tempfile::Builder::new()
                .prefix("hostler-apache-")
                .tempdir()
                .unwrap();
            let fronts: Vec<Address> = hosts.iter().map(|_| free()).collect();
            let file = directory.path().join("apache.conf");
            fs::write(&file, configuration(directory.path(), &fronts, hosts)).unwrap();
            let mut command = Command::new(PROGRAM);
            command.args(["-DFOREGROUND", "-f"]).arg(&file);
            let process = Process::start("apache2", &mut command);
            let started = process.wait_for("that it serves", |line| {
                let taken = line.contains("could not bind").then_some(false);
                taken.or(line.contains("resuming normal operations").then_some(true))
            });
            if started {
                return Self {
                    fronts,
                    _process: process,
                    _directory: directory,
                };
            }
        }
        panic!("Apache finds no free port");
    }
}

fn configuration(directory: &Path, fronts: &[Address], hosts: &[String]) -> String {
    let directory = directory.display();
    let mut text = format!(
        "ServerRoot {directory}\nServerName localhost\nDefaultRuntimeDir {directory}\nPidFile {directory}/pid\n\
         Mutex file:{directory} default\nErrorLog /dev/stderr\nUser www-data\nGroup www-data\n\
         StartServers 1\nServerLimit 1\nThreadsPerChild 8\nMaxRequestWorkers 8\n"
    );
    for module in [
        "mpm_event",
        "authz_core",
        "env",
        "headers",
        "proxy",
        "proxy_fcgi",
        "proxy_http",
        "proxy_scgi",
        "proxy_uwsgi",
    ] {
        writeln!(text, "LoadModule {module}_module {MODULES}/mod_{module}.so").unwrap();
    }
    for (front, host) in fronts.iter().zip(hosts) {
        writeln!(
            text,
            "Listen {0}\n<VirtualHost {0}>\n{host}\n</VirtualHost>",
            front.0
        )
        .unwrap();
    }
    text
}
