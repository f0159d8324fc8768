//! Debian's nginx in front of a site, with a configuration of its own in a directory of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use super::{
    address::{Address, free},
    process::Process,
};

/// A running nginx: one server, one front address, per backend.
pub(crate) struct Nginx {
    /// Where clients come in, in the order of the backends.
    pub(crate) fronts: Vec<Address>,
    _process: Process,
    _directory: TempDir,
}

/// How nginx passes requests on.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    /// `proxy_pass`, HTTP.
    Proxy(Address),
    /// Servers as they would be written for port 80.
    Servers(String),
    /// `uwsgi_pass`.
    Uwsgi(Address),
}

impl Nginx {
    /// Starts it before these backends, with Debian's own `uwsgi_params`.
    pub(crate) fn before(backends: &[Backend]) -> Self {
        // A port that was free a moment ago may be taken by the next moment; then another one is tried.
        for _ in 0..5 {
            let directory = tempfile::Builder::new()
                .prefix("hostler-nginx-")
                .tempdir()
                .unwrap();
            let fronts: Vec<Address> = backends.iter().map(|_| free()).collect();
            let configuration = write_configuration(directory.path(), &fronts, backends);
            let mut command = Command::new(program());
            command
                .arg("-p")
                .arg(directory.path())
                .arg("-c")
                .arg(&configuration)
                .args(["-e", "stderr"]);
            let process = Process::start("nginx", &mut command);
            let started = process.wait_for("that its workers start", |line| {
                let taken = line.contains("bind()").then_some(false);
                taken.or(line.contains("start worker process ").then_some(true))
            });
            if started {
                return Self {
                    fronts,
                    _process: process,
                    _directory: directory,
                };
            }
        }
        panic!("nginx finds no free port");
    }
}

/// Where Debian and others put it.
pub(crate) fn program() -> PathBuf {
    let found = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/sbin/nginx"].map(PathBuf::from);
    found
        .into_iter()
        .find(|path| path.exists())
        .expect("nginx is missing: `apt-get install nginx`, or `make test` as root")
}

fn write_configuration(directory: &Path, fronts: &[Address], backends: &[Backend]) -> PathBuf {
    let user = if rustix::process::geteuid().is_root() {
        "user root;"
    } else {
        ""
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {}/{kind};\n", directory.display()))
        .concat();
    let servers: String = fronts
        .iter()
        .zip(backends)
        .map(|(front, backend)| server(front, backend))
        .collect();
    let text = format!(
        "{user}\ndaemon off;\nworker_processes 1;\npid {directory}/pid;\nerror_log stderr notice;\n\
         events {{ worker_connections 512; }}\n\
         http {{\naccess_log off;\nclient_max_body_size 0;\n{temporary}{servers}}}\n",
        directory = directory.display(),
    );
    let path = directory.join("nginx.conf");
    fs::write(&path, text).unwrap();
    path
}

fn server(front: &Address, backend: &Backend) -> String {
    let unix = |address: &Address| {
        if address.0.starts_with('/') {
            format!("unix:{}", address.0)
        } else {
            address.0.clone()
        }
    };
    let pass = match backend {
        Backend::Uwsgi(address) => format!(
            "include /etc/nginx/uwsgi_params; uwsgi_pass {};",
            unix(address)
        ),
        Backend::Servers(text) => {
            let text = text.replace("listen 80;", &format!("listen {};", front.0));
            return text.replace("include ", "include /etc/nginx/");
        }
        Backend::Proxy(address) => format!(
            "proxy_pass http://{}; proxy_http_version 1.1; proxy_set_header Connection \"\"; \
             proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;",
            unix(address)
        ),
    };
    format!("server {{ listen {}; location / {{ {pass} }} }}\n", front.0)
}
