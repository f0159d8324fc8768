//! Every case of the corpus, whole and byte by byte.

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::{packets, transcript};

/// What becomes of bytes that come in pieces.
pub(super) type Decode = fn(&mut dyn Iterator<Item = &[u8]>) -> String;

/// The folders, how many cases there are at least, what decodes them, and the suffix of their files.
pub(super) const FOLDERS: [(&str, usize, Decode, &str); 5] = [
    ("valid", 60, |pieces| transcript(pieces), "http"),
    ("invalid", 160, |pieces| transcript(pieces), "http"),
    ("fastcgi", 40, |pieces| packets::fastcgi(pieces), "bytes"),
    ("proxy", 30, |pieces| packets::proxy(pieces), "bytes"),
    ("scgi", 20, |pieces| packets::scgi(pieces), "bytes"),
];

#[test]
fn every_case_comes_to_what_is_written_beside_it() {
    for (folder, at_least, decode, suffix) in FOLDERS {
        let names = names(folder);
        assert!(names.len() >= at_least, "{folder} has lost cases");
        let failures: Vec<_> = names
            .iter()
            .filter_map(|name| check(folder, name, suffix, decode).err())
            .collect();
        assert!(failures.is_empty(), "{}", failures.join("\n"));
    }
}

fn check(folder: &str, name: &str, suffix: &str, decode: Decode) -> Result<(), String> {
    let raw = raw(folder, name, suffix);
    let expected = fs::read_to_string(file(folder, name, "expected")).unwrap();
    for (how, actual) in [
        ("whole", decode(&mut [&raw[..]].into_iter())),
        ("byte by byte", decode(&mut raw.chunks(1))),
    ] {
        if actual != expected {
            return Err(format!(
                "{folder}/{name}, {how}\n--- expected\n{expected}--- actual\n{actual}"
            ));
        }
    }
    Ok(())
}

/// All cases of a folder, as bytes.
pub(super) fn all(folder: &str, suffix: &str) -> Vec<Vec<u8>> {
    let names = names(folder).into_iter();
    names.map(|name| raw(folder, &name, suffix)).collect()
}

fn raw(folder: &str, name: &str, suffix: &str) -> Vec<u8> {
    let content = fs::read(file(folder, name, suffix)).unwrap();
    match suffix {
        "bytes" => packets::bytes(str::from_utf8(&content).unwrap()),
        _ => content,
    }
}

/// Names without suffix; of every case there are both files, or reading one fails.
fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(path(folder)).unwrap();
    let stem = |name: String| Some(name.rsplit_once('.')?.0.to_owned());
    entries
        .filter_map(|entry| stem(entry.unwrap().file_name().into_string().unwrap()))
        .collect()
}

/// Not `Path::with_extension`: names have points in them.
fn file(folder: &str, name: &str, suffix: &str) -> PathBuf {
    path(folder).join(format!("{name}.{suffix}"))
}

fn path(folder: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/wire", folder]
        .iter()
        .collect()
}
