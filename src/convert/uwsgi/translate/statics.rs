//! Static files, and headers and pages of answers.

use toml::{Table, Value};

use super::{
    super::options::Kind,
    Applied, Outcome, Topic, Verdict,
    engine::Translation,
    typed,
    value::{self, Read},
};

pub(in crate::convert::uwsgi) static MAP: Topic = Topic {
    documentation: "kept: `[static.map]`",
    slot: None,
    early: false,
    run: |translation, option| map(translation, option, false),
};

pub(in crate::convert::uwsgi) static MAP2: Topic = Topic {
    documentation: "kept: `[static.map]`, the prefix written behind the directory",
    slot: None,
    early: false,
    run: |translation, option| map(translation, option, true),
};

pub(in crate::convert::uwsgi) static CHECK: Topic = Topic {
    documentation: "kept: `static.check`",
    slot: None,
    early: false,
    run: |translation, option| directory(translation, option, "check"),
};

pub(in crate::convert::uwsgi) static SAFE: Topic = Topic {
    documentation: "kept: `static.safe`",
    slot: None,
    early: false,
    run: |translation, option| directory(translation, option, "safe"),
};

pub(in crate::convert::uwsgi) static MIME: Topic = Topic {
    documentation: "kept: `static.mime-types`",
    slot: None,
    early: false,
    run: |translation, option| directory(translation, option, "mime-types"),
};

pub(in crate::convert::uwsgi) static GZIP: Topic = Topic {
    documentation: "kept: `static.precompressed`, for every file that has a compressed sibling",
    slot: Some("static-gzip"),
    early: false,
    run: |translation, _| translation.keep("static", "precompressed", true),
};

pub(in crate::convert::uwsgi) static EXPIRES_FILE: Topic = Topic {
    documentation: "kept: `static.expires` by `file`",
    slot: None,
    early: false,
    run: |translation, option| expires(translation, option, "file", ' '),
};

pub(in crate::convert::uwsgi) static EXPIRES_PATH: Topic = Topic {
    documentation: "kept: `static.expires` by `path`",
    slot: None,
    early: false,
    run: |translation, option| expires(translation, option, "path", ' '),
};

pub(in crate::convert::uwsgi) static EXPIRES_TYPE: Topic = Topic {
    documentation: "kept: `static.expires` by `type`",
    slot: None,
    early: false,
    run: |translation, option| expires(translation, option, "type", '='),
};

pub(in crate::convert::uwsgi) static ERROR_PAGE: Topic = Topic {
    documentation: "kept: `response.error-pages`",
    slot: None,
    early: false,
    run: error_page,
};

pub(in crate::convert::uwsgi) static ADD_HEADER: Topic = Topic {
    documentation: "kept: `response.add-headers`",
    slot: None,
    early: false,
    run: add_header,
};

pub(in crate::convert::uwsgi) static REMOVE_HEADER: Topic = Topic {
    documentation: "kept: `response.remove-headers`",
    slot: None,
    early: false,
    run: remove_header,
};

pub(in crate::convert::uwsgi) static HTTP_VAR: Topic = Topic {
    documentation: "kept: a `[[route]]` with `env`",
    slot: None,
    early: false,
    run: http_var,
};

/// `prefix=directory`; the old form keeps the prefix below the directory.
fn map(translation: &mut Translation<'_>, option: &Applied, prefix_stays: bool) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let Some((prefix, path)) = value.split_once('=') else {
        if value::is_template(&value) {
            return Outcome::carried("static.map", &value);
        }
        return Outcome::not_possible("it has no `=`", "`[static.map]`")
            .ask(format!("`{value}` is no prefix with a directory"));
    };
    let (prefix, path) = (prefix.trim(), path.trim());
    if path.is_empty() {
        return Outcome::not_possible("it names no directory", "`[static.map]`");
    }
    let path = match prefix_stays {
        true => format!(
            "{}/{}",
            path.trim_end_matches('/'),
            prefix.trim_matches('/')
        ),
        false => value::path(path),
    };
    // uWSGI matches any beginning; what is meant is a directory of the site.
    let prefix = match prefix.trim_end_matches('/') {
        "" => "/",
        prefix => prefix,
    };
    let section = translation.draft.section("static.map");
    let both = match translation.draft.get(section, prefix) {
        Some(Value::Array(list)) => [&list[..], &[Value::from(path)]].concat().into(),
        Some(one) => Value::from(vec![one.clone(), Value::from(path)]),
        None => Value::from(path),
    };
    translation.keep("static.map", prefix, both).notes(notes)
}

