//! The command: where things go, exit codes, more than one input.

use std::{fs, path::Path, process::Output};

use crate::support::site::program;

const GOOD: &str = "[uwsgi]\nchdir = /srv/a\nmodule = a\nsocket = /run/a.sock\n";
const DOUBTFUL: &str = "[uwsgi]\nchdir = /srv/a\nmodule = a\nsocket = /run/a.sock\nspooler = x\n";

fn run(directory: &Path, arguments: &[&str]) -> Output {
    program()
        .current_dir(directory)
        .arg("convert-ini")
        .args(arguments)
        .output()
        .unwrap()
}

fn with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn settings_go_to_standard_output_and_doubts_to_standard_error() {
    let place = with(&[("old.ini", GOOD), ("doubtful.ini", DOUBTFUL)]);
    let output = run(place.path(), &["old.ini"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).starts_with("[app]\nmodule = \"a\"\n"));
    assert_eq!(text(&output.stderr), "");
    let output = run(place.path(), &["doubtful.ini"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("doubtful.ini:5: spooler = x: NOT POSSIBLE"));
    assert!(text(&output.stdout).contains("doubtful.ini:5 spooler"));
}

#[test]
fn a_file_is_not_replaced_without_force() {
    let place = with(&[("old.ini", GOOD), ("site.toml", "kept")]);
    let output = run(place.path(), &["old.ini", "-o", "site.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--force replaces it"));
    assert_eq!(
        fs::read_to_string(place.path().join("site.toml")).unwrap(),
        "kept"
    );
    let output = run(place.path(), &["old.ini", "-o", "site.toml", "--force"]);
    assert_eq!(output.status.code(), Some(0));
    assert_ne!(
        fs::read_to_string(place.path().join("site.toml")).unwrap(),
        "kept"
    );
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let place = with(&[]);
    let output = run(place.path(), &["none.ini"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("`none.ini`"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(run(place.path(), &[]).status.code(), Some(64));
}

#[test]
fn a_report_for_programs_names_each_line() {
    let place = with(&[("old.ini", DOUBTFUL)]);
    let output = run(place.path(), &["old.ini", "--report", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["needs-human"], true);
    assert_eq!(report["entries"][3]["name"], "spooler");
    assert_eq!(report["entries"][3]["line"], 5);
    assert_eq!(report["entries"][2]["key"], "listen.address");
}

#[test]
fn a_command_line_counts_after_its_files() {
    let place = with(&[("old.ini", GOOD)]);
    let command = [
        "old.ini",
        "--",
        "uwsgi",
        "--http",
        ":9090",
        "-M",
        "-p4",
        "--wsgi-file",
        "foobar.py",
    ];
    let settings = text(&run(place.path(), &command).stdout);
    assert!(settings.contains("address = \":9090\""), "{settings}");
    assert!(settings.contains("processes = 4"), "{settings}");
}

#[test]
fn sections_are_chosen_behind_a_colon() {
    let sections = format!("{GOOD}[other]\nini = :uwsgi\nprocesses = 3\n");
    let place = with(&[("old.ini", &sections)]);
    let settings = text(&run(place.path(), &["old.ini:other"]).stdout);
    assert!(settings.contains("module = \"a\""), "{settings}");
    assert!(settings.contains("processes = 3"), "{settings}");
}

#[test]
fn units_show_the_way_there_and_back() {
    let place = with(&[("shop.ini", GOOD)]);
    let output = run(place.path(), &["shop.ini", "--emperor", "--units"]);
    let told = text(&output.stderr);
    assert!(told.contains("ListenStream=/run/a.sock"), "{told}");
    assert!(told.contains("mv shop.ini shop.ini.off"), "{told}");
    assert!(
        told.contains("systemctl enable --now hostler@shop.socket"),
        "{told}"
    );
}

#[test]
fn a_unit_says_where_and_as_whom() {
    let unit = "[Service]\nUser=shop\nWorkingDirectory=/srv/shop\nEnvironment=A=b\nLimitNOFILE=5000\n\
                ExecStart=/srv/shop/venv/bin/uwsgi --http :8000 --chdir src -w shop\n";
    let place = with(&[("uwsgi-shop.service", unit)]);
    let output = run(place.path(), &["uwsgi-shop.service", "--units"]);
    let settings = text(&output.stdout);
    for line in [
        "chdir = \"/srv/shop/src\"",
        "user = \"shop\"",
        "A = \"b\"",
        "virtualenv = \"/srv/shop/venv\"",
        "max-fd = 5000",
        "address = \":8000\"",
    ] {
        assert!(settings.contains(line), "{line} in {settings}");
    }
    let told = text(&output.stderr);
    assert!(
        told.contains("systemctl disable --now uwsgi-shop.service"),
        "{told}"
    );
}
