//! `hostler convert-gunicorn`: configurations beside what becomes of them, and the table of settings beside gunicorn's.
//!
//! A case is a folder of `gunicorn/`: a settings file, a unit or a command line; the settings and the account that are
//! expected, with `DIR` for where it was converted; and the exit code.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{root, site::program, venv};

const UNREADABLE: i32 = 1;

fn folder() -> PathBuf {
    root().join("tests/convert/gunicorn")
}

/// The program in this directory, without what could come from whoever runs the tests.
pub(super) fn convert(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = program();
    command
        .arg("convert-gunicorn")
        .args(arguments)
        .current_dir(directory);
    for name in [
        "GUNICORN_CMD_ARGS",
        "WEB_CONCURRENCY",
        "PORT",
        "FORWARDED_ALLOW_IPS",
    ] {
        command.env_remove(name);
    }
    command
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A copy of the case, in a directory of its own.
fn copy_of(case: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
    }
    directory
}

/// Converts the case as its files ask for it.
fn run(directory: &Path, options: &[&str]) -> Output {
    let mut arguments = vec!["--python", "/usr/bin/python3"];
    arguments.extend(options);
    let line = fs::read_to_string(directory.join("command")).unwrap_or_default();
    if directory.join("command").exists() {
        arguments.push("--");
        arguments.extend(line.split_whitespace());
    } else if directory.join("shop.service").exists() {
        arguments.push("shop.service");
    } else {
        arguments.push("gunicorn.conf.py");
    }
    let mut command = convert(directory, &arguments);
    if let Ok(environment) = fs::read_to_string(directory.join("environment")) {
        command.envs(environment.trim().split_once('='));
    }
    command.output().unwrap()
}

#[test]
fn cases_give_what_is_expected() {
    let mut cases = 0;
    for entry in fs::read_dir(folder()).unwrap() {
        let case = entry.unwrap().path();
        let directory = copy_of(&case);
        let read = |name: &str| fs::read_to_string(case.join(name)).unwrap();
        for (options, expected) in [
            (&[][..], "expected.toml"),
            (&["--report", "text"], "expected.report"),
        ] {
            let output = run(directory.path(), options);
            let said = text(&output.stdout).replace(directory.path().to_str().unwrap(), "DIR");
            if env::var_os("HOSTLER_WRITE_CASES").is_some() {
                fs::write(case.join(expected), &said).unwrap();
                let code = format!("{}\n", output.status.code().unwrap());
                fs::write(case.join("code"), code).unwrap();
            }
            assert_eq!(said, read(expected), "{}", case.display());
            let code = read("code").trim().parse().ok();
            assert_eq!(output.status.code(), code, "{}", case.display());
        }
        cases += 1;
    }
    assert!(cases >= 8, "{cases} cases were found");
}

