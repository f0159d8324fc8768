//! The wheel, as people install it: into an environment of its own, without systemd, beside a site with another
//! environment.
//!
//! `make test` builds one of a debug build (`make wheel-of-tests`); without it these tests are skipped, loudly.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::support::{
    process::Process,
    root,
    site::{listening, serves},
    venv,
};

/// Where `make wheel-of-tests` puts it.
fn wheel() -> Option<PathBuf> {
    let entries = fs::read_dir(root().join("target/wheel/dev")).into_iter();
    let paths = entries.flatten().flatten().map(|entry| entry.path());
    let mut wheels = paths.filter(|path| path.extension().is_some_and(|ending| ending == "whl"));
    let wheel = wheels.next();
    if wheel.is_none() {
        assert!(std::env::var_os("CI").is_none(), "there is no wheel");
        eprintln!("\n*** SKIPPED, tests of the wheel: `make wheel-of-tests` builds one\n");
    }
    wheel
}

/// A program of the environment with the tools.
fn tool(name: &str) -> Command {
    let programs = root().join("target/venv/wheel/bin");
    let path = std::env::var("PATH").unwrap();
    let mut command = Command::new(programs.join(name));
    // maturin is looked for there.
    command.env("PATH", format!("{}:{path}", programs.display()));
    command
}

#[track_caller]
fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
    stdout
}

/// A fresh environment with the wheel in it.
fn installed(wheel: &Path) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("venv");
    succeed(
        Command::new("/usr/bin/python3")
            .args(["-m", "venv"])
            .arg(&path),
    );
    let mut pip = Command::new(path.join("bin/pip"));
    pip.args([
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--disable-pip-version-check",
    ]);
    succeed(pip.arg(wheel));
    directory
}

/// Serves an application with the installed program, in the site's environment `virtualenv`.
#[track_caller]
fn check_serves(virtualenv: Option<&Path>) {
    let Some(wheel) = wheel() else { return };
    let directory = installed(&wheel);
    let own = directory.path().join("venv");
    let mut command = Command::new(own.join("bin/hostler"));
    command
        .args([
            "run",
            "app:application",
            "--http",
            "127.0.0.1:0",
            "--virtualenv",
        ])
        .arg(virtualenv.unwrap_or(&own))
        .arg("--chdir")
        .arg(root().join("tests/apps/outside"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("RUNTIME_DIRECTORY", directory.path())
        .env_remove("HOSTLER_EXTENSION")
        .env_remove("JOURNAL_STREAM")
        .env_remove("NOTIFY_SOCKET")
        .env_remove("VIRTUAL_ENV");
    let process = Process::start("hostler", &mut command);
    process.wait_for("that it serves", |line| serves(line).then_some(()));
    let address = process.wait_for("where it listens", listening);
    assert_eq!(address.get("/status").status, 200);
    let virtualenv = virtualenv.unwrap_or(&own).display().to_string();
    assert_eq!(address.get("/env/VIRTUAL_ENV").text(), virtualenv);
}

#[test]
fn the_program_serves_in_its_own_environment() {
    check_serves(None);
}

#[test]
fn the_program_serves_a_site_of_another_environment() {
    check_serves(Some(&venv()));
}

#[test]
fn one_wheel_is_for_every_python() {
    let Some(wheel) = wheel() else { return };
    let name = wheel.file_name().unwrap().to_str().unwrap();
    let expected = format!(
        "hostler-{}-cp39-abi3-manylinux_2_",
        env!("CARGO_PKG_VERSION")
    );
    assert!(name.starts_with(&expected), "{name}");
    // What the program needs counts as well as what the extension needs.
    let shown = succeed(tool("auditwheel").arg("show").arg(&wheel));
    let tag = name.rsplit('-').next().unwrap().trim_end_matches(".whl");
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let tag = tag.split('.').next().unwrap();
    assert!(
        shown.contains(&format!("following platform tag: \"{tag}\"")),
        "{shown}"
    );
}

#[test]
fn a_wheel_is_as_the_index_wants_it() {
    let Some(wheel) = wheel() else { return };
    let said = succeed(tool("twine").args(["check", "--strict"]).arg(&wheel));
    assert!(
        said.contains("PASSED") && !said.contains("WARNING"),
        "{said}"
    );
    succeed(tool("check-wheel-contents").arg(&wheel));
    let listed = succeed(tool("python").args(["-m", "zipfile", "-l"]).arg(&wheel));
    for file in [
        "_hostler/_hostler.abi3.so",
        ".data/scripts/hostler",
        ".dist-info/licenses/LICENSE-MIT",
    ] {
        assert!(listed.contains(file), "{file}: {listed}");
    }
}

/// It is built once by hand (`make wheel`), which takes a release; here is whether cargo understands what is in it.
#[test]
fn a_source_distribution_has_all_that_a_build_needs() {
    if wheel().is_none() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let make = "import sys; sys.path.insert(0, 'packaging/wheel'); import backend; print(backend.build_sdist(sys.argv[1]))";
    let mut backend = tool("python");
    backend
        .args(["-c", make])
        .arg(directory.path())
        .current_dir(root());
    let said = succeed(&mut backend);
    let name = said.lines().last().unwrap().to_owned();
    succeed(
        tool("twine")
            .args(["check", "--strict"])
            .arg(directory.path().join(&name)),
    );
    let again = tempfile::tempdir().unwrap();
    let mut backend = tool("python");
    backend
        .args(["-c", make])
        .arg(again.path())
        .current_dir(root());
    succeed(&mut backend);
    let read = |directory: &TempDir| fs::read(directory.path().join(&name)).unwrap();
    assert!(
        read(&directory) == read(&again),
        "two of them are not the same"
    );
    succeed(
        Command::new("tar")
            .arg("xf")
            .arg(&name)
            .current_dir(directory.path()),
    );
    let unpacked = directory.path().join(name.trim_end_matches(".tar.gz"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.args(["metadata", "--format-version=1", "--offline", "--locked"]);
    let metadata = succeed(metadata.current_dir(&unpacked));
    assert!(metadata.contains("hostler-worker"));
    // What the sources take in at build time is there too.
    for file in [
        "systemd/system/hostler@.service",
        "src/supervisor/bootstrap.py",
        "LICENSE-APACHE",
    ] {
        assert!(unpacked.join(file).exists(), "{file}");
    }
}
