//! What a reload follows (links, virtual environments, interpreters), and what asks for one (files that are touched).
//!
//! What a reload does to requests and workers is in `process::reload`.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

use crate::support::{
    python::{Interpreter, interpreters},
    site::{Running, Site, serves},
};

/// An application in one file, which answers so.
fn application(answer: &str) -> String {
    format!(
        "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'{answer}']\n"
    )
}

/// A directory with one release each, of applications that answer with its name.
fn releases(names: &[&str]) -> TempDir {
    let directory = tempfile::Builder::new()
        .prefix("hostler-releases-")
        .tempdir()
        .unwrap();
    for name in names {
        let release = directory.path().join(name);
        fs::create_dir(&release).unwrap();
        fs::write(release.join("app.py"), application(name)).unwrap();
    }
    directory
}

/// Points a link elsewhere as deployments do, in one step.
fn point(link: &Path, target: &Path) {
    let next = link.with_extension("next");
    symlink(target, &next).unwrap();
    fs::rename(next, link).unwrap();
}

fn reload(site: &Running) {
    let output = site.control(&["reload"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Waits until the `nth` generation serves.
fn wait_for_generation(site: &Running, nth: usize) {
    site.process
        .wait_for_nth("that the next generation serves", nth, |line| {
            serves(line).then_some(())
        });
}

#[test]
fn the_link_to_the_current_release_is_followed() {
    let directory = releases(&["one", "two"]);
    let current = directory.path().join("current");
    for lazy in ["false", "true"] {
        point(&current, Path::new("one"));
        let site = Site::new(&format!("module = \"app\"\nchdir = {current:?}"))
            .app_setting(&format!("lazy-apps = {lazy}"))
            .start();
        assert_eq!(site.get("/").text(), "one");
        point(&current, Path::new("two"));
        assert_eq!(site.get("/").text(), "one");
        reload(&site);
        assert_eq!(site.get("/").text(), "two");
    }
}

#[test]
fn a_release_that_is_gone_keeps_the_one_that_serves() {
    let directory = releases(&["one"]);
    let current = directory.path().join("current");
    point(&current, Path::new("one"));
    let site = Site::new(&format!("module = \"app\"\nchdir = {current:?}")).start();
    point(&current, Path::new("nothing"));
    let output = site.control(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("current"),
        "{output:?}"
    );
    assert_eq!(site.get("/").text(), "one");
    point(&current, Path::new("one"));
    reload(&site);
}

fn python_site(virtualenv: &Path) -> Site {
    Site::app("process")
        .env("TEST_STDLIB_ONLY", "yes")
        .virtualenv(Some(virtualenv))
        .workers(2, 2)
}

/// The site runs in this environment, with its interpreter.
#[track_caller]
fn check_python(site: &Running, interpreter: &Interpreter, prefix: &Path) {
    let seen = site.get("/python").json();
    let (major, minor, patch) = interpreter.version;
    assert_eq!(seen["version"], serde_json::json!([major, minor, patch]));
    assert_eq!(seen["prefix"], prefix.to_str().unwrap());
}

#[test]
fn every_other_interpreter_takes_over() {
    let supported = interpreters()
        .into_iter()
        .filter(|interpreter| interpreter.version >= (3, 9, 0));
    let all: Vec<(Interpreter, TempDir)> = supported
        .map(|interpreter| (interpreter.clone(), interpreter.venv()))
        .collect();
    let site = python_site(all[0].1.path()).start();
    for (interpreter, venv) in all.iter().chain(&all[..1]) {
        eprintln!("{interpreter:?}");
        site.rewrite(&python_site(venv.path()));
        reload(&site);
        check_python(&site, interpreter, venv.path());
    }
}

#[test]
fn a_virtual_environment_in_the_place_of_another_takes_over() {
    let interpreter = interpreters().pop().unwrap();
    let (one, two) = (interpreter.venv(), interpreter.venv());
    for (venv, answer) in [(&one, "1"), (&two, "2")] {
        let (major, minor, _) = interpreter.version;
        let packages = format!("lib/python{major}.{minor}/site-packages/of_the_venv.py");
        fs::write(venv.path().join(packages), format!("ANSWER = '{answer}'\n")).unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let (app, venv) = (
        directory.path().join("app.py"),
        directory.path().join("venv"),
    );
    let text = format!("import of_the_venv\n{}", application("ANSWER"));
    fs::write(
        &app,
        text.replace("b'ANSWER'", "of_the_venv.ANSWER.encode()"),
    )
    .unwrap();
    point(&venv, one.path());
    let site = Site::new(&format!("file = {app:?}"))
        .virtualenv(Some(&venv))
        .start();
    assert_eq!(site.get("/").text(), "1");
    point(&venv, two.path());
    reload(&site);
    assert_eq!(site.get("/").text(), "2");
}

/// A site with an application of its own, and a file that asks for something. None of it exists before `prepare`.
fn touched(key: &str, name: &str, prepare: impl Fn(&Path)) -> (Running, TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(name);
    prepare(&file);
    let site = Site::app("process")
        .setting("reload", &format!("{key} = [{file:?}]"))
        .start();
    (site, directory, file)
}

/// Gives the file a later time, a second for each `nth`.
fn touch(file: &Path, nth: u64) {
    let time = SystemTime::now() + Duration::from_secs(nth);
    File::options()
        .write(true)
        .open(file)
        .unwrap()
        .set_modified(time)
        .unwrap();
}

#[test]
fn a_file_that_comes_is_touched_and_goes_reloads_each_time() {
    for key in ["touch-reload", "touch-chain-reload"] {
        let (site, _directory, file) = touched(key, "later/reload.me", |_| {});
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::write(&file, "").unwrap();
        wait_for_generation(&site, 2);
        touch(&file, 1);
        wait_for_generation(&site, 3);
        fs::remove_file(&file).unwrap();
        wait_for_generation(&site, 4);
    }
}

#[test]
fn other_files_are_watched_when_the_settings_say_so() {
    let (site, directory, file) =
        touched("touch-reload", "one", |file| fs::write(file, "").unwrap());
    let other = directory.path().join("two");
    site.rewrite(&Site::app("process").setting("reload", &format!("touch-reload = [{other:?}]")));
    touch(&file, 1);
    wait_for_generation(&site, 2);
    fs::write(&other, "").unwrap();
    wait_for_generation(&site, 3);
}

#[test]
fn workers_are_replaced_without_a_new_import() {
    let (site, _directory, file) = touched("touch-workers-reload", "workers.me", |file| {
        fs::write(file, "").unwrap()
    });
    let before = site.get("/pid").json();
    touch(&file, 1);
    site.wait_until("another worker answers", || {
        site.get("/pid").json()["pid"] != before["pid"]
    });
    assert_eq!(
        site.get("/pid").json()["imported-by"],
        before["imported-by"]
    );
}

#[test]
fn the_log_is_opened_anew() {
    let (site, _directory, file) = touched("touch-logreopen", "log.me", |file| {
        fs::write(file, "").unwrap()
    });
    touch(&file, 1);
    site.process.wait_for_text("opened anew");
    site.process.signal(rustix::process::Signal::USR1);
    site.process.wait_for_nth("the second time", 2, |line| {
        line.contains("opened anew").then_some(())
    });
}

#[test]
fn saved_code_is_loaded_in_development() {
    let directory = releases(&["one"]);
    let chdir = directory.path().join("one");
    let site = Site::new(&format!("module = \"app\"\nchdir = {chdir:?}"))
        .setting("reload", "py-autoreload = true")
        .start();
    fs::write(chdir.join("app.py"), application("saved")).unwrap();
    wait_for_generation(&site, 2);
    assert_eq!(site.get("/").text(), "saved");
    fs::write(chdir.join("app.py"), "raise LookupError('half written')\n").unwrap();
    site.process.wait_for_text("LookupError: half written");
    assert_eq!(site.get("/").text(), "saved");
    fs::write(chdir.join("app.py"), application("whole")).unwrap();
    wait_for_generation(&site, 3);
    assert_eq!(site.get("/").text(), "whole");
}
