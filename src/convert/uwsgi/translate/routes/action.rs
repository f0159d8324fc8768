//! What is done: the actions that `[[route]]` has.

use toml::{Table, Value};

use super::Rule;

/// Adds `action:arguments`; gives what is to be said about it, or nothing when there is no such action.
pub(super) fn add(action: &str, rule: &mut Rule) -> Option<&'static str> {
    let (name, arguments) = action.split_once(':').unwrap_or((action, ""));
    let arguments = plain(arguments.trim())?;
    let mut set = |key: &str, value: Value| {
        rule.insert(key.to_owned(), value);
    };
    match name {
        "redirect" | "redirect-302" => set("redirect", Value::from(arguments)),
        "redirect-permanent" | "redirect-301" => {
            set("redirect", Value::from(arguments));
            set("status", Value::from(301));
        }
        "rewrite" => set("rewrite", Value::from(arguments)),
        "rewrite-last" => {
            set("rewrite", Value::from(arguments));
            set("last", Value::from(true));
        }
        "static" | "file" | "sendfile" | "fastfile" => set("static", Value::from(arguments)),
        "break" => set("deny", Value::from(status(arguments)?)),
        "return" | "break-with-status" => set("deny", Value::from(status(arguments)?)),
        "addheader" => set("add-headers", Value::from(vec![arguments])),
        "delheader" | "remheader" => set("remove-headers", Value::from(vec![arguments])),
        "donotlog" => set("log", Value::from(false)),
        "last" | "continue" => set("last", Value::from(true)),
        "addvar" => {
            let (name, value) = arguments.split_once('=')?;
            let env: Table = [(name.to_owned(), Value::from(value))]
                .into_iter()
                .collect();
            set("env", env.into());
        }
        _ => return None,
    }
    Some(match name {
        "rewrite" => {
            "later routes see the new path; uWSGI looked at the old one until the next turn"
        }
        _ => "",
    })
}

/// An error status, without a text behind it.
fn status(arguments: &str) -> Option<i64> {
    let number = arguments.split_whitespace().next().unwrap_or("403");
    number
        .parse()
        .ok()
        .filter(|status| (400..600).contains(status))
}

/// Texts with `${...}` in them are not known here.
fn plain(arguments: &str) -> Option<&str> {
    (!arguments.contains("${")).then_some(arguments)
}
