//! Sites that move: gunicorn and hostler serve by the same configuration, and `hostler compare` finds no difference.

use std::{fs, path::Path, process::Command};

use super::gunicorn::{convert, text};
use crate::support::{
    process::Process,
    site::{listening, program, serves},
    venv,
};

/// Says what it sees, as far as two servers have to agree on it.
const APP: &str = r#"
"""Answers that servers have to agree on."""
import os


def application(environ, start_response):
    names = ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "HTTP_X_NAME", "wsgi.url_scheme"]
    seen = "".join(f"{name}={environ.get(name)}\n" for name in names) + os.environ.get("MOVED", "") + os.getcwd()
    if environ["PATH_INFO"] == "/away":
        start_response("302 Found", [("Location", "http://" + environ["HTTP_HOST"] + "/")])
        return []
    if environ["PATH_INFO"] == "/pieces":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        return iter([b"a" * 5000, b"", b"b" * 70000])
    body = seen.encode() + environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


def create_app():
    return application
"#;

const REQUESTS: &str = "\
/
/a%20b/c%C3%A9?d=%20e
  X-Name: value
HEAD /
/away
/pieces
POST /form
  X-Forwarded-Proto: https
  @body
PUT /empty
";

/// gunicorn and hostler serve the same by the same configuration; `SOCKET` is where each of them listens.
fn check_moved(settings: &str) {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let settings = format!("import os\ncontrol_socket_disable = True\n{settings}");
    fs::write(directory.join("shop.py"), APP).unwrap();
    fs::write(directory.join("gunicorn.conf.py"), settings).unwrap();
    fs::write(directory.join("urls.txt"), REQUESTS).unwrap();
    fs::write(directory.join("body"), b"x\0\xff".repeat(50_000)).unwrap();
    let (_gunicorn, old) = gunicorn(directory);
    let (_hostler, new) = hostler(directory);
    let output = program()
        .args(["compare", "--show-body", "--ignore-header", "Server"])
        .args(["--old", &old, "--new", &new])
        .arg(directory.join("urls.txt"))
        .output()
        .unwrap();
    let said = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(said, "7 equal, 0 different\n");
}

/// gunicorn in this directory, and its URL.
fn gunicorn(directory: &Path) -> (Process, String) {
    let gunicorn = Process::start(
        "gunicorn",
        Command::new(venv().join("bin/gunicorn"))
            .current_dir(directory)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("SOCKET", "old.sock"),
    );
    let place = gunicorn.wait_for("where it listens", |line| {
        let (_, place) = line.split_once("Listening at: ")?;
        Some(place.split_whitespace().next()?.to_owned())
    });
    gunicorn.wait_for_text("Booting worker");
    let url = match place.strip_prefix("unix:") {
        Some(path) => format!("unix:{}", directory.join(path).display()),
        None => place,
    };
    (gunicorn, url)
}

/// hostler by the converted configuration, and its URL.
fn hostler(directory: &Path) -> (Process, String) {
    let python = venv().join("bin/python");
    let arguments = ["-o", "site.toml", "--python", python.to_str().unwrap()];
    let mut converted = convert(directory, &arguments);
    let converted = converted.env("SOCKET", "new.sock").output().unwrap();
    assert_eq!(
        converted.status.code(),
        Some(0),
        "{}",
        text(&converted.stderr)
    );
    let mut hostler = program();
    hostler
        .arg("serve")
        .arg(directory.join("site.toml"))
        .env("RUNTIME_DIRECTORY", directory)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let hostler = Process::start("hostler", &mut hostler);
    hostler.wait_for("that it serves", |line| serves(line).then_some(()));
    let place = hostler.wait_for("where it listens", listening).0;
    let url = match place.starts_with('/') {
        true => format!("unix:{place}"),
        false => format!("http://{place}"),
    };
    (hostler, url)
}

#[test]
fn a_site_on_a_port_moves() {
    check_moved(
        "bind = '127.0.0.1:0'\nworkers = 2\nwsgi_app = 'shop'\nraw_env = ['MOVED=yes']\ntimeout = 20\n",
    );
}

#[test]
fn a_site_with_threads_on_a_unix_socket_moves() {
    check_moved(
        "bind = 'unix:' + os.environ['SOCKET']\nthreads = 4\nwsgi_app = 'shop:application'\nkeepalive = 1\n",
    );
}

#[test]
fn a_site_with_a_factory_and_a_directory_moves() {
    check_moved(
        "bind = ['127.0.0.1:0']\nwsgi_app = 'shop:create_app()'\npreload_app = True\nmax_requests = 3\n\
         pythonpath = os.getcwd()\nchdir = '/tmp'\nforwarded_allow_ips = '*'\n",
    );
}
