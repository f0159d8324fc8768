//! Many applications in the same workers: by path, by host, and by what the front server asks for.

use serde_json::Value;

use crate::support::{
    answer::Answer,
    root,
    site::{Running, Site},
};

/// A site whose `[app]` says this; further applications come by [`mount`].
fn site(app: &str) -> Site {
    let directory = root().join("tests/apps/mounted");
    Site::new(&format!("{app}\nchdir = {directory:?}"))
}

/// One more application: a callable of the same module.
fn mount(site: Site, place: &str, callable: &str) -> Site {
    let lines = format!("{place}\nmodule = \"app\"\ncallable = \"{callable}\"");
    site.setting("[mount]", &lines)
}

fn mounted(app: &str) -> Site {
    let site = mount(site(app), "path = \"/blog\"", "blog");
    mount(site, "host = \"admin.test\"", "admin")
}

/// Who answers, SCRIPT_NAME and PATH_INFO.
fn seen(answer: &Answer) -> [String; 3] {
    let seen: Value = answer.json();
    ["name", "SCRIPT_NAME", "PATH_INFO"]
        .map(|key| seen[key].as_str().unwrap_or_default().to_owned())
}

#[track_caller]
fn check(site: &Running, host: &str, path: &str, expected: [&str; 3]) {
    let answer = site.request("GET", path, &[("Host", host)], b"");
    assert_eq!(seen(&answer), expected);
}

#[track_caller]
fn check_packet(site: &Running, path: &str, further: &[(&str, &str)], expected: [&str; 3]) {
    let answer = site.address().uwsgi("GET", path, further, b"");
    assert_eq!(seen(&answer), expected);
}

#[test]
fn paths_and_hosts_choose_the_application() {
    let site = mounted("module = \"app\"").start();
    check(&site, "a.test", "/", ["application", "", "/"]);
    check(&site, "a.test", "/blogs", ["application", "", "/blogs"]);
    check(&site, "a.test", "/blog", ["blog", "/blog", ""]);
    check(&site, "a.test", "/blog/x?y", ["blog", "/blog", "/x"]);
    check(&site, "admin.test:80", "/blog/x", ["admin", "", "/blog/x"]);
    let environ: Value = site.get("/blog/x?y").json();
    assert_eq!(environ["REQUEST_URI"], "/blog/x?y");
}

#[test]
fn each_is_imported_in_each_worker_with_lazy_apps() {
    let site = mounted("module = \"app\"\nlazy-apps = true").start();
    check(&site, "a.test", "/blog/x", ["blog", "/blog", "/x"]);
}

#[test]
fn the_first_mount_is_no_catch_all() {
    let site = mounted("").start();
    check(&site, "a.test", "/blog/x", ["blog", "/blog", "/x"]);
    let answer = site.get("/elsewhere");
    assert_eq!((answer.status, answer.text()), (404, "Not Found".into()));
    site.process.wait_for("who is there", |line| {
        let told = line.contains("no application answers there") && line.contains("/elsewhere");
        (told && line.contains("admin.test/, /blog")).then_some(())
    });
}

#[test]
fn developers_are_told_what_there_is() {
    let site = mounted("")
        .setting("reload", "py-autoreload = true")
        .start();
    let answer = site.get("/elsewhere");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("<li><code>/blog</code></li>"));
}

#[test]
fn a_front_server_that_sends_script_name_has_looked_at_the_path() {
    let site = mounted("module = \"app\"")
        .listen("uwsgi", "./uwsgi.sock")
        .start();
    check_packet(&site, "/blog/x", &[], ["blog", "/blog", "/x"]);
    let script = [("SCRIPT_NAME", "/blog")];
    check_packet(&site, "/x", &script, ["blog", "/blog", "/x"]);
    let outer = [("SCRIPT_NAME", "/outer")];
    check_packet(&site, "/blog/x", &outer, ["blog", "/outer/blog", "/x"]);
}

#[test]
fn a_mount_that_cannot_be_loaded_ends_the_start() {
    let site = mount(site("module = \"app\""), "path = \"/x\"", "blok");
    let (mut process, _directory) = site.launch();
    process.wait_for("the reason", |line| {
        line.contains("app has no `blok`").then_some(())
    });
    assert_eq!(process.wait().code(), Some(1));
}

fn dynamic(allow: &str) -> Running {
    site("")
        .setting("dynamic-apps", &format!("enabled = true\nallow = {allow}"))
        .listen("uwsgi", "./uwsgi.sock")
        .listen("http", "127.0.0.1:0")
        .start()
}

#[test]
fn a_front_server_may_name_what_is_allowed() {
    let site = dynamic("[\"app\", \"app.py\"]");
    let named = |name, value| [(name, value), ("UWSGI_CALLABLE", "admin")];
    check_packet(
        &site,
        "/x",
        &named("UWSGI_MODULE", "app"),
        ["admin", "", "/x"],
    );
    let script = [("UWSGI_SCRIPT", "app:blog"), ("SCRIPT_NAME", "/b")];
    check_packet(&site, "/x", &script, ["blog", "/b", "/x"]);
    let file = root().join("tests/apps/mounted/app.py");
    let file = file.to_str().unwrap();
    check_packet(
        &site,
        "/x",
        &[("UWSGI_FILE", file)],
        ["application", "", "/x"],
    );
}

#[test]
fn what_is_not_allowed_is_not_loaded() {
    let site = dynamic("[\"json\"]");
    let answer = site
        .address()
        .uwsgi("GET", "/", &[("UWSGI_MODULE", "app")], b"");
    assert_eq!(answer.status, 500);
    site.process.wait_for("the reason", |line| {
        line.contains("asks for `app`, which is not in dynamic-apps.allow")
            .then_some(())
    });
}

#[test]
fn a_client_of_http_names_nothing() {
    let site = dynamic("[\"app\"]");
    let headers = [("Uwsgi-Module", "app"), ("UWSGI_MODULE", "app")];
    let answer = site.addresses[1].request("GET", "/", &headers, b"");
    assert_eq!(answer.status, 404);
}
