//! The rules of `[static]` and `[[cgi]]`: files that are found by the path of a URL.

use super::{command::is_program, path_text, problem, service::is_variable, url_prefix, within};
use crate::config::{
    error::{Part, Problem},
    schema::{Cgi, Expires, StaticFiles},
};

pub(super) fn check(files: &StaticFiles) -> Result<(), Problem> {
    for (key, paths) in [
        ("check", &files.check),
        ("safe", &files.safe),
        ("mime-types", &files.mime_types),
    ] {
        for (number, path) in paths.iter().enumerate() {
            path_text(&["static", key, &number.to_string()], path)?;
        }
    }
    for (prefix, paths) in &files.map {
        let key = ["static", "map", prefix];
        url_prefix(&key, Part::Key, prefix)?;
        if paths.0.is_empty() {
            return Err(problem(
                &key,
                Part::Value,
                "there is no directory for this prefix; write one",
            ));
        }
        for path in &paths.0 {
            path_text(&key, path)?;
        }
    }
    file_names(&["static", "index"], &files.index)?;
    file_names(&["static", "skip-ext"], &files.skip_ext)?;
    for (number, entry) in files.expires.iter().enumerate() {
        expires(&["static", "expires", &number.to_string()], entry)?;
    }
    Ok(())
}

/// Exactly one way to choose the files.
fn expires(section: &[&str], entry: &Expires) -> Result<(), Problem> {
    let given = [
        ("type", entry.media_type.is_some()),
        ("path", entry.path.is_some()),
        ("file", entry.file.is_some()),
    ];
    let mut given = given.iter().filter(|(_, given)| *given);
    match (given.next(), given.next()) {
        (None, _) => Err(problem(
            section,
            Part::Value,
            "this is about no files; write type = \"text/css\", or `path` or `file` with an expression",
        )),
        (Some((one, _)), Some((other, _))) => Err(problem(
            &[section, &[other]].concat(),
            Part::Key,
            format!("`{one}` and `{other}` both choose the files; make two entries of them"),
        )),
        (Some(_), None) => Ok(()),
    }
}

pub(super) fn cgi(sections: &[Cgi]) -> Result<(), Problem> {
    for (number, cgi) in sections.iter().enumerate() {
        let number_text = number.to_string();
        let key = |name| ["cgi", number_text.as_str(), name];
        url_prefix(&key("path"), Part::Value, &cgi.path)?;
        if sections[..number]
            .iter()
            .any(|other| other.path == cgi.path)
        {
            let message = format!("two [[cgi]] have the path `{}`; remove one", cgi.path);
            return Err(problem(&key("path"), Part::Value, message));
        }
        programs(&["cgi", &number_text], cgi)?;
        file_names(&key("allowed-ext"), &cgi.allowed_ext)?;
        file_names(&key("index"), &cgi.index)?;
        for (ending, program) in &cgi.helpers {
            let key = ["cgi", &number_text, "helpers", ending];
            file_name(&key, Part::Key, ending)?;
            if !is_program(program) {
                let message = format!(
                    "`{program}` is not a program; write an absolute path, or the name of a program"
                );
                return Err(problem(&key, Part::Value, message));
            }
        }
        for (name, value) in &cgi.env {
            let key = ["cgi", &number_text, "env", name];
            is_variable(&key, name)?;
            super::no_nul(&key, value)?;
        }
        within(&key("max-processes"), cgi.max_processes, 0..=1_000)?;
    }
    Ok(())
}

/// Exactly one of `directory` and `file`.
fn programs(section: &[&str], cgi: &Cgi) -> Result<(), Problem> {
    let key = |name| [section, &[name]].concat();
    match (&cgi.directory, &cgi.file) {
        (None, None) => Err(problem(
            section,
            Part::Value,
            "the programs are missing; write directory = \"/usr/lib/cgi-bin\", or file = \"app.cgi\"",
        )),
        (Some(_), Some(_)) => Err(problem(
            &key("file"),
            Part::Key,
            "`directory` and `file` both name the programs; keep one",
        )),
        (Some(directory), None) => path_text(&key("directory"), directory),
        (None, Some(file)) => path_text(&key("file"), file),
    }
}

fn file_names(key: &[&str], names: &[String]) -> Result<(), Problem> {
    for (number, name) in names.iter().enumerate() {
        file_name(&[key, &[&number.to_string()]].concat(), Part::Value, name)?;
    }
    Ok(())
}

/// The name of a file, or its end.
fn file_name(key: &[&str], part: Part, name: &str) -> Result<(), Problem> {
    match name.is_empty() || name.contains(['/', '\0']) {
        true => {
            let message = format!(
                "`{name}` cannot be a part of the name of a file; write it without a directory"
            );
            Err(problem(key, part, message))
        }
        false => Ok(()),
    }
}
