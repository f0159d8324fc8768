//! Functions that each worker calls before it serves, and the module `hostler`.

use serde_json::{Value, json};

use crate::support::{
    root,
    site::{Running, Site},
};

fn site() -> Site {
    let app = root().join("tests/apps/hooks");
    Site::new(&format!("module = \"app\"\nchdir = {app:?}"))
}

fn answer(site: &Running) -> Value {
    site.get("/").json()
}

/// Which functions were called, each of them in the worker itself.
fn called(answer: &Value) -> Vec<&str> {
    let calls = answer["called"].as_array().unwrap();
    let name = |call: &Value| {
        assert_eq!((&call[1], &call[2]), (&answer["pid"], &json!(0)));
    };
    calls.iter().for_each(name);
    calls.iter().map(|call| call[0].as_str().unwrap()).collect()
}

#[test]
fn functions_are_called_in_order_in_each_worker() {
    let site = site().start();
    let answer = answer(&site);
    assert_eq!(called(&answer), ["first", "second"]);
    assert_ne!(answer["pid"], answer["imported-by"]);
    assert_eq!(answer["at-import"], Value::Null);
}

#[test]
fn the_function_of_the_settings_is_the_last() {
    let site = site().app_setting("post-fork = \"app:setting\"").start();
    assert_eq!(called(&answer(&site)), ["first", "second", "setting"]);
}

#[test]
fn also_where_each_worker_imports_for_itself() {
    let site = site()
        .app_setting("post-fork = \"app:setting\"\nlazy-apps = true")
        .start();
    let answer = answer(&site);
    assert_eq!(called(&answer), ["first", "second", "setting"]);
    assert_eq!(answer["pid"], answer["imported-by"]);
    assert_eq!(answer["at-import"], 0);
}

#[test]
fn the_module_says_what_it_has() {
    let answer = answer(&site().start());
    assert_eq!(answer["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        answer["all"],
        json!([
            "HarakiriError",
            "JournalHandler",
            "postfork",
            "request_id",
            "worker_id"
        ])
    );
    assert_eq!(answer["is-exception"], false);
}

/// The start fails, and says why.
fn check_fails(setting: &str, texts: &[&str]) {
    let (mut process, _directory) = site().app_setting(setting).launch();
    for text in texts {
        process.wait_for_text(text);
    }
    assert!(!process.wait().success());
}

#[test]
fn a_function_that_fails_ends_the_start_with_its_traceback() {
    let texts = [
        "the post-fork function fails() failed: RuntimeError: no database",
        "Traceback (most recent call last):",
    ];
    check_fails("post-fork = \"app:fails\"", &texts);
}

#[test]
fn a_function_that_does_not_exist_is_found_out_before_there_is_a_worker() {
    check_fails(
        "post-fork = \"app:nothing\"",
        &["looking up app:nothing (app.post-fork) failed"],
    );
    check_fails(
        "post-fork = \"app:called\"",
        &["app:called (app.post-fork) cannot be called"],
    );
}
