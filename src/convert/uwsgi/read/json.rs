//! JSON: an object for each section; arrays repeat an option, `true` is 1, `false` and `null` are 0.

use std::fmt;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    line::asked,
    structured::{Found, Lines},
};

/// An object in the order in which it is written, a name as often as it comes.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Object<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Object(pairs))
    }
}

/// The options in the object of this name.
pub(super) fn read(text: &str, section: &str) -> Result<Found, String> {
    let root: Object<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let lines = Lines::of(text);
    let line = |value: &RawValue| {
        lines.at((value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize))
    };
    let mut found = Found::default();
    let mut is_found = false;
    for (name, value) in root.0 {
        if name != section {
            continue;
        }
        is_found = true;
        let object: Object<'_> =
            serde_json::from_str(value.get()).map_err(|_| format!("`{section}` is no object"))?;
        for (name, value) in object.0 {
            if value.get().starts_with('[') {
                let values: Vec<&RawValue> =
                    serde_json::from_str(value.get()).map_err(|error| error.to_string())?;
                for value in values {
                    push(&mut found, line(value), &name, value);
                }
            } else {
                push(&mut found, line(value), &name, value);
            }
        }
    }
    if is_found {
        Ok(found)
    } else {
        Err(format!("there is no object `{section}`"))
    }
}

fn push(found: &mut Found, line: u32, name: &str, value: &RawValue) {
    let raw = value.get();
    let text = match raw {
        "true" => "1".to_owned(),
        "false" | "null" => "0".to_owned(),
        _ if raw.starts_with('"') => serde_json::from_str(raw).unwrap_or_default(),
        _ if raw.starts_with(['{', '[']) => {
            let text =
                format!("uWSGI passes over `{name}`, whose value is an object or a list of lists");
            found.remarks.push((line, asked(text)));
            return;
        }
        _ => raw.to_owned(),
    };
    found.push(line, name, &text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_in_its_order() {
        let text = "{\"x\": 1,\n \"uwsgi\": {\n\"z\": \"a\\n\", \"a\": [1,\n true, null],\n\"b\": 1.5, \"c\": {}, \"z\": -1}}";
        let found = read(text, "uwsgi").unwrap();
        let pairs: Vec<_> = found
            .drafts
            .iter()
            .map(|d| (d.line, &d.name[..], &d.value[..]))
            .collect();
        let expected = [
            (3, "z", "a\n"),
            (3, "a", "1"),
            (4, "a", "1"),
            (4, "a", "0"),
            (5, "b", "1.5"),
            (5, "z", "-1"),
        ];
        assert_eq!(pairs, expected);
        assert_eq!(found.remarks[0].0, 5);
    }

    #[test]
    fn what_is_no_object_is_an_error_with_its_place() {
        let check = |text, expected: &str| {
            let error = read(text, "uwsgi").unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check("{\"uwsgi\": {,}}", "line 1 column");
        check("{}", "no object `uwsgi`");
        check("{\"uwsgi\": 1}", "`uwsgi` is no object");
    }
}
