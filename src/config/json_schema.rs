//! The schema as JSON Schema (draft 2020-12), for editors that complete and check TOML.
//!
//! It is made of the types of `schema`, their defaults and their comments, so that it cannot say anything else than the
//! loader does. Rules between values are not in it.

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Value, json};

use super::schema::Settings;

/// The whole file as one schema.
pub(crate) fn json_schema() -> Schema {
    let settings = SchemaSettings::draft2020_12().with_transform(ForToml);
    settings.into_generator().into_root_schema_for::<Settings>()
}

/// Takes out what TOML does not have.
#[derive(Debug, Clone)]
struct ForToml;

impl Transform for ForToml {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        without_null(schema);
        if let Some(Value::String(text)) = schema.get("description").cloned() {
            schema.insert("description".to_owned(), in_one_line(&text).into());
        }
    }
}

/// A key without a value is one that is not there.
fn without_null(schema: &mut Schema) {
    match schema.get("default") {
        Some(Value::Null) => _ = schema.remove("default"),
        // The default of a section is that of its keys.
        Some(Value::Object(section)) if !section.is_empty() => _ = schema.remove("default"),
        _ => {}
    }
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            let one = one.clone();
            schema.insert("type".to_owned(), one);
        }
    }
    let Some(Value::Array(choices)) = schema.get_mut("anyOf") else {
        return;
    };
    choices.retain(|choice| *choice != json!({ "type": "null" }));
    if let [Value::Object(only)] = &choices[..] {
        let only = only.clone();
        schema.remove("anyOf");
        for (name, value) in only {
            schema.insert(name, value);
        }
    }
}

/// Lines of comments end where the source is wide enough; those of a paragraph belong together.
fn in_one_line(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| {
        let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
        lines.join(" ")
    });
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests;
