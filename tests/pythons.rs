//! One build serves every CPython from 3.9 on that this machine has, with a static or a shared libpython; older ones are
//! refused by name.

use std::{fs, path::Path};

use crate::support::{
    python::{OLDEST, interpreters, supported},
    site::Site,
};

fn bare_site(app: &str, venv: &Path) -> Site {
    Site::app(app)
        .env("TEST_STDLIB_ONLY", "yes")
        .virtualenv(Some(venv))
        .workers(2, 2)
}

#[test]
fn every_interpreter_serves() {
    for interpreter in supported() {
        eprintln!("{interpreter:?}");
        let venv = interpreter.venv();
        let site = bare_site("process", venv.path()).start();
        let seen = site.get("/python").json();
        let (major, minor, patch) = interpreter.version;
        assert_eq!(seen["version"], serde_json::json!([major, minor, patch]));
        assert_eq!(seen["prefix"], venv.path().to_str().unwrap());
        // The extension brings no libpython along: there is one in the process if the interpreter has one.
        let maps = fs::read_to_string(format!("/proc/{}/maps", seen["pid"])).unwrap();
        assert_eq!(maps.contains("/libpython"), interpreter.shared);
    }
}

#[test]
fn every_interpreter_reads_and_writes() {
    for interpreter in supported() {
        eprintln!("{interpreter:?}");
        let venv = interpreter.venv();
        let echo = bare_site("echo", venv.path()).start();
        let body = b"line\n".repeat(100_000);
        for path in ["/all", "/lines"] {
            assert!(
                echo.request("POST", path, &[], &body).body == body,
                "{path}"
            );
        }
        let bodies = bare_site("bodies", venv.path()).start();
        for (path, expected) in [
            ("/list", "list"),
            ("/generator", "generator"),
            ("/iterator", "owniterator"),
        ] {
            assert_eq!(bodies.get(path).text(), expected);
        }
        let raises = bare_site("raises", venv.path()).start();
        assert_eq!(raises.get("/early").status, 500);
        raises
            .process
            .wait_for_text("RuntimeError: raised before start_response");
    }
}

#[test]
fn every_interpreter_shows_its_environ() {
    for interpreter in supported() {
        eprintln!("{interpreter:?}");
        let venv = interpreter.venv();
        for lazy in ["false", "true"] {
            let site = bare_site("environ", venv.path())
                .app_setting(&format!("lazy-apps = {lazy}"))
                .start();
            assert_eq!(site.get("/a%20b?c").json()["PATH_INFO"], "/a b");
        }
    }
}

fn check_refused(venv: &Path, version: &str) {
    let (mut process, _directory) = bare_site("environ", venv).launch();
    process.wait_for("the reason", |line| {
        (line.contains(version) && line.contains("3.9")).then_some(())
    });
    assert_eq!(process.wait().code(), Some(78));
}

#[test]
fn old_interpreters_are_refused() {
    for interpreter in interpreters()
        .into_iter()
        .filter(|interpreter| interpreter.version < OLDEST)
    {
        eprintln!("{interpreter:?}");
        let (major, minor, _) = interpreter.version;
        check_refused(interpreter.venv().path(), &format!("{major}.{minor}."));
    }
}

/// A machine without such a Python still has one that claims to be: `lie` is what it runs first.
fn check_liar_refused(lie: &str, said: &str) {
    let interpreter = supported().next().expect("a Python that we serve");
    let venv = interpreter.venv();
    let (major, minor, _) = interpreter.version;
    let packages = format!("lib/python{major}.{minor}/site-packages");
    fs::write(venv.path().join(packages).join("lie.pth"), lie).unwrap();
    check_refused(venv.path(), said);
}

#[test]
fn an_interpreter_that_says_it_is_old_is_refused() {
    check_liar_refused(
        "import sys; sys.version_info = (3, 8, 18, 'final', 0)\n",
        "3.8.18",
    );
}

#[test]
fn a_free_threaded_interpreter_is_refused() {
    check_liar_refused(
        "import sys; sys.abiflags = 't'\n",
        "a free-threaded build of Python",
    );
}

#[test]
fn another_implementation_is_refused() {
    check_liar_refused("import sys; sys.implementation.name = 'pypy'\n", "pypy 3.");
}
