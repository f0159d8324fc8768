//! uWSGI from PyPI, the original that hostler is compared with.

use std::process::Command;

use tempfile::TempDir;

use super::{address::Address, process::Process, root, venv};

/// A running uWSGI that serves one of `tests/apps/`.
pub(crate) struct Uwsgi {
    /// An `http-socket` on TCP.
    pub(crate) http: Address,
    /// A `socket`, the uwsgi protocol, on a path.
    pub(crate) uwsgi: Address,
    /// Its stats server, on a path.
    pub(crate) stats: Address,
    /// Its process, whose output is its log.
    pub(crate) process: Process,
    _directory: TempDir,
}

impl Uwsgi {
    /// Starts it with one process of two threads.
    pub(crate) fn start(app: &str) -> Self {
        Self::start_with(app, &[])
    }

    /// The same with further arguments.
    pub(crate) fn start_with(app: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::Builder::new()
            .prefix("hostler-uwsgi-")
            .tempdir()
            .unwrap();
        let path = directory.path().join("uwsgi.sock");
        let stats = directory.path().join("stats.sock");
        let apps = root().join("tests/apps");
        let mut command = Command::new(venv().join("bin/uwsgi"));
        command
            .arg("--chdir")
            .arg(&apps)
            .arg("--virtualenv")
            .arg(venv())
            .args([
                "--module",
                "entry:application",
                "--http-socket",
                "127.0.0.1:0",
                "--socket",
            ])
            .arg(&path)
            .arg("--stats")
            .arg(&stats)
            .args([
                "--master",
                "--processes",
                "1",
                "--threads",
                "2",
                "--need-app",
                "--die-on-term",
                "--buffer-size",
                "32768",
            ])
            .args(arguments)
            .envs([
                ("TEST_APP", app),
                ("TEST_BARE", "yes"),
                ("PYTHONDONTWRITEBYTECODE", "1"),
            ]);
        let process = Process::start("uwsgi", &mut command);
        let http = process.wait_for("where it listens", |line| {
            let (_, bound) = line.split_once("bound to TCP address ")?;
            Some(Address(bound.split_whitespace().next()?.to_owned()))
        });
        process.wait_for_text("spawned uWSGI worker 1");
        Self {
            http,
            stats: Address(stats.to_str().unwrap().to_owned()),
            uwsgi: Address(path.to_str().unwrap().to_owned()),
            process,
            _directory: directory,
        }
    }
}
