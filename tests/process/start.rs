//! How the application is found and loaded, and what is said when it cannot be.

use std::{fs, path::Path};

use crate::support::{root, site::Site, venv};

use super::{Held, pid, site};

/// The start fails with these texts in the log, and not with code 0.
fn check_fails(site: &Site, texts: &[&str]) {
    let (mut process, _directory) = site.launch();
    for text in texts {
        process.wait_for_text(text);
    }
    assert!(
        process.wait().code().is_some_and(|code| code != 0),
        "{}",
        process.output()
    );
}

#[test]
fn an_application_that_cannot_be_imported_ends_the_start_with_its_traceback() {
    let texts = [
        "Traceback (most recent call last):",
        "in deep",
        "LookupError: this application cannot be imported",
    ];
    check_fails(&Site::app("broken"), &texts);
    check_fails(&Site::app("broken").app_setting("lazy-apps = true"), &texts);
}

#[test]
fn a_module_that_does_not_exist() {
    check_fails(
        &Site::new("module = \"nowhere.wsgi\""),
        &["there is no module nowhere"],
    );
}

#[test]
fn a_file_that_does_not_exist() {
    check_fails(
        &Site::new("file = \"/nowhere/app.py\""),
        &["/nowhere/app.py"],
    );
}

#[test]
fn a_callable_that_is_none() {
    check_fails(&callable("aplication"), &["aplication", "application"]);
    check_fails(&callable("name"), &["name"]);
    check_fails(&callable("name()"), &["name"]);
}

/// Another name of `tests/apps/entry.py`.
fn callable(name: &str) -> Site {
    let apps = root().join("tests/apps");
    Site::new(&format!("module = \"entry:{name}\"\nchdir = {apps:?}")).env("TEST_APP", "process")
}

#[test]
fn virtual_environments_that_are_none() {
    check_fails(
        &site().virtualenv(Some(Path::new("/nowhere/venv"))),
        &["/nowhere/venv"],
    );
    check_fails(&site().virtualenv(Some(Path::new("/usr"))), &["/usr"]);
}

/// The callable under each of the ways to name it, in a file of its own.
fn check_found(app: &str) {
    let directory = tempfile::tempdir().unwrap();
    let source = "class Holder:\n    @staticmethod\n    def inner(environ, start_response):\n        start_response('200 OK', [])\n        \
                  return [b'found']\n\napplication = other = Holder.inner\nholder = Holder()\n\ndef factory():\n    return other\n";
    fs::write(directory.path().join("found.py"), source).unwrap();
    let app = app.replace("DIR", directory.path().to_str().unwrap());
    assert_eq!(Site::new(&app).start().get("/").text(), "found", "{app}");
}

#[test]
fn ways_to_name_the_callable() {
    check_found("file = \"DIR/found.py\"");
    check_found("chdir = \"DIR\"\nfile = \"found.py\"\ncallable = \"other\"");
    check_found("chdir = \"DIR\"\nmodule = \"found\"");
    check_found("python-path = [\"DIR\"]\nmodule = \"found:other\"");
    check_found("chdir = \"DIR\"\nmodule = \"found:holder.inner\"");
    check_found("chdir = \"DIR\"\nmodule = \"found:factory()\"");
}

/// An application of these lines is refused as one that is not WSGI.
fn check_asgi(lines: &str) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("found.py"), lines).unwrap();
    let site = Site::new(&format!(
        "chdir = {:?}\nmodule = \"found\"",
        directory.path()
    ));
    check_fails(&site, &["application in found is an ASGI application"]);
}

#[test]
fn an_asgi_application_is_told_apart() {
    let function = "async def application(scope, receive, send): pass\n";
    let method = "class App:\n    async def __call__(self, scope, receive, send): pass\n";
    check_asgi(function);
    check_asgi(&format!("{method}application = App()"));
    check_asgi(&format!("{method}application = App().__call__"));
    check_asgi(&format!(
        "{function}import functools\napplication = functools.partial(application)"
    ));
}

#[test]
fn an_application_finds_no_modules_loaded_but_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let source = "import sys\ndef application(environ, start_response):\n    start_response('200 OK', [])\n    \
                  return [' '.join(sys.modules).encode()]\n";
    fs::write(directory.path().join("found.py"), source).unwrap();
    let app = format!("chdir = {:?}\nmodule = \"found\"", directory.path());
    let loaded = Site::new(&app).workers(1, 1).start().get("/").text();
    // Each of these brings in many others, and all workers would have them.
    let heavy = ["enum", "inspect", "json", "re", "threading", "traceback"];
    let mut loaded = loaded.split(' ');
    assert_eq!(loaded.find(|name| heavy.contains(name)), None);
}

