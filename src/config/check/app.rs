//! The rules of `[app]`, and those about applications that other sections share.

use std::path::Path;

use super::{no_nul, path_text, problem};
use crate::config::{
    error::{Part, Problem},
    paths::is_file,
    schema::App,
};

/// `is_needed`: nothing else answers requests, so there has to be an application.
pub(super) fn check(app: &App, is_needed: bool) -> Result<(), Problem> {
    if is_needed || app.target().is_some() {
        target(&["app"], app.module.as_deref(), app.file.as_deref())?;
    }
    if let Some(module) = &app.module {
        dotted_name(&["app", "module"], module)?;
    }
    callable(&["app"], app.module.as_deref(), app.callable.as_deref())?;
    if let Some(function) = &app.post_fork {
        post_fork(function)?;
    }
    for (key, path) in [
        ("file", &app.file),
        ("chdir", &app.chdir),
        ("virtualenv", &app.virtualenv),
    ] {
        if let Some(path) = path {
            path_text(&["app", key], path)?;
        }
    }
    for (number, path) in app.python_path.iter().enumerate() {
        path_text(&["app", "python-path", &number.to_string()], path)?;
    }
    for (number, argument) in app.argv.iter().enumerate() {
        no_nul(&["app", "argv", &number.to_string()], argument)?;
    }
    for (key, modules) in [("preload", &app.preload), ("import", &app.import)] {
        for (number, module) in modules.iter().enumerate() {
            module_name(&["app", key, &number.to_string()], module)?;
        }
    }
    environment(app)
}

/// Exactly one of `module` and `file`.
pub(super) fn target(
    section: &[&str],
    module: Option<&str>,
    file: Option<&Path>,
) -> Result<(), Problem> {
    match (module, file) {
        (None, None) => {
            let place = match section {
                ["app"] => "[app]",
                _ => "[[mount]]",
            };
            let message = format!(
                "the application is missing; write module = \"package.module\" or file = \"app.py\" in {place}"
            );
            Err(problem(section, Part::Value, message))
        }
        (Some(_), Some(_)) => Err(problem(
            &[section, &["file"]].concat(),
            Part::Key,
            "`module` and `file` both name the application; keep one",
        )),
        _ => Ok(()),
    }
}

/// The module of an application, with its callable or without. Python imports more names than it has syntax for
/// (`my-site.wsgi`), so only what cannot be meant is refused.
pub(super) fn dotted_name(key: &[&str], module: &str) -> Result<(), Problem> {
    let (name, _) = module.split_once(':').unwrap_or((module, ""));
    if is_file(name) {
        let message = format!("`{name}` is a file; write file = \"{name}\" in place of `module`");
        return Err(problem(key, Part::Value, message));
    }
    module_name(key, name)
}

/// What could be the name of a module.
pub(super) fn module_name(key: &[&str], name: &str) -> Result<(), Problem> {
    match is_module(name) && !is_file(name) {
        true => Ok(()),
        false => {
            let message =
                format!("`{name}` is not the name of a module; write for example \"shop.wsgi\"");
            Err(problem(key, Part::Value, message))
        }
    }
}

fn is_module(name: &str) -> bool {
    let is_part =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '\0');
    name.split('.').all(is_part)
}

/// `module:function`, where the function may be an attribute of something in the module.
fn post_fork(function: &str) -> Result<(), Problem> {
    let good = |(module, name): (&str, &str)| {
        is_module(module) && !is_file(module) && name.split('.').all(is_identifier)
    };
    if function.split_once(':').is_some_and(good) {
        return Ok(());
    }
    let message = format!(
        "`{function}` does not name a function of a module; write for example \"shop.hooks:connect\""
    );
    Err(problem(&["app", "post-fork"], Part::Value, message))
}

/// Named at most once, and by a name.
pub(super) fn callable(
    section: &[&str],
    module: Option<&str>,
    callable: Option<&str>,
) -> Result<(), Problem> {
    let behind_module = module.and_then(|module| module.split_once(':'));
    let (key, name) = match (behind_module, callable) {
        (Some((_, name)), Some(_)) => {
            return Err(problem(
                &[section, &["callable"]].concat(),
                Part::Key,
                format!("`module` names the callable already, `{name}`; keep one"),
            ));
        }
        (Some((_, name)), None) => ("module", name),
        (None, Some(name)) => ("callable", name),
        (None, None) => return Ok(()),
    };
    let path = name.strip_suffix("()").unwrap_or(name);
    if path.split('.').all(is_identifier) {
        return Ok(());
    }
    let message =
        format!("`{name}` is not the name of a callable; write for example \"application\"");
    Err(problem(&[section, &[key]].concat(), Part::Value, message))
}

/// Python's identifiers, but for a few letters that only Unicode's own tables tell apart.
fn is_identifier(name: &str) -> bool {
    let starts = |c: char| c == '_' || c.is_alphabetic();
    name.starts_with(starts) && name.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// What putenv(3) takes.
fn environment(app: &App) -> Result<(), Problem> {
    for (name, value) in &app.env {
        let key = ["app", "env", name];
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{name}` is not the name of an environment variable");
            return Err(problem(&key, Part::Key, message));
        }
        no_nul(&key, value)?;
    }
    Ok(())
}
