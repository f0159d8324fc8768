//! Roots with everything in them that could lead out.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use rustix::fs::mknodat;

use super::*;

/// `root/` with files, and beside it `outside/secret`.
fn tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    let at = |name: &str| tree.path().join(name);
    fs::create_dir_all(at("root/sub")).unwrap();
    fs::create_dir(at("outside")).unwrap();
    fs::write(at("outside/secret"), "secret").unwrap();
    fs::write(at("root/file"), "text").unwrap();
    fs::write(at("root/sub/deep"), "deeper").unwrap();
    symlink("../outside/secret", at("root/out")).unwrap();
    symlink("../outside", at("root/outdir")).unwrap();
    symlink(at("outside/secret"), at("root/out-absolute")).unwrap();
    symlink(at("root/file"), at("root/in-absolute")).unwrap();
    symlink("sub/deep", at("root/in")).unwrap();
    symlink("loop", at("root/loop")).unwrap();
    symlink("/proc/self/root", at("root/magic")).unwrap();
    symlink("/dev/null", at("root/null")).unwrap();
    mknodat(
        CWD,
        at("root/pipe"),
        FileType::Fifo,
        Mode::RUSR | Mode::WUSR,
        0,
    )
    .unwrap();
    tree
}

fn links(free: bool, safe: &[PathBuf], is_missing: bool) -> Links {
    let links = Links::new(free, safe.to_vec());
    links.is_missing.store(is_missing, Ordering::Relaxed);
    links
}

fn found(links: &Links, root: &Path, name: &str) -> String {
    match links.open(root, name.as_bytes()) {
        Opened::Denied => "denied".to_owned(),
        Opened::Directory => "directory".to_owned(),
        Opened::File(open) => {
            let text = io::read_to_string(fs::File::from(open.file)).unwrap();
            assert_eq!(text.len() as u64, open.size);
            text
        }
        Opened::Nothing => "nothing".to_owned(),
    }
}

/// By the kernel's check, and by ours.
#[track_caller]
fn check(name: &str, expected: &str) {
    let tree = tree();
    for is_missing in [false, true] {
        let links = links(false, &[], is_missing);
        let root = tree.path().join("root");
        assert_eq!(found(&links, &root, name), expected, "{name} {is_missing}");
    }
}

#[track_caller]
fn check_allowed(free: bool, safe: &[&str], name: &str, expected: &str) {
    let tree = tree();
    let safe: Vec<PathBuf> = safe.iter().map(|safe| tree.path().join(safe)).collect();
    let links = links(free, &safe, false);
    assert_eq!(
        found(&links, &tree.path().join("root"), name),
        expected,
        "{name}"
    );
}

#[test]
fn what_is_below_the_root() {
    check("file", "text");
    check("sub/deep", "deeper");
    check("sub", "directory");
    check("in", "deeper");
    check("in-absolute", "text");
    check("missing", "nothing");
    check("file/more", "nothing");
}

#[test]
fn what_leads_out_of_it() {
    check("out", "nothing");
    check("outdir/secret", "nothing");
    check("out-absolute", "nothing");
    check("magic/etc/hostname", "nothing");
    check("loop", "nothing");
}

#[test]
fn what_is_no_file() {
    check("pipe", "nothing");
    check("null", "nothing");
}

#[test]
fn links_may_be_allowed_to_lead_out() {
    check_allowed(false, &["outside"], "out", "secret");
    check_allowed(false, &["outside"], "outdir/secret", "secret");
    check_allowed(false, &["outside"], "out-absolute", "secret");
    check_allowed(false, &["elsewhere"], "out", "nothing");
    check_allowed(false, &["out"], "out", "nothing");
    check_allowed(true, &[], "out", "secret");
    check_allowed(true, &[], "null", "nothing");
}

#[test]
fn a_root_may_be_a_file_or_missing() {
    let tree = tree();
    let links = Links::default();
    assert_eq!(found(&links, &tree.path().join("root/file"), ""), "text");
    assert_eq!(
        found(&links, &tree.path().join("root/file"), "x"),
        "nothing"
    );
    assert_eq!(found(&links, &tree.path().join("root"), ""), "directory");
    assert_eq!(found(&links, &tree.path().join("none"), "x"), "nothing");
}

#[test]
fn a_root_that_was_replaced_is_noticed() {
    let tree = tree();
    let (links, root) = (Links::default(), tree.path().join("root"));
    assert_eq!(found(&links, &root, "file"), "text");
    fs::rename(&root, tree.path().join("old")).unwrap();
    fs::create_dir(&root).unwrap();
    fs::write(root.join("file"), "new").unwrap();
    assert_eq!(found(&links, &root, "file"), "new");
}

/// Root may read everything.
#[test]
fn what_may_not_be_read_is_denied() {
    let tree = tree();
    let file = tree.path().join("root/file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let expected = if rustix::process::geteuid().is_root() {
        "text"
    } else {
        "denied"
    };
    assert_eq!(
        found(&Links::default(), &tree.path().join("root"), "file"),
        expected
    );
}