#[test]
fn the_application_gets_its_surroundings() {
    let site = site()
        .env("SOME_NAME", "some value")
        .app_setting("argv = [\"one\", \"two\"]\npython-path = [\"/first\", \"/second\"]")
        .start();
    assert_eq!(site.get("/env/SOME_NAME").json(), "some value");
    assert_eq!(
        site.get("/argv").json().as_array().unwrap()[1..],
        ["one", "two"]
    );
    let path = site.get("/path").json();
    let apps = root().join("tests/apps");
    assert_eq!(
        path.as_array().unwrap()[..3],
        [apps.to_str().unwrap(), "/first", "/second"]
    );
}

#[test]
fn the_interpreter_is_that_of_the_virtual_environment() {
    let seen = site().start().get("/python").json();
    assert_eq!(seen["prefix"], venv().to_str().unwrap());
    assert!(
        seen["executable"]
            .as_str()
            .unwrap()
            .starts_with(venv().to_str().unwrap()),
        "{seen}"
    );
    assert_eq!(seen["cwd"], root().join("tests/apps").to_str().unwrap());
}

#[test]
fn without_one_it_is_python3_on_path() {
    let site = site()
        .env("TEST_STDLIB_ONLY", "yes")
        .virtualenv(None)
        .start();
    assert_ne!(
        site.get("/python").json()["prefix"],
        venv().to_str().unwrap()
    );
}

#[test]
fn the_application_is_imported_once_and_workers_are_forked() {
    let site = site().workers(2, 1).start();
    let seen = site.get("/pid").json();
    assert_ne!(seen["imported-by"], seen["pid"]);
    assert_eq!(
        seen["parent"],
        site.process.pid(),
        "workers are the supervisor's children"
    );
}

#[test]
fn lazy_apps_are_imported_by_each_worker() {
    let seen = site()
        .app_setting("lazy-apps = true")
        .workers(2, 1)
        .start()
        .get("/pid")
        .json();
    assert_eq!(seen["imported-by"], seen["pid"]);
}

#[test]
fn as_many_processes_as_the_settings_say() {
    let site = site().workers(3, 1).start();
    let held = (1..=3)
        .map(|nth| Held::begin_nth(&site, nth))
        .collect::<Vec<_>>();
    let mut pids: Vec<_> = held
        .into_iter()
        .map(|held| held.end()["pid"].as_u64().unwrap())
        .collect();
    pids.sort_unstable();
    pids.dedup();
    assert_eq!(pids.len(), 3);
}

#[test]
fn as_many_threads_as_the_settings_say() {
    let site = site().workers(1, 3).start();
    let held = (1..=2)
        .map(|nth| Held::begin_nth(&site, nth))
        .collect::<Vec<_>>();
    let pid = pid(&site);
    assert!(held.into_iter().all(|held| held.end()["pid"] == pid));
}

#[test]
fn threads_at_import_are_refused_by_name() {
    check_fails(&Site::app("threads"), &["started-at-import"]);
}

#[test]
fn unless_the_site_allows_them() {
    for setting in ["fork-with-threads = true", "lazy-apps = true"] {
        assert_eq!(
            Site::app("threads")
                .app_setting(setting)
                .start()
                .get("/")
                .text(),
            "forked anyway"
        );
    }
}

/// What a program that the application starts would inherit: what hostler itself was started with, and no more.
#[test]
fn descriptors_are_close_on_exec() {
    let site = site()
        .listen("http", "127.0.0.1:0")
        .listen("uwsgi", "./uwsgi.sock")
        .workers(2, 2)
        .start();
    let seen = site.get("/fds").json();
    let lines = seen.as_array().unwrap().iter();
    let inherited: Vec<&str> = lines
        .map(|line| line.as_str().unwrap())
        // ls itself has opened the directory that it lists.
        .filter(|line| !line.contains("/proc/"))
        .filter(|line| !is_inherited_by_the_tests(line.split(' ').next().unwrap()))
        .collect();
    assert_eq!(inherited.len(), 3, "{inherited:#?}");
}

/// Whether whoever runs the tests left this descriptor open for every child.
fn is_inherited_by_the_tests(descriptor: &str) -> bool {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i64::from_str_radix(flags.trim(), 8).ok());
    let is_standard = ["0", "1", "2"].contains(&descriptor);
    !is_standard && flags.is_some_and(|flags| flags & i64::from(libc::O_CLOEXEC) == 0)
}

#[test]
fn an_import_that_takes_too_long_ends_the_start() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("slow.py"),
        "import threading\nthreading.Event().wait(600)\n",
    )
    .unwrap();
    let app = format!("module = \"slow\"\nchdir = {:?}", directory.path());
    check_fails(
        &Site::new(&app).setting("timeouts", "start = \"500ms\""),
        &["start"],
    );
}

/// More than a message to a zygote can hold in one piece.
#[test]
fn settings_may_be_long() {
    let routes = (0..2000).fold(Site::app("echo"), |site, number| {
        let route = format!("path = \"^/old/{number}$\"\nredirect = \"/new/{number}\"");
        site.setting("[route]", &route)
    });
    let site = routes.start();
    assert_eq!(site.get("/old/1999").status, 302);
}
