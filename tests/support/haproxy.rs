//! Debian's HAProxy in front of a site, passing bytes on, with a configuration of its own in a directory of its own.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{
    PATIENCE,
    address::{Address, free},
    process::Process,
};

/// A running HAProxy: one front address per backend.
pub(crate) struct Haproxy {
    /// Where clients come in, in the order of the backends.
    pub(crate) fronts: Vec<Address>,
    _process: Process,
    _directory: TempDir,
}

const PROGRAM: &str = "/usr/sbin/haproxy";

impl Haproxy {
    /// Starts it before these backends: an address and what `server` says beside it, as in docs/front-servers.md.
    pub(crate) fn before(backends: &[(&Address, &str)]) -> Self {
        assert!(
            Path::new(PROGRAM).exists(),
            "HAProxy is missing: `apt-get install haproxy`, or `make test` as root"
        );
        let directory = tempfile::Builder::new()
            .prefix("hostler-haproxy-")
            .tempdir()
            .unwrap();
        let fronts: Vec<Address> = backends.iter().map(|_| free()).collect();
        let mut text =
            "defaults\nmode tcp\ntimeout connect 10s\ntimeout client 60s\ntimeout server 60s\n"
                .to_owned();
        for (front, (backend, keys)) in fronts.iter().zip(backends) {
            let (front, backend) = (&front.0, &backend.0);
            writeln!(
                text,
                "listen {front}\nbind {front}\nserver site {backend} {keys}"
            )
            .unwrap();
        }
        let file = directory.path().join("haproxy.cfg");
        fs::write(&file, text).unwrap();
        let process = Process::start(
            "haproxy",
            Command::new(PROGRAM).arg("-db").arg("-f").arg(&file),
        );
        // It announces itself to nobody but systemd.
        let deadline = Instant::now() + PATIENCE;
        while fronts.iter().any(|front| front.try_connect().is_err()) {
            assert!(Instant::now() < deadline, "HAProxy does not listen");
            thread::park_timeout(Duration::from_millis(10));
        }
        Self {
            fronts,
            _process: process,
            _directory: directory,
        }
    }
}
