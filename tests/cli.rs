//! The command line: what it prints, where, and with which exit code it ends.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

use crate::support::{
    process::Process,
    site::{PROGRAM, listening, program},
    venv,
};

const SUCCESS: i32 = 0;
const USAGE: i32 = 64;
const CONFIG: i32 = 78;

fn run(arguments: &[&str]) -> Output {
    program()
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The command ends with `code` and says one line, with all of these texts in it.
fn check_error(arguments: &[&str], code: i32, texts: &[&str]) {
    let output = run(arguments);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert_eq!(
        (said.lines().count(), stdout(&output)),
        (1, String::new()),
        "{arguments:?}: {said}"
    );
    for text in texts {
        assert!(said.contains(text), "{arguments:?}: {text:?} in {said}");
    }
}

/// `check` of a file with this text says one line that begins with the file's name and `place`.
fn check_file(text: &str, place: &str, texts: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.toml");
    fs::write(&file, text).unwrap();
    let place = format!("{}:{place}", file.display());
    check_error(
        &["check", file.to_str().unwrap()],
        CONFIG,
        &[&[place.as_str()], texts].concat(),
    );
}

#[test]
fn help_reads_well() {
    for arguments in [
        &["--help"][..],
        &["-h"],
        &["serve", "--help"],
        &["check", "--help"],
        &["doctor", "--help"],
        &["run", "--help"],
        &["status", "--help"],
        &["reload", "--help"],
        &["stop", "--help"],
        &["schema", "--help"],
        &["worker", "recycle", "--help"],
        &["worker", "stack", "--help"],
        &["top", "--help"],
        &["log", "reopen", "--help"],
        &["compare", "--help"],
        &["convert-gunicorn", "--help"],
    ] {
        let output = run(arguments);
        assert_eq!(
            (output.status.code(), stderr(&output)),
            (Some(SUCCESS), String::new())
        );
        let text = stdout(&output);
        assert!(text.lines().all(|line| line.len() <= 100), "{text}");
        assert!(text.contains("Usage: hostler"), "{text}");
    }
}

#[test]
fn version() {
    assert_eq!(
        stdout(&run(&["--version"])),
        format!("hostler {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_command_line_that_makes_no_sense() {
    check_error(&[], USAGE, &["--help"]);
    check_error(&["serv", "x"], USAGE, &["'serve'"]);
    check_error(&["serve"], USAGE, &["FILE"]);
    check_error(&["run", "app.py", "--thread", "2"], USAGE, &["'--threads'"]);
    check_error(&["reload", "--wait", "--no-wait"], USAGE, &["--no-wait"]);
    check_error(&["worker", "recycle", "one"], USAGE, &["'one'"]);
}

#[test]
fn a_file_that_is_not_there() {
    check_error(
        &["check", "/nowhere/site.toml"],
        CONFIG,
        &["/nowhere/site.toml"],
    );
    check_error(
        &["serve", "/nowhere/site.toml"],
        CONFIG,
        &["/nowhere/site.toml"],
    );
}

#[test]
fn a_misspelt_key_is_shown_with_its_place_and_the_nearest_key() {
    check_file("[app]\nmodul = \"x\"\n", "2:1", &["modul", "`module`"]);
    check_file("[app]\nmodule = \"x\"\n\n[worker]\n", "4:2", &["[workers]"]);
    check_file(
        "app.module = \"x\"\nlisten = [{ adress = \":1\" }]\n",
        "2:13",
        &["`address`"],
    );
}

#[test]
fn a_bad_value_is_shown_with_its_place() {
    check_file("[app]\nmodule = 7\n", "2:10", &[]);
    check_file("[http]\nkeep-alive = \"soon\"\n", "2:14", &["soon"]);
    check_file("[http]\nbuffer-size = \"64X\"\n", "2:15", &["64X"]);
    check_file("[[listen]]\naddress = \"80000\"\n", "2:11", &["80000"]);
    check_file("[workers]\nthreads = -1\n", "2:11", &[]);
}

#[test]
fn text_that_is_no_toml() {
    check_file("[app\n", "1:5", &[]);
    check_file("[app]\nmodule = \"x\n", "2:12", &[]);
}

#[test]
fn a_site_needs_an_application_and_a_listener() {
    check_file("[[listen]]\naddress = \":1\"\n", "", &["app"]);
    check_file("[app]\nmodule = \"x\"\n", "", &["listen"]);
    check_file(
        "[app]\nmodule = \"x\"\nfile = \"x.py\"\n[[listen]]\naddress = \":1\"\n",
        "",
        &["module", "file"],
    );
}

#[test]
fn good_settings_are_good() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.toml");
    fs::write(
        &file,
        "[app]\nmodule = \"x\"\n[[listen]]\naddress = \":1\"\n",
    )
    .unwrap();
    let output = run(&["check", "--no-host", file.to_str().unwrap()]);
    assert_eq!(
        (output.status.code(), stderr(&output)),
        (Some(SUCCESS), String::new())
    );
}

/// A file with these lines behind an application that is there.
fn file_with(lines: &str) -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("shop.py"), APP).unwrap();
    let file = directory.path().join("site.toml");
    let head = "[app]\nfile = \"shop.py\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n";
    fs::write(&file, format!("{head}{lines}")).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (directory, file)
}

