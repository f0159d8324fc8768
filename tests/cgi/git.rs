//! git over its own program for HTTP: what the site of docs/cgi.md is for.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::support::{
    certificates::{Certificates, succeed},
    site::{Running, Site},
};

/// Clones and pushes in directories of its own.
struct Git {
    place: TempDir,
    authority: PathBuf,
}

impl Git {
    fn new(certificates: &Certificates) -> Self {
        Self {
            place: tempfile::tempdir().unwrap(),
            authority: certificates.path("ca.pem"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    /// Runs git without anybody's settings, in a directory of this place.
    #[track_caller]
    fn run(&self, directory: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new("git");
        command
            .args(["-c", "user.name=t", "-c", "user.email=t@t.example"])
            .args(["-c", "http.postBuffer=65536", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(self.path(directory))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_SSL_CAINFO", &self.authority)
            .env("GIT_TERMINAL_PROMPT", "0");
        succeed(&mut command)
    }

    /// A repository that takes pushes, below a directory of repositories.
    fn repository(&self) {
        self.run("", &["init", "--bare", "repositories/shop.git"]);
        let settings = ["config", "http.receivepack", "true"];
        self.run("repositories/shop.git", &settings);
    }

    fn commit(&self, directory: &str, name: &str, content: &[u8]) {
        fs::write(self.path(directory).join(name), content).unwrap();
        self.run(directory, &["add", name]);
        self.run(directory, &["commit", "--message", name]);
    }
}

/// A site as the document has it, for the repositories of this place.
fn site(git: &Git, certificates: &Certificates) -> Running {
    let programs = git.run("", &["--exec-path"]).stdout;
    let programs = String::from_utf8(programs).unwrap();
    let program = Path::new(programs.trim()).join("git-http-backend");
    let root = git.path("repositories");
    let section = format!(
        "path = \"/git\"\nfile = {program:?}\nenv = {{ GIT_PROJECT_ROOT = {root:?}, GIT_HTTP_EXPORT_ALL = \"1\" }}"
    );
    Site::app("statics")
        .listen("http", "127.0.0.1:0")
        .listen_with("https", "127.0.0.1:0", &certificates.keys("localhost"))
        .setting("request", "post-buffering = \"32K\"")
        .setting("[cgi]", &section)
        .start()
}

/// Bytes that do not become fewer by compression, so that a push is as large as they are.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let bytes = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    bytes.flatten().take(length).collect()
}

/// Small pushes have a length; larger ones come in chunks, and are more than is read beforehand.
#[track_caller]
fn check(scheme: &str, listener: usize) {
    let certificates = Certificates::of(&["localhost"]);
    let git = Git::new(&certificates);
    git.repository();
    let site = site(&git, &certificates);
    let port = site.addresses[listener].port();
    let url = format!("{scheme}://localhost:{port}/git/shop.git");
    git.run("", &["clone", &url, "mine"]);
    let large = noise(3_000_000);
    for (name, content) in [("a", b"a".as_slice()), ("b", &large), ("c", b"c")] {
        git.commit("mine", name, content);
        git.run("mine", &["push", "origin", "HEAD:main"]);
    }
    git.run("", &["clone", "--branch", "main", &url, "theirs"]);
    assert!(fs::read(git.path("theirs/b")).unwrap() == large);
    git.commit("theirs", "d", b"d");
    git.run("theirs", &["push", "origin", "HEAD:main"]);
    git.run("mine", &["pull", "--ff-only", "origin", "main"]);
    assert_eq!(fs::read(git.path("mine/d")).unwrap(), b"d");
    git.run("repositories/shop.git", &["fsck", "--strict"]);
    let gone = site.get("/git/none.git/info/refs?service=git-upload-pack");
    assert_eq!(gone.status, 404);
}

#[test]
fn clones_and_pushes() {
    check("http", 0);
}

#[test]
fn clones_and_pushes_by_https() {
    check("https", 1);
}
