//! Sites' settings over directories of theirs: which path leads to which file, and how it is answered.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::config::OneOrMore;

/// Files with their own names in them.
fn tree(names: &[&str]) -> TempDir {
    let tree = tempfile::tempdir().unwrap();
    for name in names {
        let path = tree.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    tree
}

const NAMES: [&str; 8] = [
    "check/index.html",
    "check/about",
    "check/dir/index.html",
    "check/empty/no-index",
    "static/a.css",
    "static/.hidden",
    "more/b.css",
    "icon.ico",
];

fn files(tree: &TempDir, change: impl FnOnce(&mut StaticFiles)) -> Files {
    let at = |name: &str| tree.path().join(name);
    let mut settings = StaticFiles {
        check: vec![at("check")],
        index: vec!["index.html".to_owned()],
        ..StaticFiles::default()
    };
    let mut map = |prefix: &str, roots: Vec<PathBuf>| {
        settings.map.insert(prefix.to_owned(), OneOrMore(roots));
    };
    map("/static", vec![at("static"), at("more")]);
    map("/static/deeper/", vec![at("more")]);
    map("/favicon.ico", vec![at("icon.ico")]);
    change(&mut settings);
    Files::new(&settings, &BTreeMap::new()).unwrap()
}

fn describe(found: &Found<'_>) -> String {
    match found {
        Found::Denied => "denied".to_owned(),
        Found::Directory => "directory".to_owned(),
        Found::File(found) => {
            let mut text = vec![0; found.open.size as usize];
            rustix::io::pread(&found.open.file, &mut text[..], 0).unwrap();
            String::from_utf8(text).unwrap()
        }
        Found::Nothing => "nothing".to_owned(),
    }
}

#[track_caller]
fn check(url: &str, expected: &str) {
    check_with(|_| {}, url, expected);
}

#[track_caller]
fn check_with(change: impl FnOnce(&mut StaticFiles), url: &str, expected: &str) {
    let tree = tree(&NAMES);
    let files = files(&tree, change);
    assert_eq!(describe(&files.find(url.as_bytes())), expected, "{url}");
}

#[test]
fn directories_that_every_path_is_looked_for_in() {
    check("/about", "check/about");
    check("/", "check/index.html");
    check("/dir/", "check/dir/index.html");
    check("/dir", "directory");
    check("/dir/index.html", "check/dir/index.html");
    check("/none", "nothing");
}

#[test]
fn prefixes() {
    check("/static/a.css", "static/a.css");
    check("/static/b.css", "more/b.css");
    check("/static/deeper/b.css", "more/b.css");
    check("/staticfoo", "nothing");
    check("/static", "nothing");
    check("/static/none", "nothing");
    check("/favicon.ico", "icon.ico");
    check("/favicon.ico/", "nothing");
    check("/favicon.ico/x", "nothing");
}

#[test]
fn what_is_no_file_is_the_applications() {
    check("/about/", "nothing");
    check("/empty", "nothing");
    check("/empty/", "nothing");
    check("/static/../about", "nothing");
    check("/static/.hidden", "nothing");
    check("/about\0", "nothing");
}

#[test]
fn settings_allow_and_forbid() {
    check_with(
        |with| with.hidden = true,
        "/static/.hidden",
        "static/.hidden",
    );
    check_with(
        |with| with.skip_ext = vec![".css".to_owned()],
        "/static/a.css",
        "nothing",
    );
    check_with(|with| with.index.clear(), "/dir/", "nothing");
}

/// The answer for `/a.css` of a site with these files, to a client that takes these codings.
fn answer(names: &[&str], precompressed: bool, codings: &str) -> (String, u64) {
    let tree = tree(names);
    let settings = StaticFiles {
        check: vec![tree.path().to_owned()],
        precompressed,
        ..StaticFiles::default()
    };
    let files = Files::new(&settings, &BTreeMap::new()).unwrap();
    let Found::File(found) = files.find(b"/a.css") else {
        panic!("it is there");
    };
    let conditions = Conditions {
        accept_encoding: codings.as_bytes(),
        ..Conditions::default()
    };
    let (reply, open) = files.reply(found, b"/a.css", &conditions, false);
    (String::from_utf8(reply.lines).unwrap(), open.size)
}

#[track_caller]
fn check_coding(names: &[&str], codings: &str, expected: Option<&str>) {
    let (lines, size) = answer(names, true, codings);
    let coding = lines
        .lines()
        .find_map(|line| line.strip_prefix("Content-Encoding: "));
    let suffix = match coding {
        None => "",
        Some("gzip") => ".gz",
        Some("zstd") => ".zst",
        Some(_) => ".br",
    };
    assert_eq!(
        (coding, size),
        (expected, ("a.css".len() + suffix.len()) as u64)
    );
    assert!(lines.contains("Vary: Accept-Encoding\r\n"), "{lines}");
    assert!(
        lines.contains("Content-Type: text/css; charset=utf-8\r\n"),
        "{lines}"
    );
}

#[test]
fn compressed_files_beside_the_file() {
    let all = ["a.css", "a.css.gz", "a.css.br", "a.css.zst"];
    check_coding(&all, "gzip, br", Some("br"));
    check_coding(&all, "gzip, br;q=0.1", Some("gzip"));
    check_coding(&all, "zstd", Some("zstd"));
    check_coding(&all[..2], "br, gzip;q=0.5", Some("gzip"));
    check_coding(&all[..1], "br, gzip", None);
    check_coding(&all, "", None);
}

#[test]
fn only_where_they_are_wanted() {
    let (lines, _) = answer(&["a.css", "a.css.gz"], false, "gzip");
    assert!(
        !lines.contains("Vary") && !lines.contains("Content-Encoding"),
        "{lines}"
    );
}

#[test]
fn variants_have_tags_of_their_own() {
    let tag = |codings: &str| {
        let (lines, _) = answer(&["a.css", "a.css.gz"], true, codings);
        lines
            .lines()
            .next()
            .unwrap()
            .rsplit('-')
            .next()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (tag(""), tag("gzip")),
        ("5\"".to_owned(), "8gzip\"".to_owned())
    );
}

#[test]
fn a_compressed_file_that_is_older_is_left_alone() {
    let tree = tree(&["a.css.gz", "a.css"]);
    let old = fs::File::options()
        .write(true)
        .open(tree.path().join("a.css.gz"))
        .unwrap();
    old.set_modified(SystemTime::UNIX_EPOCH).unwrap();
    let settings = StaticFiles {
        check: vec![tree.path().to_owned()],
        precompressed: true,
        ..StaticFiles::default()
    };
    let files = Files::new(&settings, &BTreeMap::new()).unwrap();
    let Found::File(found) = files.find(b"/a.css") else {
        panic!("it is there");
    };
    let conditions = Conditions {
        accept_encoding: b"gzip",
        ..Conditions::default()
    };
    assert_eq!(files.reply(found, b"/a.css", &conditions, false).1.size, 5);
}
