//! A WebDAV server as the application (WsgiDAV), and litmus, a client that tries everything: methods that browsers do not
//! have, bodies of methods that usually have none, `Expect: 100-continue`, and headers that name other URLs.

use std::process::Command;

use tempfile::TempDir;

use crate::support::{
    address::Address,
    certificates::succeed,
    nginx::{Backend, Nginx},
    site::{Running, Site},
};

/// A site with an empty collection; locks are kept in its one process.
fn site(root: &TempDir) -> Running {
    Site::app("webdav")
        .bare()
        .env("DAV_ROOT", root.path().to_str().unwrap())
        .workers(1, 4)
        .listen("http", "127.0.0.1:0")
        .listen("uwsgi", "127.0.0.1:0")
        .start()
}

/// Each of its groups says how many of its tests have passed.
#[track_caller]
fn check(address: &Address) {
    let logs = tempfile::tempdir().unwrap();
    let mut litmus = Command::new("litmus");
    let url = format!("http://{}/", address.0);
    let output = succeed(litmus.arg(url).current_dir(&logs));
    let told = String::from_utf8_lossy(&output.stdout);
    let groups = ["basic", "copymove", "props", "locks", "http"];
    for group in groups {
        let summary = told
            .lines()
            .find(|line| line.contains(&format!("summary for `{group}'")));
        let all_have = summary.is_some_and(|line| line.contains(" 0 failed"));
        assert!(all_have, "{group}: {told}");
    }
}

#[test]
fn a_client_of_webdav_is_content() {
    let root = tempfile::tempdir().unwrap();
    check(site(&root).address());
}

#[test]
fn a_client_of_webdav_is_content_behind_nginx() {
    let root = tempfile::tempdir().unwrap();
    let site = site(&root);
    let [http, uwsgi] = [0, 1].map(|number| site.addresses[number].clone());
    // A URL in `Destination` has the port that Debian's `$host` leaves out.
    let by_uwsgi = format!(
        "server {{ listen 80; location / {{ include uwsgi_params; uwsgi_param HTTP_HOST $http_host; \
         uwsgi_pass {}; }} }}\n",
        uwsgi.0
    );
    let nginx = Nginx::before(&[Backend::Proxy(http), Backend::Servers(by_uwsgi)]);
    nginx.fronts.iter().for_each(check);
}
