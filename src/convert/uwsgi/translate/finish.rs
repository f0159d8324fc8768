//! What no line says: where uWSGI's defaults are others than ours, and what a site cannot be without.

use toml::Value;

use super::engine::Translation;
use crate::convert::account::Origin;

/// What stands where a person has to name the application.
pub(super) const MODULE: &str = "name_of_the_module";

/// Adds what is missing, and says so.
pub(super) fn finish(translation: &mut Translation<'_>) {
    directory(translation);
    application(translation);
    listener(translation);
    access_log(translation);
    sigterm(translation);
}

/// What a key that has to be there gets when its value cannot be used.
pub(super) fn placeholder(section: &str, key: &str) -> Option<String> {
    match (section, key) {
        ("app", "module") => Some(MODULE.to_owned()),
        ("listen", "address") => Some("127.0.0.1:8000".to_owned()),
        _ => None,
    }
}

/// uWSGI runs where it was started, which systemd cannot know.
fn directory(translation: &mut Translation<'_>) {
    let app = translation.draft.section("app");
    if translation.draft.get(app, "chdir").is_some() {
        return;
    }
    let directory = translation.start.directory.display().to_string();
    translation.draft.set(app, "chdir", directory);
    let comment = "There was no chdir; this is where the old file lies.";
    translation
        .draft
        .comment(app, Some("chdir"), &[comment.to_owned()]);
    notice(
        translation,
        "no `chdir`: uWSGI ran where it was started; taken for `app.chdir` is the directory of the file",
        false,
    );
}

/// A site has one application at least.
fn application(translation: &mut Translation<'_>) {
    let app = translation.draft.section("app");
    let given = ["module", "file"].map(|key| translation.draft.get(app, key).is_some());
    if given == [true, true] {
        // The last word of a file that names both, `module` being a file's name.
        translation.draft.remove(app, "file");
        return;
    }
    if given.contains(&true) {
        return;
    }
    if !translation.draft.all("mount").is_empty() {
        notice(
            translation,
            "no application but those by mount: all other requests are answered 404; uWSGI gave them to the first mount",
            false,
        );
        return;
    }
    if answers_without(translation) {
        return;
    }
    translation.draft.set(app, "module", MODULE);
    let text = "the old configuration names no application; name its module here, or write `file`; if the front server \
        names it (UWSGI_SCRIPT), take `module` out and write `[dynamic-apps]`";
    translation.draft.remark(app, Some("module"), text);
    notice(translation, text, true);
}

/// Whether something answers requests without an application: files, programs, routes.
fn answers_without(translation: &mut Translation<'_>) -> bool {
    let repeated = ["cgi", "route"];
    let files = [("static", "check"), ("dynamic-apps", "enabled")];
    let map = translation.draft.section("static.map");
    translation.draft.has(map)
        || repeated
            .iter()
            .any(|name| !translation.draft.all(name).is_empty())
        || files.iter().any(|(section, key)| {
            let section = translation.draft.section(section);
            translation.draft.get(section, key).is_some()
        })
}

/// Sockets may have come from an emperor, from systemd, or from the command line.
fn listener(translation: &mut Translation<'_>) {
    if !translation.draft.all("listen").is_empty() {
        return;
    }
    let section = translation.draft.add("listen");
    translation.draft.set(section, "protocol", "uwsgi");
    let address = format!("/run/hostler/{}.sock", translation.start.site);
    translation.draft.set(section, "address", address.as_str());
    let text = match translation.start.emperor {
        true => format!(
            "the old configuration names no socket, so that the emperor gave it one; it is {address} now, and the front \
             server has to know"
        ),
        false => format!(
            "the old configuration names no socket; it was on the command line, or inherited. Write the address that the \
             front server uses in place of {address}"
        ),
    };
    translation.draft.remark(section, Some("address"), &text);
    notice(translation, &text, true);
}

/// uWSGI logs every request unless it is told not to.
fn access_log(translation: &mut Translation<'_>) {
    let log = translation.draft.section("log");
    if translation.draft.get(log, "access").is_none() {
        translation.draft.set(log, "access", Value::from(true));
        notice(
            translation,
            "no `disable-logging`: uWSGI logs every request, and so does log.access = true",
            false,
        );
    }
}

/// What stops every other service only reloads uWSGI 2.0.
fn sigterm(translation: &mut Translation<'_>) {
    if translation.is_on("master") && !translation.is_on("die-on-term") {
        notice(
            translation,
            "no `die-on-term`: SIGTERM reloaded uWSGI 2.0, and stops the site; `systemctl reload` reloads it",
            false,
        );
    }
}

fn notice(translation: &mut Translation<'_>, text: &str, needs_human: bool) {
    let source = match translation.options.first() {
        Some(option) => std::rc::Rc::clone(&option.origin.source),
        None => "configuration".into(),
    };
    let origin = Origin { source, line: None };
    translation.notice(origin, text, needs_human);
}
