//! The document names every metric with its type and its labels, and no other; so does the dashboard in the examples.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::{FREE, Family, families_at, metrics_address, site};
use crate::support::root;

/// Type and labels.
type Metrics = BTreeMap<String, (String, Vec<String>)>;

/// Labels that belong to the type.
const OF_THE_TYPE: &str = "le";

fn served() -> Vec<Family> {
    let site = site("metrics", FREE).workers(2, 2).start();
    site.get("/");
    families_at(&metrics_address(&site))
}

fn described(family: &Family) -> (String, (String, Vec<String>)) {
    let mut labels = Vec::new();
    for (_, of_sample, _) in &family.samples {
        labels.extend(of_sample.keys().cloned());
    }
    labels.sort_unstable();
    labels.dedup();
    labels.retain(|label| label != OF_THE_TYPE);
    (family.name.clone(), (family.kind.clone(), labels))
}

/// The rows of the table.
fn documented() -> Metrics {
    let text = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows = text.lines().filter_map(|line| {
        let row = line.strip_prefix("| `hostler_").map(|_| &line[1..])?;
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let name = cells[0].trim_matches('`');
        let labels = cells[2].split(", ").map(|label| label.trim_matches('`'));
        let labels = labels.filter(|label| !label.is_empty());
        let mut labels: Vec<String> = labels.map(str::to_owned).collect();
        labels.sort_unstable();
        Some((name.to_owned(), (cells[1].to_owned(), labels)))
    });
    rows.collect()
}

#[test]
fn every_metric_is_documented_and_every_documented_one_is_served() {
    let served: Metrics = served().iter().map(described).collect();
    assert_eq!(served, documented());
}

#[test]
fn names_end_with_their_unit_and_values_are_there() {
    for Family {
        name,
        unit,
        samples,
        ..
    } in served()
    {
        assert!(!samples.is_empty(), "{name}");
        let bare = name.trim_end_matches("_total");
        assert!(bare.ends_with(&unit), "{name}: {unit}");
        for known in ["seconds", "bytes", "ratio"] {
            assert_eq!(
                bare.ends_with(&format!("_{known}")),
                unit == known,
                "{name}"
            );
        }
    }
}

/// Every query of a dashboard, at whatever depth.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().for_each(|entry| queries(entry, found)),
        Value::Object(map) => {
            for (key, entry) in map {
                match (key.as_str(), entry) {
                    ("expr" | "query" | "definition", Value::String(text)) => {
                        found.push(text.clone());
                    }
                    _ => queries(entry, found),
                }
            }
        }
        _ => {}
    }
}

/// The metrics that a query names, without what histograms add.
fn named(query: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = query.split(|c| !is_part(c));
    let names = words.filter(|word| word.starts_with("hostler_"));
    let base = |name: &str| {
        let suffixes = ["_bucket", "_count", "_sum"].into_iter();
        let histogram = suffixes
            .filter_map(|suffix| name.strip_suffix(suffix))
            .next();
        histogram.unwrap_or(name).to_owned()
    };
    names.map(base).collect()
}

#[test]
fn the_dashboard_and_the_document_ask_for_what_exists() {
    let documented = documented();
    let directory = root().join("examples/grafana");
    let text = fs::read_to_string(directory.join("hostler.json")).unwrap();
    let mut found = Vec::new();
    queries(&serde_json::from_str(&text).unwrap(), &mut found);
    assert!(found.len() > 10, "{found:?}");
    let page = fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    found.push(page);
    for name in found.iter().flat_map(|query| named(query)) {
        assert!(documented.contains_key(&name), "{name}");
    }
}