fn directory(translation: &mut Translation<'_>, option: &Applied, key: &str) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    if key == "mime-types" && value == "/etc/mime.types" {
        return Outcome::not_needed("these types are known");
    }
    translation.gather("static", key, value).notes(notes)
}

/// A pattern or a type, and seconds.
fn expires(
    translation: &mut Translation<'_>,
    option: &Applied,
    key: &str,
    between: char,
) -> Outcome {
    let parts = option.value.trim().rsplit_once(between);
    let seconds = parts.and_then(|(_, text)| value::number(text, Kind::Seconds).ok());
    let (Some((pattern, _)), Some(seconds)) = (parts, seconds) else {
        return Outcome::not_possible("it has no time", "`static.expires`").ask(format!(
            "`{}` is no pattern with a number of seconds",
            option.value
        ));
    };
    let mut rule = Table::new();
    rule.insert(key.to_owned(), Value::from(pattern.trim()));
    rule.insert(
        "after".to_owned(),
        Value::from(typed::seconds(seconds.value)),
    );
    let outcome = translation
        .gather("static", "expires", rule)
        .notes(seconds.notes);
    match option.name.ends_with("-mtime") {
        true => {
            outcome.note("the time counts from the request now, not from the file's last change")
        }
        false => outcome,
    }
}

fn error_page(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let status = option
        .name
        .rsplit('-')
        .next()
        .unwrap_or_default()
        .to_owned();
    translation
        .keep("response.error-pages", &status, value)
        .notes(notes)
}

/// `Name: value`; uWSGI sends whatever stands there.
fn add_header(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = option.value.trim();
    let unquoted = text.trim_matches(['"', '\'']);
    let Some((name, value)) = unquoted.split_once(':') else {
        return Outcome::not_possible("it has no colon", "`response.add-headers`")
            .ask(format!("`{text}` is no header"));
    };
    if is_servers(name.trim()) {
        return Outcome::not_needed(SERVERS);
    }
    let header = format!("{}: {}", name.trim(), value.trim());
    let outcome = translation.gather("response", "add-headers", header);
    match unquoted == text {
        true => outcome,
        false => outcome.note("uWSGI kept the quotes as a part of the header; they are left out"),
    }
}

/// Why headers of the connection are not for settings.
const SERVERS: &str =
    "the server itself says how an answer ends, and what becomes of the connection";

/// Headers that belong to the connection and the framing of the answer (RFC 9110 section 7.6.1).
fn is_servers(name: &str) -> bool {
    let names = [
        "connection",
        "content-length",
        "keep-alive",
        "transfer-encoding",
    ];
    names.contains(&name.to_ascii_lowercase().as_str())
}

fn remove_header(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    match is_servers(&value) {
        true => Outcome::not_needed(SERVERS),
        false => translation
            .gather("response", "remove-headers", value)
            .notes(notes),
    }
}

/// `NAME=value`: a variable of every request.
fn http_var(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let (name, value) = option.value.split_once('=').unwrap_or((&option.value, ""));
    let section = translation.draft.add("route");
    let env: Table = [(name.trim().to_owned(), Value::from(value.trim()))]
        .into_iter()
        .collect();
    let outcome = translation.keep_in(section, "route", "env", env);
    Outcome {
        verdict: Verdict::Kept {
            key: "route.env".to_owned(),
            value: option.value.clone(),
        },
        ..outcome
    }
}
