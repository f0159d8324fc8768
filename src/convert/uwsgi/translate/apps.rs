//! The application, and further ones at other paths and hosts.

use super::{
    super::options::refusals,
    Applied, Outcome, Topic, Verdict,
    engine::Translation,
    finish,
    value::{self, Read},
};

pub(in crate::convert::uwsgi) static MODULE: Topic = Topic {
    documentation: "kept: `app.module`",
    slot: Some("module"),
    early: true,
    run: module,
};

pub(in crate::convert::uwsgi) static FILE: Topic = Topic {
    documentation: "kept: `app.file`",
    slot: Some("wsgi-file"),
    early: false,
    run: file,
};

pub(in crate::convert::uwsgi) static CALLABLE: Topic = Topic {
    documentation: "kept: `app.callable`",
    slot: Some("callable"),
    early: false,
    run: callable,
};

pub(in crate::convert::uwsgi) static MOUNT: Topic = Topic {
    documentation: "kept: a `[[mount]]`",
    slot: None,
    early: false,
    run: mount,
};

pub(in crate::convert::uwsgi) static MANAGE_SCRIPT_NAME: Topic = Topic {
    documentation: "not needed: a `[[mount]]` always moves its path from PATH_INFO to SCRIPT_NAME",
    slot: Some("manage-script-name"),
    early: false,
    run: |_, _| Outcome::not_needed("a mount always moves its path from PATH_INFO to SCRIPT_NAME"),
};

pub(in crate::convert::uwsgi) static NEED_APP: Topic = Topic {
    documentation: "not needed: a site without its application does not start",
    slot: Some("need-app"),
    early: false,
    run: need_app,
};

pub(in crate::convert::uwsgi) static DYNAMIC: Topic = Topic {
    documentation: "kept: `dynamic-apps.enabled`, with `allow` for a person to fill",
    slot: Some("dynamic-apps"),
    early: false,
    run: dynamic,
};

pub(in crate::convert::uwsgi) static VHOST: Topic = Topic {
    documentation: "kept: `[[mount]] host` for each mount by host name",
    slot: Some("vhost"),
    early: false,
    run: vhost,
};

/// Where an application is.
enum Target {
    File(String),
    Module(String),
    Paste,
}

fn module(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let (name, callable) = value.split_once(':').unwrap_or((&value, ""));
    if name.is_empty() {
        return Outcome::not_needed("it names no module");
    }
    // uWSGI would look for a module `py` in a package; who writes a file's name means the file.
    if is_file(name) {
        let outcome = translation.keep("app", "file", name);
        if !callable.is_empty() {
            translation.keep("app", "callable", callable);
        }
        return outcome
            .notes(notes)
            .note("it is a file; uWSGI took it for a module in a package");
    }
    let value = match callable {
        "" => name.to_owned(),
        _ => value,
    };
    translation.keep("app", "module", value).notes(notes)
}

fn file(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    if is_given(translation, "module") {
        return Outcome::not_needed(
            "uWSGI takes the application from `module` when both are given",
        );
    }
    let Read { value, notes } = value::text(&option.value);
    let (path, callable) = match value.rsplit_once(':') {
        Some((path, name)) if !name.contains('/') && !value::is_template(name) => (path, name),
        _ => (value.as_str(), ""),
    };
    if path.is_empty() {
        return Outcome::not_needed("it names no file");
    }
    let outcome = translation.keep("app", "file", value::path(path));
    if !callable.is_empty() {
        translation.keep("app", "callable", callable);
    }
    outcome.notes(notes)
}

fn is_given(translation: &Translation<'_>, name: &str) -> bool {
    translation
        .last(name)
        .is_some_and(|option| !value::text(&option.value).value.is_empty())
}

fn callable(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let app = translation.draft.section("app");
    let module = translation.draft.get(app, "module");
    let named = module
        .and_then(|module| module.as_str())
        .is_some_and(|module| module.contains(':'));
    if named {
        return Outcome::not_needed("`module` names the callable behind its colon");
    }
    let Read { value, notes } = value::text(&option.value);
    if value.is_empty() {
        return Outcome::not_needed("it names nothing");
    }
    translation.keep("app", "callable", value).notes(notes)
}

