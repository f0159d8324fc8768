//! Configurations of nginx, and what there is to say of them for a site.

use std::fs;

use super::*;
use crate::doctor::entry::lines;

/// For a site with these listeners, `PROTOCOL ADDRESS`; the configuration lies in `FILE`.
#[track_caller]
fn check(listens: &[&str], text: &str, expected: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("nginx.conf");
    fs::write(&file, text).unwrap();
    let listens: Vec<Listen> = listens
        .iter()
        .map(|listen| {
            let (protocol, address) = listen.split_once(' ').unwrap();
            Listen {
                protocol: serde_json::from_value(protocol.into()).unwrap(),
                ..Listen::at(address.parse().unwrap())
            }
        })
        .collect();
    let passes = passes::passes(&syntax::read(&file));
    let found = lines(&judge("shop", &listens, &passes));
    let found: Vec<String> = found
        .iter()
        .map(|line| line.replace(&file.display().to_string(), "FILE"))
        .collect();
    assert_eq!(found, expected);
}

/// A server with this in its location.
fn location(text: &str) -> String {
    format!("http {{ server {{ listen 80; location / {{\n{text}\n}} }} }}")
}

const SOCKET: &str = "uwsgi /run/hostler/shop.sock";

#[test]
fn the_right_pass_is_good() {
    check(
        &[SOCKET],
        &location("uwsgi_param A b; uwsgi_pass unix:/run/hostler/shop.sock;"),
        &["Good nginx: FILE:2 passes requests to /run/hostler/shop.sock, uwsgi"],
    );
    check(
        &["http 127.0.0.1:8000"],
        &location("proxy_pass http://localhost:8000/;"),
        &["Good nginx: FILE:2 passes requests to 127.0.0.1:8000, http"],
    );
    check(
        &["http /run/hostler/shop.sock"],
        &location("proxy_pass http://unix:/run/hostler/shop.sock:;"),
        &["Good nginx: FILE:2 passes requests to /run/hostler/shop.sock, http"],
    );
    let upstream = "upstream shop { server unix:/run/hostler/shop.sock; }\n";
    check(
        &[SOCKET],
        &format!(
            "http {{ {upstream} uwsgi_param A b;\nserver {{ location / {{ uwsgi_pass shop; }} }} }}"
        ),
        &["Good nginx: FILE:3 passes requests to /run/hostler/shop.sock, uwsgi"],
    );
}

#[test]
fn another_protocol_is_the_classic_mistake() {
    check(
        &[SOCKET],
        &location("proxy_pass http://unix:/run/hostler/shop.sock;"),
        &[
            "Wrong nginx: FILE:2 has proxy_pass to /run/hostler/shop.sock, where uwsgi is spoken \
           -> write there `include uwsgi_params; uwsgi_pass unix:/run/hostler/shop.sock;`, then: systemctl reload nginx",
        ],
    );
    check(
        &["http 127.0.0.1:8000"],
        &location("uwsgi_pass 127.0.0.1:8000;"),
        &[
            "Wrong nginx: FILE:2 has uwsgi_pass to 127.0.0.1:8000, where http is spoken \
           -> write there `proxy_pass http://127.0.0.1:8000;`, then: systemctl reload nginx",
        ],
    );
    check(
        &[SOCKET],
        &location("uwsgi_pass unix:/run/hostler/shop.sock;"),
        &[
            "Wrong nginx: FILE:2 has uwsgi_pass to /run/hostler/shop.sock without the variables of a request \
           -> write above it `include uwsgi_params;`, then: systemctl reload nginx",
        ],
    );
}

#[test]
fn another_path_is_the_other_one() {
    check(
        &[SOCKET],
        &location("uwsgi_pass unix:/run/shop/shop.sock;"),
        &[
            "Wrong nginx: FILE:2 passes requests to /run/shop/shop.sock, and the site listens on /run/hostler/shop.sock \
           -> write there `include uwsgi_params; uwsgi_pass unix:/run/hostler/shop.sock;`, then: systemctl reload nginx",
        ],
    );
    check(
        &[SOCKET],
        &location("proxy_pass http://127.0.0.1:9000;"),
        &[
            "Warning nginx: /etc/nginx/nginx.conf and what it includes pass no request to /run/hostler/shop.sock \
           -> write into a location of the site `include uwsgi_params; uwsgi_pass unix:/run/hostler/shop.sock;`, \
           then: systemctl reload nginx",
        ],
    );
    check(&["https :443"], &location("return 404;"), &[]);
}

#[test]
fn an_nginx_that_does_not_run_is_told() {
    let said = |text| state(&Unit::parse(text)).map(|entry| entry.message);
    let rests = said("LoadState=loaded\nActiveState=failed");
    assert_eq!(rests.as_deref(), Some("nginx.service is failed"));
    assert_eq!(said("LoadState=loaded\nActiveState=active"), None);
    assert_eq!(said("LoadState=not-found\nActiveState=inactive"), None);
}
