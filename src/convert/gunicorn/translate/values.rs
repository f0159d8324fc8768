//! The values that hold, as gunicorn understands them: numbers that are written as texts, lists with commas.

use serde_json::Value;

use crate::convert::gunicorn::{
    gather::Given,
    settings::{self, Kind, Setting},
};

/// What was given, by name; the last one counts.
pub(super) struct Values<'g> {
    given: &'g [Given],
}

impl<'g> Values<'g> {
    pub(super) fn new(given: &'g [Given]) -> Self {
        Self { given }
    }

    /// Whoever says something later.
    pub(super) fn stronger(&self, number: usize, name: &str) -> Option<&'g Given> {
        let later = self.given.get(number + 1..).unwrap_or_default();
        later.iter().rfind(|given| given.name == name)
    }

    /// The setting that counts, if it was given at all and gunicorn takes it.
    pub(super) fn given(&self, name: &str) -> Option<&'g Given> {
        let given = self.given.iter().rfind(|given| given.name == name)?;
        let setting = settings::named(name)?;
        fault(setting, &given.value).is_none().then_some(given)
    }

    fn value(&self, name: &str) -> Value {
        let given = self.given(name).map(|given| given.value.clone());
        let default = || settings::named(name).and_then(|setting| setting.default.clone());
        given.or_else(default).unwrap_or_default()
    }

    pub(super) fn number(&self, name: &str) -> u64 {
        number(&self.value(name)).unwrap_or_default()
    }

    pub(super) fn switch(&self, name: &str) -> bool {
        switch(&self.value(name)).unwrap_or_default()
    }

    /// `None` for an empty one as well.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.value(name) {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// A list, or a text with commas.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        list(&self.value(name))
    }

    /// What was written as a dictionary, or the name of a callable.
    pub(super) fn raw(&self, name: &str) -> Value {
        self.value(name)
    }
}

/// The name of a function or class that was given as such.
pub(super) fn callable(value: &Value) -> Option<&str> {
    value.get("!callable")?.as_str()
}

/// As a person would write it; long values are cut.
pub(super) fn written(value: &Value) -> String {
    const LONGEST: usize = 200;
    let text = match (value, callable(value), value.get("!object")) {
        (_, Some(name), _) => name.to_owned(),
        (_, _, Some(Value::String(object))) => object.clone(),
        (Value::String(text), ..) => text.clone(),
        (Value::Null, ..) => "None".to_owned(),
        (Value::Bool(value), ..) => if *value { "True" } else { "False" }.to_owned(),
        (value, ..) => value.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Why gunicorn would not take this value for this setting.
pub(super) fn fault(setting: &Setting, value: &Value) -> Option<String> {
    if value.is_null() {
        return None;
    }
    let is_sound = match setting.kind {
        Kind::Number => number(value).is_some(),
        Kind::Switch | Kind::Off => switch(value).is_some(),
        Kind::List => !matches!(value, Value::Object(_) | Value::Number(_) | Value::Bool(_)),
        Kind::Hook => callable(value).is_some() || value.is_string(),
        Kind::Map => value.is_object(),
        // A class may be given as such, a user as a number, and cert_reqs's like as a constant.
        Kind::Optional | Kind::Text => value.get("!object").is_none(),
    };
    let expected = match setting.kind {
        Kind::Number => "a number is expected",
        Kind::Switch | Kind::Off => "True or False is expected",
        Kind::List => "a list is expected",
        Kind::Hook => "a function is expected",
        Kind::Map => "a dictionary is expected",
        Kind::Optional | Kind::Text => "a text is expected",
    };
    (!is_sound).then(|| expected.to_owned())
}

/// Python's `int(text, 0)`, and a leading zero as gunicorn's own option for the umask takes it.
fn number(value: &Value) -> Option<u64> {
    let text = match value {
        Value::Number(number) => return number.as_u64(),
        Value::Bool(value) => return Some(u64::from(*value)),
        Value::String(text) => text.trim().replace('_', ""),
        _ => return None,
    };
    let radix = |prefix: [&str; 2], radix| {
        let digits = prefix.iter().find_map(|prefix| text.strip_prefix(prefix))?;
        u64::from_str_radix(digits, radix).ok()
    };
    let octal = || {
        let digits = text.strip_prefix('0').filter(|digits| !digits.is_empty())?;
        u64::from_str_radix(digits, 8).ok()
    };
    radix(["0x", "0X"], 16)
        .or_else(|| radix(["0o", "0O"], 8))
        .or_else(|| radix(["0b", "0B"], 2))
        .or_else(octal)
        .or_else(|| text.parse().ok())
}

fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn list(value: &Value) -> Vec<String> {
    let parts: Vec<String> = match value {
        Value::Array(parts) => parts.iter().map(written).collect(),
        Value::String(text) => text.split(',').map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    let parts = parts.into_iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_number(value: Value, expected: Option<u64>) {
        assert_eq!(number(&value), expected, "{value}");
    }

    #[test]
    fn numbers_are_pythons() {
        check_number(json!(30), Some(30));
        check_number(json!("30"), Some(30));
        check_number(json!("0x10"), Some(16));
        check_number(json!("0o17"), Some(15));
        check_number(json!("007"), Some(7));
        check_number(json!("1_000"), Some(1000));
        check_number(json!(true), Some(1));
        check_number(json!(-1), None);
        check_number(json!("many"), None);
        check_number(json!("0"), Some(0));
    }

    #[test]
    fn lists_may_be_texts() {
        assert_eq!(list(&json!("a, b,,")), ["a", "b"]);
        assert_eq!(list(&json!(["a", " b "])), ["a", "b"]);
        assert!(list(&json!(null)).is_empty());
    }

    #[test]
    fn values_are_shown_as_python_has_them() {
        let shown = [
            json!(null),
            json!(true),
            json!({"!callable": "f"}),
            json!([1]),
        ];
        assert_eq!(
            shown.map(|value| written(&value)),
            ["None", "True", "f", "[1]"]
        );
    }
}