#[test]
fn what_comes_out_is_good() {
    for entry in fs::read_dir(folder()).unwrap() {
        let directory = copy_of(&entry.unwrap().path());
        let file = directory.path().join("site.toml");
        run(directory.path(), &["-o", file.to_str().unwrap()]);
        let output = program()
            .args(["check", "--no-host"])
            .arg(&file)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

#[test]
fn the_account_is_json() {
    let directory = copy_of(&folder().join("hooks"));
    let output = run(directory.path(), &["--report", "json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["numbers"]["unknown"], 1);
    let entries = report["entries"].as_array().unwrap();
    let hook = entries
        .iter()
        .find(|entry| entry["name"] == "worker_exit")
        .unwrap();
    let found = (&hook["verdict"], &hook["line"], &hook["needs-human"]);
    assert_eq!(found, (&"not-possible".into(), &27.into(), &true.into()));
}

#[test]
fn a_value_that_breaks_a_rule_is_for_a_person() {
    let directory = tempfile::tempdir().unwrap();
    let output = convert(directory.path(), &["--", "gunicorn", "shop/wsgi.py:app"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = text(&output.stderr);
    assert!(
        said.contains("`shop/wsgi.py` is a file; write file = "),
        "{said}"
    );
}

/// The file cannot be converted; one line says why.
#[track_caller]
fn check_unreadable(file: &str, options: &[&str], expected: &str) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("gunicorn.conf.py"), file).unwrap();
    let output = convert(directory.path(), options).output().unwrap();
    let said = text(&output.stderr).replace(directory.path().to_str().unwrap(), "DIR");
    assert_eq!(output.status.code(), Some(UNREADABLE), "{said}");
    assert!(said.lines().last().unwrap().starts_with(expected), "{said}");
}

#[test]
fn a_file_that_cannot_be_run_is_shown_with_its_line() {
    let file = "error: DIR/gunicorn.conf.py";
    check_unreadable(
        "bind = 1\nworkers = (\n",
        &["gunicorn.conf.py"],
        &format!("{file}:2: SyntaxError: "),
    );
    check_unreadable(
        "\nimport no_such_module\n",
        &[],
        &format!(
            "{file}:2: ModuleNotFoundError: No module named 'no_such_module'; it was run by python3, --python"
        ),
    );
    check_unreadable(
        "raise SystemExit(3)\n",
        &[],
        &format!("{file}:1: SystemExit: 3"),
    );
    check_unreadable(
        "import os\nos._exit(3)\n",
        &[],
        "error: python3: it has said nothing of the settings in DIR/gunicorn.conf.py; exit status: 3",
    );
}

#[test]
fn settings_may_be_a_module() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("shop")).unwrap();
    fs::write(
        directory.path().join("shop/settings.py"),
        "\nwsgi_app = 'shop.wsgi'\n",
    )
    .unwrap();
    let line = [
        "--report",
        "text",
        "--",
        "gunicorn",
        "-c",
        "python:shop.settings",
    ];
    let said = text(&convert(directory.path(), &line).output().unwrap().stdout);
    let expected =
        "python:shop.settings:2: wsgi_app = shop.wsgi: kept as app.module = \"shop.wsgi\"\n";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn what_is_not_there_is_named() {
    check_unreadable(
        "",
        &["nowhere.py"],
        "error: DIR/nowhere.py: cannot be read: No such file",
    );
    check_unreadable(
        "",
        &["--python", "/nowhere/python"],
        "error: /nowhere/python: cannot be started",
    );
    check_unreadable(
        "",
        &["--", "uvicorn", "a:b"],
        "error: command line: it does not start gunicorn",
    );
    let empty = tempfile::tempdir().unwrap();
    let output = convert(empty.path(), &[]).output().unwrap();
    assert!(
        text(&output.stderr).starts_with("error: there is no gunicorn.conf.py; "),
        "{output:?}"
    );
}

#[test]
fn a_file_is_not_replaced_unless_asked() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("gunicorn.conf.py"),
        "wsgi_app = 'a'\n",
    )
    .unwrap();
    let file = directory.path().join("site.toml");
    fs::write(&file, "mine").unwrap();
    let written = |options: &[&str]| {
        let status = convert(directory.path(), options).output().unwrap().status;
        (status.code(), fs::read_to_string(&file).unwrap() == "mine")
    };
    assert_eq!(written(&["-o", "site.toml"]), (Some(1), true));
    assert_eq!(written(&["-o", "site.toml", "--force"]), (Some(0), false));
}

/// What gunicorn says of its own settings: name, options, default; `-` for what depends on the machine.
const KNOWN: &str = "
import json
from gunicorn.config import KNOWN_SETTINGS
table = {}
for one in KNOWN_SETTINGS:
    default = one.default
    if callable(default) or one.name in ('control_socket', 'chdir', 'user', 'group'):
        default = '-'
    elif isinstance(default, int) and not isinstance(default, bool):
        default = int(default)
    table[one.name] = [' '.join(one.cli or ['-']), default]
print(json.dumps(table))
";

#[test]
fn the_table_knows_every_setting_of_gunicorn_with_its_default() {
    let mut python = Command::new(venv().join("bin/python"));
    for name in ["WEB_CONCURRENCY", "PORT", "FORWARDED_ALLOW_IPS"] {
        python.env_remove(name);
    }
    let output = python.args(["-c", KNOWN]).output().unwrap();
    let theirs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let table = fs::read_to_string(root().join("src/convert/gunicorn/settings.tsv")).unwrap();
    let ours: Value = table
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            let default: Value = match columns[3] {
                "-" => "-".into(),
                default => serde_json::from_str(default).unwrap(),
            };
            (
                columns[0].to_owned(),
                Value::from(vec![columns[2].into(), default]),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (name, setting) in theirs.as_object().unwrap() {
        assert_eq!(&ours[name], setting, "{name}");
    }
    assert_eq!(
        ours.as_object().unwrap().len(),
        theirs.as_object().unwrap().len()
    );
}
