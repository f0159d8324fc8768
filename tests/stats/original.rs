//! The same fields as those of uWSGI's own stats server, at every depth, while a request runs.

use std::{collections::BTreeSet, path::Path, thread};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::Value;

use super::{FREE, Held, site, stats, stats_at};
use crate::support::{peer::Uwsgi, root, site::Running};

/// Fields that uWSGI has and hostler has not; docs/stats.md says why.
const MISSING: &[&str] = &[
    "/locks//cron",
    "/locks//filemon",
    "/locks//rbtimer",
    "/locks//rpc",
    "/locks//signal",
    "/locks//snmp",
    "/locks//timer",
    "/locks//user 0",
];

/// The path of every field, entries of lists without their number; with the kind of its value.
fn fields(value: &Value, path: &str, found: &mut BTreeSet<(String, &'static str)>) {
    let kind = match value {
        Value::Array(_) => "list",
        Value::Number(number) if number.is_u64() => "whole number",
        Value::Object(_) => "object",
        Value::String(_) => "string",
        _ => "something else",
    };
    found.insert((path.to_owned(), kind));
    match value {
        Value::Array(list) => list
            .iter()
            .for_each(|entry| fields(entry, &format!("{path}/"), found)),
        Value::Object(map) => map
            .iter()
            .for_each(|(key, entry)| fields(entry, &format!("{path}/{key}"), found)),
        _ => {}
    }
}

fn all_fields(value: &Value) -> BTreeSet<(String, &'static str)> {
    let mut found = BTreeSet::new();
    fields(value, "", &mut found);
    found
}

fn of_hostler() -> Value {
    let site: Running = site("process", FREE).workers(1, 2).start();
    let held = Held::begin(&site);
    let stats = stats(&site);
    held.end();
    stats
}

/// Its output is not ours to wait for; the request is seen when its client is.
fn of_uwsgi() -> Value {
    let directory = tempfile::tempdir().unwrap();
    let fifo = directory.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let uwsgi = Uwsgi::start("process");
    let (address, target) = (uwsgi.http.clone(), format!("/wait?{}", fifo.display()));
    let client = thread::spawn(move || address.get(&target).status);
    // It opens when the application reads the other end.
    let writer = std::fs::File::create(&fifo).unwrap();
    let stats = stats_at(&uwsgi.stats);
    drop(writer);
    assert_eq!(client.join().unwrap(), 200);
    stats
}

#[test]
fn the_fields_are_those_of_uwsgi() {
    let (ours, original) = (all_fields(&of_hostler()), all_fields(&of_uwsgi()));
    let added: Vec<_> = ours.difference(&original).collect();
    assert!(added.is_empty(), "{added:?}");
    let missing = original.difference(&ours).map(|(path, _)| path.as_str());
    // The entries of an empty list have no kind.
    let missing: Vec<&str> = missing.filter(|path| *path != "/locks/").collect();
    assert_eq!(missing, MISSING);
}

#[test]
fn what_is_missing_is_documented() {
    let page: &Path = &root().join("docs/stats.md");
    let text = std::fs::read_to_string(page).unwrap();
    for path in MISSING {
        let name = path.rsplit('/').next().unwrap();
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}
