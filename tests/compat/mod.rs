//! The same requests to uWSGI and to hostler: what the application sees and what the client gets, compared.
//!
//! `requests`: what is asked; `differences`: where we differ on purpose, and why. A difference that is not in the table
//! fails; so does a row of the table that no request shows any more.

mod differences;
mod requests;

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{
    address::Address,
    answer,
    peer::Uwsgi,
    site::{Running, Site},
    uwsgi,
};

use differences::DIFFERENCES;
use requests::{REQUESTS, Request};

/// Everything that is compared of one answer: a name, and the value there.
type Traits = BTreeMap<String, String>;

/// One difference that was seen: the request, what differs, in uWSGI and in hostler.
type Seen = (String, String, Option<String>, Option<String>);

#[test]
fn answers_and_environs_are_uwsgis() {
    let seen: Vec<Seen> = ["environ", "echo", "bodies", "headers", "raises"]
        .into_iter()
        .flat_map(compare_app)
        .collect();
    let known = |seen: &Seen| {
        DIFFERENCES
            .iter()
            .position(|known| known.covers(&seen.0, &seen.1))
    };
    let unknown: Vec<String> = seen
        .iter()
        .filter(|seen| known(seen).is_none())
        .map(|seen| format!("{seen:?}"))
        .collect();
    assert!(
        unknown.is_empty(),
        "differences (request, what, uWSGI, hostler) that no row explains: {unknown:#?}"
    );
    let used: BTreeSet<usize> = seen.iter().filter_map(known).collect();
    let unused: Vec<_> = DIFFERENCES
        .iter()
        .enumerate()
        .filter(|(row, _)| !used.contains(row))
        .collect();
    assert!(
        unused.is_empty(),
        "rows of the table that no request shows any more: {unused:#?}"
    );
}

#[test]
fn pings_are_answered_alike() {
    let theirs = Uwsgi::start("echo");
    let ours = Site::app("echo").listen("uwsgi", "./uwsgi.sock").start();
    let pong = |address: &Address| {
        let mut client = address.connect();
        client.send(&uwsgi::raw_packet(100, 0, b""));
        client.rest()
    };
    assert_eq!(pong(&theirs.uwsgi), pong(ours.address()));
}

fn compare_app(app: &str) -> Vec<Seen> {
    let theirs = Uwsgi::start(app);
    let ours = Site::app(app)
        .bare()
        .workers(1, 2)
        .listen("http", "127.0.0.1:0")
        .listen("uwsgi", "./uwsgi.sock")
        .start();
    let mine = REQUESTS.iter().filter(|request| request.app == app);
    mine.flat_map(|request| compare(request, &theirs, &ours))
        .collect()
}

fn compare(request: &Request, theirs: &Uwsgi, ours: &Running) -> Vec<Seen> {
    let (their_address, our_address, bytes) = match request.uwsgi {
        true => (&theirs.uwsgi, &ours.addresses[1], request.packet()),
        false => (&theirs.http, &ours.addresses[0], request.bytes()),
    };
    let theirs = traits_of(their_address, &bytes);
    let ours = traits_of(our_address, &bytes);
    let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
    names
        .into_iter()
        .filter(|name| theirs.get(*name) != ours.get(*name))
        .map(|name| {
            (
                request.name.to_owned(),
                name.clone(),
                theirs.get(name).cloned(),
                ours.get(name).cloned(),
            )
        })
        .collect()
}

/// Sends the bytes on a connection of their own, and takes apart what comes back.
fn traits_of(address: &Address, bytes: &[u8]) -> Traits {
    let mut connection = address.connect();
    connection.send(bytes);
    connection.finish_sending();
    let received = connection.rest();
    let mut traits = Traits::new();
    if received.is_empty() {
        traits.insert("status line".into(), "no answer".into());
        return traits;
    }
    let answer = answer::parse(&received);
    traits.insert(
        "status line".into(),
        format!("{} {} {}", answer.version, answer.status, answer.reason),
    );
    if answer.status == 500 {
        // The error page of a server says no more than its status.
        return traits;
    }
    for (name, _) in &answer.headers {
        let values: Vec<&str> = answer.headers(name).collect();
        let value = if name == "Date" {
            "a date".into()
        } else {
            values.join(" | ")
        };
        traits.insert(format!("header {}", name.to_lowercase()), value);
    }
    let port = address.0.rsplit(':').next().unwrap_or_default();
    match serde_json::from_slice::<BTreeMap<String, String>>(&answer.body) {
        Ok(environ) => {
            // The length of an environ says nothing that the environ does not.
            traits.remove("header content-length");
            traits.extend(
                environ.iter().map(|(name, value)| {
                    (format!("environ {name}"), comparable(name, value, port))
                }),
            );
        }
        Err(_) => _ = traits.insert("body".into(), answer.text()),
    }
    traits
}

/// A value without what cannot be the same in two servers.
fn comparable(name: &str, value: &str, port: &str) -> String {
    match name {
        "SERVER_PORT" | "HTTP_HOST" => value.replace(port, "PORT"),
        "REMOTE_PORT" => "a port".into(),
        "uwsgi.core" => "a thread".into(),
        _ if value.starts_with('<') => "an object".into(),
        _ => value.to_owned(),
    }
}
