//! Real files, which are no part of the project: the folder `../shared/ini-corpus`, or the one that
//! `$HOSTLER_INI_CORPUS` names. Without one there is nothing to test, and a line says so.

use std::{env, fs, path::PathBuf};

use crate::support::{root, site::program};

fn corpus() -> Option<PathBuf> {
    let named = env::var_os("HOSTLER_INI_CORPUS").map(PathBuf::from);
    let found = named.or_else(|| Some(root().parent()?.join("shared/ini-corpus")));
    found.filter(|directory| directory.is_dir())
}

/// Whether a file names a Python application. What another file loses, a router's or one of another language, is not
/// what a Python web site has.
fn is_python_site(entries: &[serde_json::Value]) -> bool {
    let names_application = |entry: &serde_json::Value| {
        let key = entry["key"].as_str().unwrap_or_default();
        ["app.module", "app.file", "mount"].contains(&key)
    };
    entries.iter().any(names_application)
}

/// The options of a file: lines with a name, outside of comments and headers, in the sections that are read.
fn lines_with_options(text: &str) -> usize {
    let is_option = |line: &&str| !line.is_empty() && !line.starts_with([';', '#', '[']);
    text.lines().map(str::trim).filter(is_option).count()
}

#[test]
fn real_files_are_accounted_for() {
    let Some(corpus) = corpus() else {
        eprintln!("SKIPPED: there is no corpus of real files; $HOSTLER_INI_CORPUS names one");
        return;
    };
    let mut files: Vec<PathBuf> = fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "ini"));
    files.sort();
    let directory = tempfile::tempdir().unwrap();
    let settings = directory.path().join("site.toml");
    let (mut ready, mut whole, mut sites, mut lines) = (0, 0, 0, 0);
    for file in &files {
        let output = program()
            .args(["convert-ini", "--report", "json", "--force", "-o"])
            .args([&settings, file])
            .output()
            .unwrap();
        let code = output.status.code();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(code, Some(0 | 2)),
            "{}: {code:?} {told}",
            file.display()
        );
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let entries = report["entries"].as_array().unwrap();
        check_every_line(file, entries, &report);
        let loses = entries
            .iter()
            .any(|entry| entry["verdict"] == "not-possible");
        let lost = loses && is_python_site(entries);
        sites += usize::from(is_python_site(entries));
        lines += entries.len();
        ready += usize::from(code == Some(0));
        whole += usize::from(!lost);
    }
    let lost = files.len() - whole;
    let share = (sites - lost) * 100 / sites.max(1);
    eprintln!(
        "{} real files, {lines} options; {ready} files need nobody; of {sites} Python sites {} ({share} %) lose nothing",
        files.len(),
        sites - lost
    );
    assert!(share >= 90, "{share} %");
}

/// Each line of the file that has an option has an entry, or is in a section that a notice speaks of.
#[track_caller]
fn check_every_line(
    file: &std::path::Path,
    entries: &[serde_json::Value],
    report: &serde_json::Value,
) {
    let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    let mut seen: Vec<u64> = entries
        .iter()
        .filter(|entry| entry["source"] == file.to_string_lossy().as_ref())
        .filter_map(|entry| entry["line"].as_u64())
        .collect();
    seen.sort_unstable();
    seen.dedup();
    let other_sections = report["notices"].as_array().unwrap();
    let is_elsewhere = other_sections.iter().any(|notice| {
        let text = notice["text"].as_str().unwrap();
        text.contains("section")
    });
    let count = lines_with_options(&text);
    assert!(
        seen.len() >= count || is_elsewhere,
        "{}: {} of {count} lines have an entry",
        file.display(),
        seen.len()
    );
}
