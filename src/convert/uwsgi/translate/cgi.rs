//! Programs that answer requests: `[[cgi]]`.
//!
//! uWSGI has one list of helpers, extensions and so on for all of its CGI directories; each `[[cgi]]` gets them all.

use toml::{Table, Value};

use super::{
    super::options::Kind,
    Applied, Outcome, Topic,
    engine::Translation,
    typed,
    value::{self, Read},
};
use crate::convert::draft::Section;

pub(in crate::convert::uwsgi) static CGI: Topic = Topic {
    documentation: "kept: a `[[cgi]]` with `path` and `directory` or `file`",
    slot: None,
    early: true,
    run: cgi,
};

pub(in crate::convert::uwsgi) static HELPER: Topic = Topic {
    documentation: "kept: `[[cgi]] helpers`",
    slot: None,
    early: false,
    run: |translation, _| everywhere(translation, "helpers"),
};

pub(in crate::convert::uwsgi) static ALLOWED: Topic = Topic {
    documentation: "kept: `[[cgi]] allowed-ext`",
    slot: None,
    early: false,
    run: |translation, _| everywhere(translation, "allowed-ext"),
};

pub(in crate::convert::uwsgi) static INDEX: Topic = Topic {
    documentation: "kept: `[[cgi]] index`",
    slot: None,
    early: false,
    run: |translation, _| everywhere(translation, "index"),
};

pub(in crate::convert::uwsgi) static TIMEOUT: Topic = Topic {
    documentation: "kept: `[[cgi]] timeout`",
    slot: Some("cgi-timeout"),
    early: false,
    run: |translation, _| everywhere(translation, "timeout"),
};

/// `[mount=]directory or script`
fn cgi(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let (mount, target) = value.split_once('=').unwrap_or(("/", &value));
    let path = match mount.trim_end_matches('/') {
        "" => "/",
        path => path,
    };
    let section = translation.draft.add("cgi");
    translation.draft.set(section, "path", path);
    let outcome = translation.keep_in(section, "cgi", key_of(translation, target), target);
    furnish(translation, section);
    let outcome = outcome.notes(notes);
    match target.starts_with("sym://") {
        true => outcome.ask("functions of C libraries are not called; name a program"),
        false => outcome,
    }
}

/// Whether a name means a script: by its ending, since nothing of this machine is looked at.
fn key_of(translation: &Translation<'_>, target: &str) -> &'static str {
    let name = target.rsplit('/').next().unwrap_or(target);
    let is_helped = |option: &Applied| {
        let (ending, _) = option.value.split_once('=').unwrap_or((&option.value, ""));
        name.ends_with(ending)
    };
    let known = [".cgi", ".pl", ".py", ".sh", ".lua", ".php", ".rb"];
    let is_script = known.iter().any(|ending| name.ends_with(ending))
        || translation
            .each(&["cgi-helper", "cgi-map-helper"])
            .any(is_helped);
    match is_script {
        true => "file",
        false => "directory",
    }
}

fn furnish(translation: &mut Translation<'_>, section: Section) {
    let mut helpers = Table::new();
    for option in translation.each(&["cgi-helper", "cgi-map-helper"]) {
        let text = value::text(&option.value).value;
        if let Some((ending, program)) = text.split_once('=') {
            helpers.insert(ending.to_owned(), Value::from(program));
        }
    }
    if !helpers.is_empty() {
        translation.draft.set(section, "helpers", helpers);
    }
    for (names, key) in [
        (&["cgi-allowed-ext"], "allowed-ext"),
        (&["cgi-index"], "index"),
    ] {
        for option in translation.each(names) {
            let text = value::text(&option.value).value;
            translation.draft.push(section, key, text);
        }
    }
    if let Some(option) = translation.last("cgi-timeout")
        && let Ok(read) = typed::written(Kind::Seconds, &option.value)
    {
        translation.draft.set(section, "timeout", read.value);
    }
}

/// What every `[[cgi]]` has got already.
fn everywhere(translation: &mut Translation<'_>, key: &str) -> Outcome {
    let Some(section) = translation.draft.all("cgi").first().copied() else {
        return Outcome::not_needed("there is no `cgi` that it could be about");
    };
    let Some(value) = translation.draft.get(section, key) else {
        return Outcome::not_possible("its value cannot be read", format!("`[[cgi]] {key}`"))
            .ask("its value cannot be read");
    };
    Outcome::kept(section, "cgi", key, value)
}