#[test]
fn what_this_machine_lacks_is_told_with_its_place() {
    let (_directory, file) = file_with("[service]\nuser = \"no-such-user\"\n");
    let message = format!(
        "{file}:6:8: there is no user `no-such-user`; make it: useradd --system no-such-user"
    );
    check_error(&["check", &file], CONFIG, &[&message]);
    let elsewhere = run(&["check", "--no-host", &file]);
    assert_eq!(elsewhere.status.code(), Some(SUCCESS), "{elsewhere:?}");
}

#[test]
fn what_could_be_elsewhere_is_no_error() {
    let (_directory, file) = file_with("[static]\ncheck = [\"public\"]\n");
    let output = run(&["check", &file]);
    assert_eq!(output.status.code(), Some(SUCCESS), "{output:?}");
    assert!(
        stderr(&output).contains(&format!("note: {file}:6:10: ")),
        "{output:?}"
    );
}

#[test]
fn the_schema_is_json_that_names_its_draft() {
    let output = run(&["schema"]);
    assert_eq!(output.status.code(), Some(SUCCESS));
    let schema: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

/// What `--show` prints is itself a file that means the same.
#[test]
fn the_effective_settings_are_settings() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.toml");
    fs::write(
        &file,
        "[app]\nmodule = \"x\"\nchdir = \"sub\"\n[[listen]]\naddress = \":1\"\n",
    )
    .unwrap();
    let first = stdout(&run(&["check", "--show", file.to_str().unwrap()]));
    assert!(
        first.contains("keep-alive = \"1min 15s\"") || first.contains("keep-alive = \"75s\""),
        "{first}"
    );
    fs::write(&file, &first).unwrap();
    assert_eq!(
        stdout(&run(&["check", "--show", file.to_str().unwrap()])),
        first
    );
}

#[test]
fn a_reader_that_left_is_no_panic() {
    let mut child = Command::new(PROGRAM)
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
}

const APP: &str = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'one']\n\
                   def other(environ, start_response):\n    start_response('200 OK', [])\n    return [b'other']\n";

/// `hostler run` in a directory with `quick.py`.
fn quick_start(directory: &Path, arguments: &[&str]) -> Process {
    fs::write(directory.join("quick.py"), APP).unwrap();
    let mut command = program();
    command
        .arg("run")
        .args(arguments)
        .args(["--http", "127.0.0.1:0"])
        .current_dir(directory);
    Process::start(
        "hostler run",
        command
            .env("VIRTUAL_ENV", venv())
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    )
}

fn check_run(arguments: &[&str], expected: &str) {
    let directory = tempfile::tempdir().unwrap();
    let process = quick_start(directory.path(), arguments);
    let address = process.wait_for("where it listens", listening);
    assert_eq!(address.get("/").text(), expected);
}

#[test]
fn run_needs_no_file() {
    check_run(&["quick.py"], "one");
    check_run(&["quick"], "one");
    check_run(&["quick:other"], "other");
    check_run(
        &["./quick.py:other", "--processes", "2", "--threads", "2"],
        "other",
    );
}

#[test]
fn run_reloads_when_a_file_changes() {
    let directory = tempfile::tempdir().unwrap();
    let process = quick_start(directory.path(), &["quick.py", "--reload"]);
    let address = process.wait_for("where it listens", listening);
    assert_eq!(address.get("/").text(), "one");
    fs::write(directory.path().join("quick.py"), APP.replace("one", "two")).unwrap();
    process.wait_for_nth("that the next generation serves", 2, |line| {
        crate::support::site::serves(line).then_some(())
    });
    assert_eq!(address.get("/").text(), "two");
}
