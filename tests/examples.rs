//! What people copy from `examples/`: the settings are accepted, the sites serve, nginx takes its snippet.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{
    nginx,
    process::Process,
    root,
    site::{listening, program},
    venv,
};

/// The files of this name in all directories of `examples/`.
fn files(name: &str) -> Vec<PathBuf> {
    let directories = fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files: Vec<_> = directories
        .map(|directory| directory.join(name))
        .filter(|file| file.exists())
        .collect();
    assert!(!files.is_empty(), "no {name} under examples/");
    files
}

#[test]
fn every_example_passes_check() {
    for file in files("site.toml") {
        let mut check = program();
        check.args(["check", "--no-host"]).arg(&file);
        let output = check.output().unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            file.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The example with another port and the virtual environment of the tests.
fn serve(file: &Path, directory: &Path) -> Process {
    let text = fs::read_to_string(file).unwrap();
    let chdir = format!("chdir = {:?}", file.parent().unwrap());
    let virtualenv = format!("virtualenv = {:?}", venv());
    let text = [
        ("chdir = \".\"", &*chdir),
        ("virtualenv = \".venv\"", &virtualenv),
        ("127.0.0.1:8000", "127.0.0.1:0"),
    ]
    .iter()
    .fold(text, |text, (old, new)| {
        assert!(text.contains(old), "{} does not say {old}", file.display());
        text.replace(old, new)
    });
    let copy = directory.join("site.toml");
    fs::write(&copy, text).unwrap();
    let mut command = program();
    command
        .arg("serve")
        .arg(copy)
        .env("DJANGO_DATA", directory)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    Process::start("hostler", &mut command)
}

#[test]
fn every_example_serves() {
    for file in files("site.toml") {
        let directory = tempfile::tempdir().unwrap();
        let manage = file.with_file_name("manage.py");
        if manage.exists() {
            let mut command = Command::new(venv().join("bin/python"));
            command
                .arg(manage)
                .args(["migrate", "--verbosity", "0"])
                .env("DJANGO_DATA", directory.path());
            assert!(
                command
                    .env("PYTHONDONTWRITEBYTECODE", "1")
                    .status()
                    .unwrap()
                    .success()
            );
        }
        let process = serve(&file, directory.path());
        let answer = process.wait_for("where it listens", listening).get("/");
        assert_eq!(answer.status, 200, "{}: {}", file.display(), answer.text());
    }
}

#[test]
fn the_portal_does_what_its_settings_say() {
    let directory = tempfile::tempdir().unwrap();
    let process = serve(&root().join("examples/portal/site.toml"), directory.path());
    let address = process.wait_for("where it listens", listening);
    for (path, status, text) in [
        ("/", 200, "<h1>Portal</h1>"),
        ("/blog/first", 200, "<h1>Blog: first</h1>"),
        ("/static/style.css", 200, "sans-serif"),
        ("/robots.txt", 200, "Disallow"),
        ("/cgi-bin/about.sh/x", 200, "GET /cgi-bin/about.sh/x, as "),
        ("/cgi-bin/nothing", 404, "Back to the portal"),
        ("/internal/x", 403, ""),
        ("/news/first", 301, ""),
    ] {
        let answer = address.get(path);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.text().contains(text), "{path}: {}", answer.text());
    }
    for (path, name, value) in [
        ("/", "X-Content-Type-Options", "nosniff"),
        ("/news/first", "Location", "/blog/first"),
        ("/static/style.css", "Cache-Control", "max-age=604800"),
    ] {
        assert_eq!(address.get(path).header(name), Some(value), "{path}");
    }
}

/// As part of a whole configuration; on a socket of its own, since nginx binds even to check.
#[test]
fn nginx_takes_every_snippet() {
    for file in files("nginx.conf") {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path().display();
        let snippet = fs::read_to_string(&file).unwrap();
        assert!(snippet.contains("listen 8080;"), "{}", file.display());
        let snippet = snippet.replace("listen 8080;", &format!("listen unix:{here}/front.sock;"));
        let text = format!("pid {here}/pid; events {{}} http {{ access_log off; {snippet} }}\n");
        let whole = directory.path().join("nginx.conf");
        fs::write(&whole, text).unwrap();
        let output = Command::new(nginx::program())
            .arg("-t")
            .arg("-c")
            .arg(&whole)
            .args(["-e", "stderr"])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            file.display(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
