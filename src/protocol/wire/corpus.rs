//! Every case of the corpus, whole and byte by byte.

use std::{collections::BTreeSet, fs, path::PathBuf};

use super::transcript;

#[test]
fn valid() {
    check_all("valid", 60);
}

#[test]
fn invalid() {
    check_all("invalid", 160);
}

/// Runs all cases of a folder, which holds at least so many.
fn check_all(folder: &str, at_least: usize) {
    let names = names(folder);
    assert!(names.len() >= at_least, "{folder} has lost cases");
    let failures: Vec<_> = names
        .iter()
        .filter_map(|name| check(folder, name).err())
        .collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn check(folder: &str, name: &str) -> Result<(), String> {
    let raw = fs::read(file(folder, name, "http")).unwrap();
    let expected = fs::read_to_string(file(folder, name, "expected")).unwrap();
    for (how, actual) in [
        ("whole", transcript([&raw[..]])),
        ("byte by byte", transcript(raw.chunks(1))),
    ] {
        if actual != expected {
            return Err(format!(
                "{folder}/{name}, {how}\n--- expected\n{expected}--- actual\n{actual}"
            ));
        }
    }
    Ok(())
}

/// All raw requests of both folders.
pub(super) fn all() -> Vec<Vec<u8>> {
    let files = ["valid", "invalid"].into_iter().flat_map(|folder| {
        names(folder)
            .into_iter()
            .map(move |name| file(folder, &name, "http"))
    });
    files.map(|file| fs::read(file).unwrap()).collect()
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
