//! Every case of `cases/`.

use std::{env, fs, path::Path};

use crate::support::{root, site::program};

/// What one case has become.
struct Converted {
    settings: String,
    account: String,
}

/// Converts a copy of the case in a directory of its own, whose name is left out of the results.
fn convert(ini: &Path) -> Converted {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().canonicalize().unwrap();
    let name = ini.file_name().unwrap();
    fs::copy(ini, place.join(name)).unwrap();
    let text = fs::read_to_string(ini).unwrap();
    let flags = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("; flags: "));
    let output = program()
        .current_dir(&place)
        .arg("convert-ini")
        .arg(name)
        .args(flags.unwrap_or_default().split_whitespace())
        .args(["--report", "text", "-o", "site.toml"])
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let code = output.status.code().unwrap();
    assert!(
        code == 0 || code == 2,
        "{code}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    check_is_good(&place.join("site.toml"));
    let without_place = |text: String| text.replace(&*place.to_string_lossy(), "/old");
    Converted {
        settings: without_place(fs::read_to_string(place.join("site.toml")).unwrap()),
        account: format!("exit code {code}\n{}", without_place(told)),
    }
}

#[track_caller]
fn check_is_good(settings: &Path) {
    let output = program()
        .arg("check")
        .arg("--no-host")
        .arg(settings)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "{told}\n{}",
        fs::read_to_string(settings).unwrap()
    );
}

#[test]
fn every_case_becomes_what_it_should() {
    let directory = root().join("tests/convert/cases");
    let entries = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut cases: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|end| end == "ini"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let write = env::var_os("HOSTLER_WRITE_CASES").is_some();
    let mut wrong = Vec::new();
    for ini in cases {
        let converted = convert(&ini);
        for (ending, text) in [("toml", converted.settings), ("account", converted.account)] {
            let expected = ini.with_extension(ending);
            if write {
                fs::write(&expected, &text).unwrap();
            }
            if fs::read_to_string(&expected).unwrap_or_default() != text {
                wrong.push(format!("--- {}\n{text}", expected.display()));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
