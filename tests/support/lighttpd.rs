//! Debian's lighttpd in front of a site, with a configuration of its own in a directory of its own.

use std::{fmt::Write as _, fs, path::Path, process::Command};

use tempfile::TempDir;

use super::{
    address::{Address, free},
    process::Process,
};

/// A running lighttpd: one front address per backend.
pub(crate) struct Lighttpd {
    /// Where clients come in, in the order of the backends.
    pub(crate) fronts: Vec<Address>,
    _process: Process,
    _directory: TempDir,
}

const PROGRAM: &str = "/usr/sbin/lighttpd";

impl Lighttpd {
    /// Starts it before these backends: lines for one address each, as in docs/front-servers.md.
    pub(crate) fn before(servers: &[String]) -> Self {
        assert!(
            Path::new(PROGRAM).exists(),
            "lighttpd is missing: `apt-get install lighttpd`, or `make test` as root"
        );
        // A port that was free a moment ago may be taken by the next moment; then another one is tried.
        for _ in 0..5 {
            let directory = tempfile::Builder::new()
                .prefix("hostler-lighttpd-")
                .tempdir()
                .unwrap();
            let fronts: Vec<Address> = servers.iter().map(|_| free()).collect();
            let file = directory.path().join("lighttpd.conf");
            fs::write(&file, configuration(directory.path(), &fronts, servers)).unwrap();
            let mut command = Command::new(PROGRAM);
            command.arg("-D").arg("-f").arg(&file);
            let process = Process::start("lighttpd", &mut command);
            let started = process.wait_for("that it serves", |line| {
                let taken = line.contains("bind()").then_some(false);
                taken.or(line.contains("server started").then_some(true))
            });
            if started {
                return Self {
                    fronts,
                    _process: process,
                    _directory: directory,
                };
            }
        }
        panic!("lighttpd finds no free port");
    }
}

fn configuration(directory: &Path, fronts: &[Address], servers: &[String]) -> String {
    let directory = directory.display();
    let (_, port) = fronts[0].0.rsplit_once(':').unwrap();
    let mut text = format!(
        "server.modules = (\"mod_fastcgi\", \"mod_scgi\", \"mod_proxy\")\nserver.document-root = \"{directory}\"\n\
         server.upload-dirs = (\"{directory}\")\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n"
    );
    for (front, server) in fronts.iter().zip(servers) {
        writeln!(
            text,
            "$SERVER[\"socket\"] == \"{}\" {{\n{server}\n}}",
            front.0
        )
        .unwrap();
    }
    text
}