/// `mountpoint=application`; the mountpoint is a path, a host, or both with a bar between them.
fn mount(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    let (point, app) = value.split_once('=').unwrap_or(("", &value));
    let (host, path) = match point.split_once('|') {
        Some((host, path)) => (host, path),
        None if point.starts_with('/') || point.is_empty() => ("", point),
        None => point
            .split_once('/')
            .map_or((point, ""), |(host, _)| (host, &point[host.len()..])),
    };
    let path = path.trim_end_matches('/');
    let target = target(app);
    if matches!(target, Target::Paste) {
        return Outcome::refused(&refusals::PASTE);
    }
    if host.is_empty() && path.is_empty() {
        return root(translation, &target).notes(notes);
    }
    let section = translation.draft.add("mount");
    let shown = if path.is_empty() { host } else { path };
    for (key, value) in [("path", path), ("host", host)] {
        if !value.is_empty() {
            translation.draft.set(section, key, value);
        }
    }
    let (key, value) = keyed(&target);
    let outcome = translation.keep_in(section, "mount", key, value);
    mounted_callable(translation, section, &target);
    let outcome = Outcome {
        verdict: Verdict::Kept {
            key: "mount".to_owned(),
            value: format!("{shown} -> {value}"),
        },
        ..outcome
    };
    outcome.notes(notes)
}

/// An application at `/` is the one of the site.
fn root(translation: &mut Translation<'_>, target: &Target) -> Outcome {
    if is_given(translation, "module") || is_given(translation, "wsgi-file") {
        return Outcome::not_needed("the site has an application that is reached at `/`");
    }
    let (key, value) = keyed(target);
    translation.keep("app", key, value)
}

/// `callable` counts for every application that names none itself.
fn mounted_callable(
    translation: &mut Translation<'_>,
    section: crate::convert::draft::Section,
    target: &Target,
) {
    let named = matches!(target, Target::Module(name) if name.contains(':'));
    let Some(option) = translation.last("callable").filter(|_| !named) else {
        return;
    };
    let callable = value::text(&option.value).value;
    if !callable.is_empty() {
        translation.draft.set(section, "callable", callable);
    }
}

fn target(app: &str) -> Target {
    let app = app.trim();
    if [".ini", ".paste"].iter().any(|end| app.ends_with(end)) || app.starts_with("config:") {
        return Target::Paste;
    }
    // Where a mount says so, uWSGI takes `shop.wsgi` for a file.
    match is_file(app) || app.ends_with(".wsgi") {
        true => Target::File(app.to_owned()),
        false => Target::Module(app.to_owned()),
    }
}

fn keyed(target: &Target) -> (&'static str, &str) {
    match target {
        Target::File(path) => ("file", path),
        Target::Module(name) => ("module", name),
        Target::Paste => ("module", ""),
    }
}

/// A path, or a name that ends as a Python file does. `shop.wsgi` is a module, as everybody has one of this name.
fn is_file(name: &str) -> bool {
    let name = name.split(':').next().unwrap_or(name);
    name.contains('/') || name.ends_with(".py")
}

fn need_app(_: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = value::flag(&option.value);
    let outcome = Outcome::not_needed("a site without its application does not start");
    match read.value {
        true => outcome,
        false => outcome
            .notes(read.notes)
            .note("uWSGI served on without the application, with errors"),
    }
}

fn dynamic(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    if !value::flag(&option.value).value {
        return Outcome::not_needed("it was off, as it is without the key");
    }
    let section = translation.draft.section("dynamic-apps");
    translation
        .draft
        .set(section, "allow", vec![finish::MODULE.to_owned()]);
    let outcome = translation.keep("dynamic-apps", "enabled", true);
    outcome.ask("name in `allow` the modules and files that the front server may ask for; nothing else is loaded")
}

fn vhost(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    if !value::flag(&option.value).value {
        return Outcome::not_needed("it was off");
    }
    let by_host = |option: &Applied| !option.value.starts_with('/');
    if translation.each(&["mount", "worker-mount"]).any(by_host) {
        return Outcome::not_needed("`[[mount]] host` says it for each application");
    }
    Outcome::not_needed("there are no applications by host name")
        .note("UWSGI_SCRIPT and the like, sent by the front server, need `[dynamic-apps]`")
}
