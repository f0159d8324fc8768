//! Keys and sections that the schema does not know, and what was probably meant.
//!
//! Serde would refuse them too (`deny_unknown_fields`), but it knows neither the file's order, nor the key of another
//! section, and it takes a list for a section, field by field. This check runs first.

use toml::de::DeValue;

use super::{
    document::{Document, Entry},
    error::ConfigError,
    shape::{Shape, shape},
};

/// Refuses the first key that the schema does not know, and the first section that is not written as one.
pub(super) fn check(document: &Document<'_>) -> Result<(), ConfigError> {
    for entry in document.entries() {
        let Some((name, section)) = entry.schema.split_last() else {
            continue;
        };
        // Inside a table whose keys are the user's own there is nothing to know.
        let Some(known) = shape(section).keys() else {
            continue;
        };
        if !known.contains(name) {
            let message = unknown(name, section, known, is_section(entry.value));
            return Err(document.error_at(Some(entry.key), &message));
        }
        if let Some(message) = wrong_form(name, &entry) {
            return Err(document.error_at(Some(entry.key), &message));
        }
    }
    Ok(())
}

/// A section's name as its header is written.
pub(super) fn header(path: &[&str]) -> String {
    let name = path.join(".");
    match shape(path) {
        Shape::Sections(_) => format!("[[{name}]]"),
        _ => format!("[{name}]"),
    }
}

/// The name that a misspelt, shortened or lengthened one was probably meant to be.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::osa_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= (candidate.len() / 3).max(1) || one_begins_the_other(name, candidate)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Three letters at least, or `to` would be behind everything that begins with it.
fn one_begins_the_other(name: &str, candidate: &str) -> bool {
    name.len().min(candidate.len()) >= 3
        && (candidate.starts_with(name) || name.starts_with(candidate))
}

/// Names in backquotes, with commas between them.
pub(super) fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn is_section(value: &DeValue<'_>) -> bool {
    match value {
        DeValue::Array(list) => {
            !list.is_empty() && list.iter().all(|entry| entry.get_ref().is_table())
        }
        value => value.is_table(),
    }
}

fn unknown(name: &str, section: &[&str], known: &[&'static str], is_section: bool) -> String {
    if let Some(message) = is_section.then(|| unknown_section(name, section)).flatten() {
        return message;
    }
    let place = match section {
        [] => "outside of a section".to_owned(),
        section => format!("in {}", header(section)),
    };
    let advice = elsewhere(name)
        .or_else(|| nearest_key(name, section, known))
        .unwrap_or_else(|| format!("known are {}", quoted(known.iter().copied())));
    format!("unknown key `{name}` {place}; {advice}")
}

/// Sections that are meant: of this name at another place, or of a name like it at this place. Inside a section it may
/// be a table that is a value, unless there is such a section.
fn unknown_section(name: &str, outer: &[&str]) -> Option<String> {
    let written = [outer, &[name]].concat().join(".");
    let sections: Vec<_> = sections().into_iter().map(|(path, _)| path).collect();
    let inner = sections
        .iter()
        .filter_map(|path| path.split_last().filter(|(_, place)| *place == outer));
    let meant = nearest(name, inner.map(|(last, _)| *last));
    let meant = meant.map(|meant| [outer, &[meant]].concat());
    let same = sections.iter().find(|path| path.last() == Some(&name));
    if let Some(meant) = same.cloned().or(meant) {
        return Some(format!(
            "unknown section [{written}]; did you mean {}?",
            header(&meant)
        ));
    }
    let headers: Vec<String> = sections.iter().map(|path| header(path)).collect();
    outer.is_empty().then(|| {
        format!(
            "unknown section [{written}]; there are {}",
            headers.join(", ")
        )
    })
}

/// For a key that is right in another section.
fn elsewhere(name: &str) -> Option<String> {
    let homes: Vec<String> = sections()
        .into_iter()
        .filter(|(_, keys)| keys.contains(&name))
        .map(|(path, _)| header(&path))
        .collect();
    (!homes.is_empty()).then(|| format!("it belongs to {}", homes.join(" or ")))
}

/// For a misspelt key: the nearest of its own section, else of all.
fn nearest_key(name: &str, section: &[&str], known: &[&'static str]) -> Option<String> {
    let own = match section {
        // Outside of a section there are only sections, which is not what a key is mistaken for.
        [] => None,
        _ => nearest(name, known.iter().copied()),
    };
    if let Some(meant) = own {
        return Some(format!("did you mean `{meant}`?"));
    }
    let (path, keys) = sections()
        .into_iter()
        .find(|(_, keys)| nearest(name, keys.iter().copied()).is_some())?;
    let meant = nearest(name, keys.iter().copied())?;
    Some(format!("did you mean `{meant}` in {}?", header(&path)))
}

/// Every section of the schema with its keys, outer ones first.
pub(super) fn sections() -> Vec<(Vec<&'static str>, &'static [&'static str])> {
    let mut found = Vec::new();
    let mut open = vec![Vec::new()];
    while let Some(path) = open.pop() {
        for name in shape(&path).keys().unwrap_or_default().iter().rev() {
            open.push([&path[..], &[name]].concat());
        }
        if let (Some(keys), false) = (shape(&path).keys(), path.is_empty()) {
            found.push((path, keys));
        }
    }
    found
}

/// Sections are written under a header; serde would take lists for them.
fn wrong_form(name: &str, entry: &Entry<'_>) -> Option<String> {
    let header = header(&entry.schema);
    // The last part of the path of a list's entry is its number.
    let numbered = entry.path.last().map(String::as_str) != entry.schema.last().copied();
    match (shape(&entry.schema), entry.value) {
        (Shape::Section(_), DeValue::Table(_)) | (Shape::Value, _) => None,
        (Shape::Section(_), DeValue::Array(_)) => Some(format!(
            "there is one {header}; write it in single brackets"
        )),
        (Shape::Section(_), _) => Some(format!(
            "`{name}` is a section; write {header}, and its keys below"
        )),
        (Shape::Sections(_), DeValue::Array(_)) if !numbered => None,
        (Shape::Sections(_), DeValue::Table(_)) if numbered => None,
        (Shape::Sections(_), _) => Some(format!(
            "write {header} in double brackets, once for each, and its keys below"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_nearest(name: &str, expected: Option<&str>) {
        assert_eq!(nearest(name, ["processes", "threads", "file"]), expected);
    }

    #[test]
    fn a_name_is_near_when_it_is_a_slip_of_the_hand() {
        check_nearest("procceses", Some("processes"));
        check_nearest("thread", Some("threads"));
        check_nearest("treahds", Some("threads"));
        check_nearest("fiel", Some("file"));
        check_nearest("proc", Some("processes"));
        check_nearest("threads-per-worker", Some("threads"));
        check_nearest("th", None);
        check_nearest("workers", None);
        check_nearest("", None);
    }

    #[test]
    fn the_sections_of_the_schema_are_walked_in_order() {
        let names: Vec<String> = sections().iter().map(|(path, _)| header(path)).collect();
        assert_eq!(
            names[..4],
            ["[app]", "[[listen]]", "[[listen.sni]]", "[http]"]
        );
    }
}
