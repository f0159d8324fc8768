//! Whoever tries to get what is not meant to be served, and files that are not what they were.

use std::{
    fs,
    io::Write,
    os::unix::fs::{PermissionsExt, symlink},
};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{Files, write};
use crate::support::client::request;

/// Paths, as they are sent, of which no byte of `outside/secret` may come back.
const ESCAPES: &[&str] = &[
    "/static/../outside/secret",
    "/static/%2e%2e/outside/secret",
    "/static/%2e%2e%2foutside%2fsecret",
    "/static/..%2foutside/secret",
    "/static/%252e%252e/outside/secret",
    "/static/..%5coutside%5csecret",
    "/static/..\\outside\\secret",
    "/static/%c0%ae%c0%ae/outside/secret",
    "/static/%c0%af../outside/secret",
    "/static/%e0%80%ae%e0%80%ae/outside/secret",
    "/static/.../outside/secret",
    "/static/....//outside/secret",
    "/static/./.././outside/secret",
    "/static//../outside/secret",
    "/static/x/../../outside/secret",
    "/static../outside/secret",
    "/static%2f..%2foutside%2fsecret",
    "/../outside/secret",
    "/%2e%2e/outside/secret",
    "//outside/secret",
    "/static/link",
    "/static/link-absolute",
    "/static/directory/secret",
    "/static/secret%00.css",
    "/static/link%00",
    "/static/root/etc/passwd",
    "/static/cwd/secret",
    "/static/null",
    "/static/pipe",
    "/static/.hidden",
    "/static/.dir/secret",
    "/.hidden",
];

fn tree() -> Files {
    let files = Files::with(&["static/a.css", "static/x/y"]);
    let at = |name: &str| files.tree.path().join(name);
    write(files.tree.path(), "outside/secret", b"TOP SECRET");
    write(files.tree.path(), "static/.hidden", b"TOP SECRET");
    write(files.tree.path(), "static/.dir/secret", b"TOP SECRET");
    write(files.tree.path(), "check/.hidden", b"TOP SECRET");
    symlink("../outside/secret", at("static/link")).unwrap();
    symlink(at("outside/secret"), at("static/link-absolute")).unwrap();
    symlink("../outside", at("static/directory")).unwrap();
    symlink("/proc/self/root", at("static/root")).unwrap();
    symlink("/proc/self/cwd", at("static/cwd")).unwrap();
    symlink("/dev/null", at("static/null")).unwrap();
    mknodat(CWD, at("static/pipe"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    files
}

#[test]
fn nothing_outside_is_ever_sent() {
    let files = tree();
    for path in ESCAPES {
        for target in [(*path).to_owned(), format!("{path}/"), format!("{path}?x")] {
            let mut client = files.site.address().connect();
            client.send(&request("GET", &target, &[], b""));
            let answer = client.answer();
            assert!(
                !answer.text().contains("SECRET"),
                "{target}: {}",
                answer.text()
            );
            let is_of_the_application = answer.header("X-Application").is_some();
            assert!(
                is_of_the_application || answer.status == 400,
                "{target}: {}",
                answer.status
            );
        }
    }
    assert_eq!(files.site.get("/static/a.css").text(), "static/a.css");
}

#[test]
fn links_may_lead_into_safe_directories() {
    let safe = tempfile::tempdir().unwrap();
    write(safe.path(), "shared.css", b"shared");
    let lines = format!("safe = [{:?}]", safe.path());
    let files = Files::configured(&[], &lines, |site| site);
    symlink(safe.path(), files.tree.path().join("static/shared")).unwrap();
    assert_eq!(files.site.get("/static/shared/shared.css").text(), "shared");
}

/// Root too: the workers have none of root's privileges.
#[test]
fn what_may_not_be_read_is_forbidden() {
    let files = Files::with(&["static/closed"]);
    let closed = files.tree.path().join("static/closed");
    fs::set_permissions(closed, fs::Permissions::from_mode(0o000)).unwrap();
    let answer = files.site.get("/static/closed");
    assert_eq!((answer.status, answer.text().as_str()), (403, "Forbidden"));
}

/// Written in place: clients that know the old size get an end that they can tell from a good one.
#[test]
fn a_file_that_becomes_shorter_ends_the_connection() {
    const SIZE: u64 = 64 << 20;
    let files = Files::with(&["static/large"]);
    let path = files.tree.path().join("static/large");
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(SIZE).unwrap();
    let mut client = files.site.address().connect_with_small_buffer();
    client.send_get("/static/large");
    let head = client.head();
    assert_eq!(
        head.header("Content-Length"),
        Some(SIZE.to_string().as_str())
    );
    file.set_len(1 << 20).unwrap();
    assert!((client.rest().len() as u64) < SIZE);
    assert_eq!(files.site.get("/static/large").body.len(), 1 << 20);
}

/// As `rename(2)` and every good deployment do it: whoever has begun gets the old one whole.
#[test]
fn a_file_that_is_replaced_is_sent_as_it_was() {
    const SIZE: usize = 32 << 20;
    let files = Files::with(&[]);
    write(files.tree.path(), "static/large", &vec![b'1'; SIZE]);
    let mut client = files.site.address().connect_with_small_buffer();
    client.send_get("/static/large");
    client.head();
    write(files.tree.path(), "new", b"2");
    let at = |name: &str| files.tree.path().join(name);
    fs::rename(at("new"), at("static/large")).unwrap();
    assert_eq!(files.site.get("/static/large").text(), "2");
    client.widen();
    let body = client.read(SIZE);
    assert!(body.iter().all(|&byte| byte == b'1'));
}

#[test]
fn a_file_of_many_gigabytes_is_not_read_to_be_described() {
    const SIZE: u64 = 1 << 40;
    let files = Files::with(&["static/huge"]);
    let path = files.tree.path().join("static/huge");
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    file.set_len(SIZE - 3).unwrap();
    file.write_all(b"end").unwrap();
    let range = [("Range", "bytes=-3")];
    let answer = files.site.request("GET", "/static/huge", &range, b"");
    assert_eq!((answer.status, answer.text().as_str()), (206, "end"));
    let expected = format!("bytes {}-{}/{SIZE}", SIZE - 3, SIZE - 1);
    assert_eq!(answer.header("Content-Range"), Some(expected.as_str()));
}
