//! The schema says of each key what the loader says of it.
//!
//! A validator of our own, for the words that our schema uses; it knows no others, so that none is passed over.

use std::path::Path;

use serde_json::Map;

use super::*;
use crate::config::{Settings, keys::sections, parse, shape};

fn schema() -> Value {
    json_schema().to_value()
}

/// Follows references.
fn resolved<'s>(root: &'s Value, schema: &'s Value) -> &'s Value {
    match schema.get("$ref").and_then(Value::as_str) {
        Some(path) => resolved(root, root.pointer(path.trim_start_matches('#')).unwrap()),
        None => schema,
    }
}

/// What a section, by its path, may hold.
fn properties<'s>(root: &'s Value, path: &[&str]) -> &'s Map<String, Value> {
    let section = path.iter().fold(root, |section, key| {
        let value = resolved(root, &section["properties"][key]);
        match value.get("items") {
            Some(items) => resolved(root, items),
            None => value,
        }
    });
    section["properties"].as_object().unwrap()
}

#[test]
fn it_has_the_keys_of_the_loader_and_no_others() {
    let root = schema();
    let sections = sections();
    assert_eq!(known(&root, &[]), sorted(shape(&[]).keys().unwrap()));
    for (path, keys) in sections {
        assert_eq!(known(&root, &path), sorted(keys), "{path:?}");
    }
}

fn known(root: &Value, path: &[&str]) -> Vec<String> {
    properties(root, path).keys().cloned().collect()
}

fn sorted(keys: &[&str]) -> Vec<String> {
    let mut keys: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    keys.sort();
    keys
}

#[test]
fn every_key_is_described() {
    let root = schema();
    for (path, _) in sections() {
        for (key, value) in properties(&root, &path) {
            let text = value["description"].as_str().unwrap_or_default();
            assert!(
                text.len() > 10 && !text.contains("\n "),
                "{path:?} {key}: {text:?}"
            );
        }
    }
}

#[test]
fn toml_has_no_null() {
    let text = schema().to_string();
    let null = text
        .find("null")
        .map(|place| &text[place.saturating_sub(80)..]);
    assert_eq!(null, None);
}

/// Whether a value is what a schema says; the first complaint.
fn validate(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(words) = schema.as_object() else {
        return match schema {
            Value::Bool(true) => Ok(()),
            _ => Err(format!("{value} may not be here")),
        };
    };
    for (word, says) in words {
        let good = match word.as_str() {
            "$ref" => {
                validate(root, resolved(root, schema), value)?;
                true
            }
            "type" => has_type(says, value),
            "enum" => says.as_array().unwrap().contains(value),
            "const" => says == value,
            "anyOf" | "oneOf" => {
                let choices = says.as_array().unwrap().iter();
                let fits = choices
                    .filter(|one| validate(root, one, value).is_ok())
                    .count();
                fits == 1 || fits > 1 && word == "anyOf"
            }
            "minimum" => value
                .as_i64()
                .is_none_or(|number| number >= says.as_i64().unwrap()),
            "maximum" => value
                .as_i64()
                .is_none_or(|number| number <= says.as_i64().unwrap()),
            "required" => {
                let names = says.as_array().unwrap().iter();
                value.is_object()
                    && names
                        .into_iter()
                        .all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "items" => {
                let mut items = value.as_array().into_iter().flatten();
                items.try_for_each(|item| validate(root, says, item))?;
                true
            }
            "properties" | "additionalProperties" => {
                inside(root, words, value)?;
                true
            }
            "$schema" | "$defs" | "title" | "description" | "default" | "examples" | "format"
            | "x-taplo" => true,
            word => panic!("the schema has learned `{word}`; teach it to this test"),
        };
        if !good {
            return Err(format!("{word}: {value} is not {says}"));
        }
    }
    Ok(())
}

fn has_type(says: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "array" => value.is_array(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "object" => value.is_object(),
        "string" => value.is_string(),
        name => panic!("the schema has learned the type {name}; teach it to this test"),
    };
    match says {
        Value::Array(names) => names.iter().any(is),
        name => is(name),
    }
}

fn inside(root: &Value, words: &Map<String, Value>, value: &Value) -> Result<(), String> {
    let none = Map::new();
    let known = words
        .get("properties")
        .map_or(&none, |known| known.as_object().unwrap());
    for (key, value) in value.as_object().unwrap_or(&none) {
        match (known.get(key), words.get("additionalProperties")) {
            (Some(schema), _) | (None, Some(schema)) => {
                validate(root, schema, value).map_err(|complaint| format!("{key}: {complaint}"))?;
            }
            (None, None) => {}
        }
    }
    Ok(())
}

#[track_caller]
fn check(text: &str, good: bool) {
    let root = schema();
    let value: Value = toml::from_str(text).unwrap();
    let outcome = validate(&root, &root, &value);
    assert_eq!(outcome.is_ok(), good, "{outcome:?} of {text}");
    let settings = parse(text, Path::new("/site.toml"));
    assert_eq!(settings.is_ok(), good, "{text}");
    if let Ok(settings) = settings {
        check_written(&root, &settings);
    }
}

/// What `check --show` prints is made of these values.
#[track_caller]
fn check_written(root: &Value, settings: &Settings) {
    let written = toml::to_string(settings).unwrap();
    let value: Value = toml::from_str(&written).unwrap();
    assert_eq!(validate(root, root, &value), Ok(()), "{written}");
}

const SITE: &str = "app.module = \"a\"\nlisten = [{ address = \":80\" }]\n";

#[test]
fn it_takes_what_the_loader_takes() {
    check(SITE, true);
    check(
        &format!("{SITE}[http]\nkeep-alive = 5\nmax-body = \"1M\"\ntrusted-proxies = [\"unix\"]"),
        true,
    );
    check(
        &format!("{SITE}[log]\nto = [\"journal\", \"file:/a\"]\nlevel = \"debug\""),
        true,
    );
    check(
        &format!("{SITE}[static]\nmap = {{ \"/a\" = \"a\", \"/b\" = [\"b\", \"c\"] }}"),
        true,
    );
    check(
        &format!(
            "{SITE}[service]\ndirectives = {{ IOWeight = \"50\" }}\nrelax = [\"jit\"]\nnice = -5"
        ),
        true,
    );
    check(
        &format!("{SITE}[[route]]\nheader = {{ Host = \"a\" }}\ndeny = 403"),
        true,
    );
    check(
        &format!("{SITE}[response]\nerror-pages = {{ \"404\" = \"a\" }}"),
        true,
    );
}

#[test]
fn it_takes_the_examples() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let sites = std::fs::read_dir(examples).unwrap();
    let sites: Vec<_> = sites
        .filter_map(|entry| std::fs::read_to_string(entry.unwrap().path().join("site.toml")).ok())
        .collect();
    assert!(sites.len() >= 2);
    for text in sites {
        check(&text, true);
    }
}

#[test]
fn it_refuses_what_the_loader_refuses() {
    check("app.module = \"a\"", false);
    check(&format!("{SITE}[worker]\nthreads = 1"), false);
    check(&format!("{SITE}[workers]\nthread = 1"), false);
    check(&format!("{SITE}[workers]\nthreads = \"1\""), false);
    check(&format!("{SITE}[workers]\nthreads = -1"), false);
    check(&format!("{SITE}[log]\nlevel = \"warn\""), false);
    check(&format!("{SITE}[http]\nkeep-alive = true"), false);
    check(&format!("{SITE}[[timer]]\nname = \"a\""), false);
    check(
        &format!("{SITE}[static]\nexpires = [{{ tipe = \"a/b\", after = 1 }}]"),
        false,
    );
}
