//! What a worker is when it begins: the modules that it has, its processors, its umask; and what makes it go.

use serde_json::Value;

use crate::support::{
    root,
    site::{Running, Site},
};

fn site() -> Site {
    let app = root().join("tests/apps/preload");
    Site::new(&format!("module = \"app\"\nchdir = {app:?}"))
}

fn answer(site: &Running) -> Value {
    site.get("/").json()
}

/// Names in the order of their imports, each with whether it happened in the worker itself.
#[track_caller]
fn check_order(setting: &str, expected: &[(&str, bool)]) {
    let site = site()
        .app_setting("preload = [\"early\"]\nimport = [\"late\"]")
        .app_setting(setting)
        .start();
    let answer = answer(&site);
    let steps = answer["order"].as_array().unwrap();
    let steps: Vec<(&str, bool)> = steps
        .iter()
        .map(|step| (step[0].as_str().unwrap(), step[1] == answer["pid"]))
        .collect();
    assert_eq!(steps, expected);
}

#[test]
fn modules_are_imported_before_and_after_the_application() {
    check_order(
        "",
        &[
            ("early", false),
            ("app", false),
            ("late", true),
            ("connect", true),
        ],
    );
}

#[test]
fn what_is_preloaded_is_shared_also_where_each_worker_imports_the_application() {
    check_order(
        "lazy-apps = true",
        &[
            ("early", false),
            ("app", true),
            ("late", true),
            ("connect", true),
        ],
    );
}

/// The start fails, and says why.
#[track_caller]
fn check_fails(setting: &str, text: &str) {
    let (mut process, _directory) = site().app_setting(setting).launch();
    process.wait_for_text(text);
    assert!(!process.wait().success());
}

#[test]
fn a_module_that_cannot_be_imported_fails_the_start() {
    check_fails(
        "preload = [\"broken\"]",
        "importing broken (app.preload) failed: RuntimeError: no licence",
    );
    check_fails(
        "import = [\"nowhere\"]",
        "importing nowhere (app.import) failed: ModuleNotFoundError",
    );
}

#[test]
fn the_umask_is_that_of_the_settings() {
    let site = site().setting("service", "umask = \"0137\"").start();
    assert_eq!(answer(&site)["umask"], "0137");
}

#[test]
fn each_worker_has_its_processors() {
    let site = site()
        .setting("workers", "processes = 2\ncpu-affinity = 1")
        .start();
    let mut seen = std::collections::BTreeMap::new();
    let workers = usize::from(rustix::thread::sched_getaffinity(None).unwrap().count() > 1) + 1;
    while seen.len() < 2 {
        let answer = answer(&site);
        let processors = answer["processors"].as_array().unwrap().clone();
        assert_eq!(processors.len(), 1);
        seen.insert(answer["pid"].to_string(), processors[0].to_string());
    }
    let different: std::collections::BTreeSet<&String> = seen.values().collect();
    assert_eq!(different.len(), workers);
}

#[test]
fn an_exception_replaces_the_worker_if_the_settings_say_so() {
    let site = site()
        .setting("workers", "reload-on-exception = true")
        .start();
    let before = answer(&site)["pid"].clone();
    assert_eq!(site.get("/raise").status, 500);
    site.process
        .wait_for_text("a worker is replaced, the application has raised an exception");
    site.wait_until("that the successor serves", || {
        answer(&site)["pid"] != before
    });
}
