//! Conversions as a whole, where the time counts.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::*;

/// The folder of real files, which is no part of the project.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()?
        .join("shared/ini-corpus");
    let named = env::var_os("HOSTLER_INI_CORPUS").map(PathBuf::from);
    named
        .or(Some(beside))
        .filter(|directory| directory.is_dir())
}

#[test]
fn all_real_files_are_converted_in_a_second() {
    let Some(corpus) = corpus() else {
        return;
    };
    let files: Vec<PathBuf> = fs::read_dir(&corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let begin = Instant::now();
    for file in files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "ini"))
    {
        let start = Start {
            directory: corpus.clone(),
            site: "shop".to_owned(),
            debian: false,
            emperor: false,
        };
        let input = Input::from_argument(file.to_str().unwrap());
        let converted = convert(&[input], &start, &Machine::default()).unwrap();
        assert!(!converted.draft.render().is_empty(), "{}", file.display());
    }
    // A build without optimization takes ten times as long.
    let limit = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 1 });
    let taken = begin.elapsed();
    eprintln!("{} files in {taken:?}", files.len());
    assert!(taken < limit, "{taken:?}");
}

#[test]
fn every_name_has_its_row() {
    for name in names::all() {
        assert!(options::find(name.name).is_some(), "{}", name.name);
    }
    assert_eq!(options::all().count(), names::all().len());
}
