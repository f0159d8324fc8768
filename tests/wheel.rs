//! The wheel, as people install it: into an environment of its own, without systemd, with every Python that is here, beside
//! a site with another environment.
//!
//! `make test` builds one of a debug build (`make wheel-of-tests`); without it these tests are skipped, loudly. What takes
//! more than this machine has, `make wheel-everywhere` tries.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::support::{
    process::Process,
    python::supported,
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
fn check_serves(virtualenv: &Path) {
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
        .arg(virtualenv)
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
    let virtualenv = virtualenv.to_str().unwrap();
    assert_eq!(address.get("/env/VIRTUAL_ENV").text(), virtualenv);
}

#[test]
fn the_program_serves_a_site_of_another_environment() {
    check_serves(&venv());
}

/// The script that does what a user does, and a pip for interpreters without one; the script says what it has tried.
fn script() -> (PathBuf, PathBuf) {
    let asked = succeed(tool("python").args(["-c", "import pip; print(pip.__path__[0])"]));
    (root().join("packaging/wheel/try.py"), asked.trim().into())
}

#[test]
fn every_interpreter_of_this_machine_serves_with_it() {
    let Some(wheel) = wheel() else { return };
    let (script, pip) = script();
    for interpreter in supported() {
        let mut command = Command::new(&interpreter.program);
        command.arg(&script).arg(&wheel).arg("--pip").arg(&pip);
        let (major, minor, patch) = interpreter.version;
        let said = succeed(&mut command);
        let expected = format!("serves with CPython {major}.{minor}.{patch}");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn a_bare_debian_serves_with_it() {
    let Some(wheel) = wheel() else { return };
    let tree = root().join("target/trees/trixie");
    if !rustix::process::geteuid().is_root() || !tree.join("usr").exists() {
        eprintln!(
            "\n*** SKIPPED, only root can, with `make tree`: the wheel in a bare Debian 13\n"
        );
        return;
    }
    let (script, pip) = script();
    let mut command = Command::new(root().join("tools/in-tree"));
    command.args([&tree, &script, &wheel, &pip]).args([
        "--",
        "python3",
        "/mnt/try.py",
        "--pip=/mnt/pip",
    ]);
    let said = succeed(command.arg(Path::new("/mnt").join(wheel.file_name().unwrap())));
    assert!(said.contains("Debian GNU/Linux 13"), "{said}");
}

/// What the program needs counts as well as what the extension needs.
#[test]
fn one_wheel_is_for_every_python_and_for_old_systems() {
    let Some(wheel) = wheel() else { return };
    let name = wheel.file_name().unwrap().to_str().unwrap();
    let tag = format!("manylinux_2_28_{}", std::env::consts::ARCH);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(name, format!("hostler-{version}-cp39-abi3-{tag}.whl"));
    let shown = succeed(tool("auditwheel").arg("show").arg(&wheel));
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = format!("following platform tag: \"{tag}\"");
    assert!(shown.contains(&expected), "{shown}");
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

/// The wheel was made out of one, so nothing is missing in it.
#[test]
fn two_source_distributions_are_the_same() {
    if wheel().is_none() {
        return;
    }
    let make = "import sys; sys.path.insert(0, 'packaging/wheel'); import backend; print(backend.build_sdist(sys.argv[1]))";
    let [one, other] = [(); 2].map(|()| {
        let directory = tempfile::tempdir().unwrap();
        let mut backend = tool("python");
        backend.args(["-c", make]).arg(directory.path());
        let said = succeed(backend.current_dir(root()));
        let path = directory.path().join(said.lines().last().unwrap());
        succeed(tool("twine").args(["check", "--strict"]).arg(&path));
        fs::read(path).unwrap()
    });
    assert!(one == other, "two of them are not the same");
}
